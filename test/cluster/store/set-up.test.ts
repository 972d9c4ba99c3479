// What a person sees while the set-up takes long.
import { expect, it } from 'vitest';

const { withProgress } = await import(new URL('../../scripts/progress.mjs', import.meta.url).href);

it('says every 5 s what is being done and for how long, until it is done', async () => {
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
