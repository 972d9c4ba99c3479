import { describe, expect, it } from 'vitest';
import { logThrottle } from './log-throttle.ts';
import { createLogger } from './logger.ts';
import { scrub } from './scrub.ts';

function recording(): { readonly lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

describe('createLogger', () => {
  it('writes one JSON line with level, time, service and fields', () => {
    const sink = recording();
    createLogger({ service: 'router', level: 'info', sink }).info({ port: 8080 }, 'listening');
    expect(JSON.parse(sink.lines.join())).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      service: 'router',
      pid: process.pid,
      port: 8080,
      msg: 'listening',
    });
  });

  it('keeps secrets out, in fields, children, URLs and errors', () => {
    const sink = recording();
    const logger = createLogger({ service: 'router', level: 'debug', sink }).child({ authToken: 'hunter2' });
    const jws = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl';
    logger.warn(
      { request: { headers: { authorization: 'Bearer hunter2-long', cookie: ['a=hunter2'] } } },
      'refused',
    );
    logger.warn({ url: 'wss://user:hunter2@host/v1/stream?ticket=hunter2&resume=hunter2' }, 'moved');
    logger.error(new Error(`bad ticket ${jws} at /v1/connect?token=hunter2`));
    logger.error({ err: new Error('fetch ws://h/v1/stream?ticket=hunter2 failed') }, 'failed');
    const text = sink.lines.join('');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(jws);
    expect(text).toContain('wss://***@host/v1/stream?***');
    for (const line of sink.lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('keeps harmless fields: counts of tickets, plain URLs', () => {
    const line = JSON.stringify({
      tickets: 3,
      url: 'ws://127.0.0.1:8080',
      admin: 'http://[::1]:9090/metrics',
    });
    expect(scrub(line)).toBe(line);
  });

  it('is quick on long hostile text', () => {
    const started = performance.now();
    scrub(
      JSON.stringify({
        agent: 'token'.repeat(20_000),
        more: '://'.repeat(20_000),
        b: '"ticket'.repeat(5_000),
      }),
    );
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('logThrottle', () => {
  it('runs at once, then once per interval with the number of suppressed calls', () => {
    let nowMs = 1_000;
    const gate = logThrottle(100, { monotonicMs: () => nowMs, wallMs: () => 0 });
    const seen: number[] = [];
    const call = (): void => gate((suppressed) => void seen.push(suppressed));
    call();
    call();
    call();
    nowMs += 100;
    call();
    nowMs += 100;
    call();
    expect(seen).toEqual([0, 2, 0]);
  });
});
