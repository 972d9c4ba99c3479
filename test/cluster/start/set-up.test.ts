// The output of the set-up: prerequisites before anything is installed, and the progress of a long step.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const { withProgress } = await import(new URL('../../../scripts/progress.mjs', import.meta.url).href);
const { missingNats } = await import(new URL('../../../scripts/needs.mjs', import.meta.url).href);

it('prints every 5 s what it does and for how long, until it is done', async () => {
  const said: string[] = [];
  let nowMs = 0;
  let tick: (() => void) | undefined;
  const timers = {
    setInterval: (callback: () => void, ms: number): number => {
      expect(ms).toBe(5000);
      tick = callback;
      return 1;
    },
    clearInterval: (): void => {
      tick = undefined;
    },
  };
  let done: (code: number) => void = () => {};
  const task = new Promise<number>((resolve) => {
    done = resolve;
  });
  const result = withProgress(() => `installing, ${said.length} of 2`, task, {
    say: (line: string) => said.push(line),
    timers,
    nowMs: () => nowMs,
  });
  for (nowMs = 5000; nowMs <= 10_000; nowMs += 5000) tick?.();
  expect(said).toEqual(['installing, 0 of 2: 5 s', 'installing, 1 of 2: 10 s']);
  done(3);
  expect(await result).toBe(3);
  expect(tick).toBeUndefined();
});

describe('missingNats', () => {
  const nowhere = { env: { PATH: '/nowhere' }, cache: '/nowhere/nats', reaches: async () => false };

  it('lists the options if there is no way to get a NATS server', async () => {
    const text = await missingNats(nowhere);
    for (const way of ['github.com/nats-io', 'NATS_RELEASES_URL', 'PATH', 'python3', 'NATS_URL to a server'])
      expect(text).toContain(way);
  });

  it('prints nothing if there is a NATS server, or a way to get one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-needs-'));
    await writeFile(join(folder, 'go'), '', { mode: 0o755 });
    for (const way of [
      { reaches: async () => true },
      { cache: folder },
      { env: { NATS_URL: 'nats://a' } },
      { env: { WEIR_NATS_URL: 'nats://a' } },
      { env: { PATH: `/nowhere:${folder}` } },
    ])
      expect(await missingNats({ ...nowhere, ...way })).toBeUndefined();
    await rm(folder, { recursive: true });
  });
});
