import { describe, expect, it } from 'vitest';
import { createLogger } from '../logging/logger.ts';
import type { ShutdownStep } from './shutdown.ts';
import { runUntilSignal } from './shutdown.ts';

/** A process whose exits are only recorded. */
class FakeHost {
  connected?: boolean;
  readonly exits: number[] = [];
  readonly exited: Promise<number>;
  readonly #listeners = new Map<string, (detail: unknown) => void>();
  #resolve: (code: number) => void = () => undefined;

  constructor() {
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  on(event: string, listener: (detail: unknown) => void): void {
    this.#listeners.set(event, listener);
  }

  exit(code: number): void {
    this.exits.push(code);
    this.#resolve(code);
  }

  emit(event: string, detail?: unknown): void {
    this.#listeners.get(event)?.(detail);
  }
}

function start(steps: readonly ShutdownStep[], deadlineMs = 10_000, host = new FakeHost()) {
  const lines: string[] = [];
  const clock = { nowMs: 0 };
  const logger = createLogger({
    service: 'test',
    level: 'info',
    sink: { write: (line) => lines.push(line) },
  });
  const clocks = { monotonicMs: () => clock.nowMs, wallMs: () => 0 };
  runUntilSignal({ logger, deadlineMs, steps }, host, clocks);
  return { host, lines, clock };
}

const never = (): Promise<void> => new Promise(() => undefined);

describe('runUntilSignal', () => {
  it('runs the steps once, in order, then exits with 0', async () => {
    const ran: string[] = [];
    const { host } = start([
      { name: 'first', run: async () => void ran.push('first') },
      { name: 'second', run: () => void ran.push('second') },
    ]);
    host.emit('SIGTERM');
    expect(await host.exited).toBe(0);
    expect(ran).toEqual(['first', 'second']);
  });

  it('continues after a step that fails, and exits with 1', async () => {
    const ran: string[] = [];
    const { host, lines } = start([
      { name: 'broken', run: () => Promise.reject(new Error('no')) },
      { name: 'after', run: () => void ran.push('after') },
    ]);
    host.emit('disconnect');
    expect(await host.exited).toBe(1);
    expect(ran).toEqual(['after']);
    expect(lines.join('')).toContain('"step":"broken"');
  });

  it('stops if the parent ended before the listener was installed', async () => {
    const ran: string[] = [];
    const orphan = new FakeHost();
    orphan.connected = false;
    const { host } = start([{ name: 'only', run: () => void ran.push('only') }], 10_000, orphan);
    expect(await host.exited).toBe(0);
    expect(ran).toEqual(['only']);
  });

  it('exits with 1 when the deadline passes, and names the step that hangs', async () => {
    const { host, lines } = start([{ name: 'hangs', run: never }], 5);
    host.emit('SIGINT');
    expect(await host.exited).toBe(1);
    expect(lines.join('')).toMatch(/"step":"hangs".*shutdown deadline passed/);
  });

  it('exits at once at the second signal', () => {
    const { host } = start([{ name: 'hangs', run: never }]);
    host.emit('SIGTERM');
    host.emit('SIGTERM');
    expect(host.exits).toEqual([1]);
  });

  it('treats the signals of a terminal and of its supervisor, and the loss of the parent, as one request', () => {
    const { host, clock } = start([{ name: 'hangs', run: never }]);
    host.emit('SIGINT');
    clock.nowMs += 100;
    host.emit('SIGTERM');
    clock.nowMs += 1_000;
    host.emit('disconnect');
    expect(host.exits).toEqual([]);
    host.emit('SIGTERM');
    expect(host.exits).toEqual([1]);
  });

  it('logs unhandled errors as fatal and exits with 1', () => {
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      const { host, lines } = start([]);
      host.emit(event, new Error('surprise'));
      expect(host.exits).toEqual([1]);
      expect(JSON.parse(lines.join(''))).toMatchObject({
        level: 'fatal',
        err: { message: 'surprise' },
        event,
      });
    }
  });
});
