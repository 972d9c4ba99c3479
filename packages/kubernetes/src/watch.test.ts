import { describe, expect, it } from 'vitest';
import type { KubeApi, KubeRequest, KubeStream } from './api.ts';
import { KubeApiError, KubeUnreachableError } from './errors.ts';
import { readMeta, textAt } from './object.ts';
import { ObjectWatch } from './watch.ts';

const pod = (name: string, version: string, label = ''): object => ({
  metadata: { name, resourceVersion: version, labels: { label } },
});

/** A server with scripted answers, and a clock that only sleeps advance. */
class Script {
  nowMs = 0;
  readonly asked: { readonly atMs: number; readonly what: string }[] = [];
  readonly problems: unknown[] = [];
  #lists: (() => unknown)[] = [];
  #rounds: ((stream: KubeStream) => void)[] = [];
  #idle: () => void = () => undefined;
  /** Resolves when the watch asks for more than the script has. */
  readonly done = new Promise<void>((resolve) => {
    this.#idle = resolve;
  });

  list(version: string, ...items: readonly object[]): this {
    this.#lists.push(() => ({ items, metadata: { resourceVersion: version } }));
    return this;
  }

  noList(error: Error): this {
    this.#lists.push(() => {
      throw error;
    });
    return this;
  }

  round(...events: readonly object[]): this {
    this.#rounds.push(({ onEvent }) => events.forEach(onEvent));
    return this;
  }

  noRound(error: Error): this {
    this.#rounds.push(() => {
      throw error;
    });
    return this;
  }

  watch(): ObjectWatch<string> {
    const api: KubeApi = {
      request: (one: KubeRequest) => this.#next(this.#lists, 'list', (list) => list(), one.query),
      stream: (one: KubeStream) => this.#next(this.#rounds, 'watch', (round) => round(one), one.query),
    };
    return new ObjectWatch<string>({
      api,
      path: '/pods',
      labelSelector: 'app=x',
      read: (object) => {
        const meta = readMeta(object);
        return meta?.labels['label'] === 'skip' ? undefined : textAt(object, 'metadata', 'resourceVersion');
      },
      onProblem: (error) => this.problems.push(error),
      monotonicMs: () => this.nowMs,
      random: () => 0.999,
      sleep: async (ms) => {
        this.nowMs += ms;
      },
    });
  }

  async #next<Item, Answer>(
    from: Item[],
    what: string,
    use: (item: Item) => Answer,
    query: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { resourceVersion = '', labelSelector } = query;
    expect(labelSelector).toBe('app=x');
    this.asked.push({ atMs: this.nowMs, what: `${what} ${resourceVersion}`.trim() });
    const item = from.shift();
    if (item === undefined) {
      this.#idle();
      return new Promise(() => undefined);
    }
    return use(item);
  }
}

async function play(script: Script): Promise<ObjectWatch<string>> {
  const watch = script.watch();
  watch.start();
  watch.start();
  await script.done;
  return watch;
}

const what = (script: Script): readonly string[] => script.asked.map((one) => one.what);

describe('ObjectWatch', () => {
  it('lists, then follows changes', async () => {
    const script = new Script()
      .list('5', pod('a', '1'), pod('b', '2'))
      .round(
        { type: 'ADDED', object: pod('c', '6') },
        { type: 'MODIFIED', object: pod('a', '7') },
        { type: 'DELETED', object: pod('b', '8') },
        { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      );
    const watch = await play(script);
    expect([...watch.items]).toEqual([
      ['a', '7'],
      ['c', '6'],
    ]);
    expect(what(script)).toEqual(['list', 'watch 5', 'watch 9']);
    expect(script.problems).toEqual([]);
  });

  it('is infinitely old before the first list, then as old as its last proof', async () => {
    const script = new Script().list('5').round();
    const watch = script.watch();
    expect(watch.ageMs).toBe(Number.POSITIVE_INFINITY);
    watch.start();
    await script.done;
    const ageMs = watch.ageMs;
    script.nowMs += 500;
    expect(watch.ageMs).toBe(ageMs + 500);
  });

  it('lists again at once when its version has expired, in the stream or as an answer', async () => {
    const script = new Script()
      .list('5', pod('a', '1'))
      .round({ type: 'ERROR', object: { code: 410, message: 'too old' } })
      .list('9', pod('b', '9'))
      .noRound(new KubeApiError(410, 'Gone'))
      .list('12', pod('c', '12'));
    const watch = await play(script);
    expect([...watch.items.keys()]).toEqual(['c']);
    expect(what(script)).toEqual(['list', 'watch 5', 'list', 'watch 9', 'list', 'watch 12']);
    expect(script.problems).toEqual([]);
  });

  it('lists again after any odd answer, and forgets deleted objects', async () => {
    const script = new Script()
      .list('5', pod('a', '1'), pod('b', '1'))
      .noRound(new KubeUnreachableError('cut'))
      .noList(new KubeUnreachableError('away'))
      .noList(new KubeApiError(403, 'no'))
      .list('9', pod('b', '1'));
    const watch = await play(script);
    expect([...watch.items.keys()]).toEqual(['b']);
    expect(script.problems).toHaveLength(3);
  });

  it('asks at most once a second, and less often after failures (case H9)', async () => {
    const script = new Script().list('1');
    for (let round = 0; round < 20; round += 1) script.round();
    for (let round = 0; round < 20; round += 1) script.noList(new KubeUnreachableError('away'));
    script.noRound(new KubeUnreachableError('away'));
    await play(script);
    const gaps = script.asked.slice(1).map(({ atMs }, index) => atMs - (script.asked[index]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
    expect(Math.max(...gaps.slice(0, 20))).toBe(1_000);
    expect(Math.min(...gaps.slice(-15))).toBeGreaterThan(5_000);
  });

  it('lists again every ten minutes even without a fault', async () => {
    const script = new Script().list('1', pod('a', '1')).list('2', pod('b', '2'));
    for (let round = 0; round < 700; round += 1) script.round();
    const watch = await play(script);
    expect(what(script).filter((one) => one === 'list')).toHaveLength(2);
    expect([...watch.items.keys()]).toEqual(['b']);
  });

  it('reads long lists page by page', async () => {
    const script = new Script();
    const pages = [
      { items: [pod('a', '1')], metadata: { resourceVersion: '5', continue: 'more' } },
      { items: [pod('b', '1')], metadata: { resourceVersion: '5' } },
    ];
    const continued: unknown[] = [];
    const watch = new ObjectWatch({
      api: {
        request: async ({ query }) => {
          continued.push(query?.['continue']);
          return pages.shift();
        },
        stream: () => {
          resolve();
          return new Promise(() => undefined);
        },
      },
      path: '/pods',
      read: () => true,
      monotonicMs: () => script.nowMs,
      random: Math.random,
      sleep: async (ms) => {
        script.nowMs += ms;
      },
    });
    let resolve = (): void => undefined;
    const watching = new Promise<void>((done) => {
      resolve = done;
    });
    watch.start();
    await watching;
    expect([...watch.items.keys()]).toEqual(['a', 'b']);
    expect(continued).toEqual([undefined, 'more']);
  });

  it('ignores objects that do not match, even if they matched before', async () => {
    const script = new Script()
      .list('5', pod('a', '1'), pod('b', '1', 'skip'))
      .round({ type: 'MODIFIED', object: pod('a', '6', 'skip') }, { type: 'ADDED', object: 'no object' });
    expect([...(await play(script)).items]).toEqual([]);
  });

  it('ends on request, even during a watch', async () => {
    let ended = false;
    const watch = new ObjectWatch({
      api: {
        request: async () => ({ items: [], metadata: { resourceVersion: '1' } }),
        stream: ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              ended = true;
              reject(new KubeUnreachableError('aborted'));
            });
          }),
      },
      path: '/pods',
      read: () => true,
      onProblem: () => expect.unreachable(),
      monotonicMs: () => 0,
      random: Math.random,
      sleep: async () => undefined,
    });
    watch.start();
    await new Promise((resolve) => setImmediate(resolve));
    await watch.stop();
    expect(ended).toBe(true);
  });
});
