// Case E2: a shard that gets a seventh of a processor for a long time, with a full feed. Ticks merge instead of
// queuing, nothing grows, and clients have the newest values as soon as the shard has time again.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Listeners } from '../../harness/listeners.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { expectSound, percentile, residentMb } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import { Scene } from '../../harness/scene.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const CLIENTS = scale(200, 2_000);
const SECONDS = scale(4, 600);
const TICK_MS = 100;
/** In every tenth of a second. */
const RUNS_MS = 15;
const KEYS = 10;
/** Clients whose values are checked. */
const WITNESSES = 20;

let scene: Scene;
let listeners: Listeners;

beforeAll(async () => {
  scene = await Scene.start({ shard: { WEIR_TICK_MS: String(TICK_MS) } });
  listeners = new Listeners();
  await listeners.join(await scene.urls(CLIENTS), 500);
});

afterAll(async () => {
  await listeners.stop();
  await scene.stop();
});

/** Lets the shard run for part of the time only. */
function starve(): () => Promise<void> {
  const { process } = scene.shard;
  let isOver = false;
  const starving = (async () => {
    while (!isOver) {
      process.kill('SIGSTOP');
      await elapsed(100 - RUNS_MS);
      process.kill('SIGCONT');
      await elapsed(RUNS_MS);
    }
  })();
  return () => {
    isOver = true;
    return starving;
  };
}

it(
  'merges ticks, keeps its memory and its clients, and is up to date as soon as it may run (case E2)',
  async () => {
    const { nats, shard } = scene;
    const witnesses = await scene.clients(WITNESSES);
    const pad = 'x'.repeat(200);
    const feed = scene.every(TICK_MS, (n) => {
      for (let key = 0; key < KEYS; key++)
        nats.publish(`weir.state.lobby.k${key}`, `{"n":${n},"pad":"${pad}"}`);
      if (n % 5 === 0) nats.publish('weir.critical.lobby', String(n));
      nats.publish('weir.cosmetic.lobby', String(n));
    });
    await until(() => feed.count > 20, 'the feed has begun');
    const before = await scene.numbers();
    const release = starve();
    const samples: { readonly waiting: number; readonly mb: number; readonly behind: number }[] = [];
    for (let second = 0; second < SECONDS; second++) {
      await elapsed(1_000);
      const numbers = await scene.numbers();
      samples.push({
        waiting: numbers.of('weir_shard_hand_overs_outstanding') / numbers.of('weir_shard_threads'),
        behind: numbers.of('weir_shard_connections_not_live'),
        mb: await residentMb(shard),
      });
    }
    const [newest, releasedMs] = [feed.count - 1, performance.now()];
    await release();
    const has = (text: string | undefined): number => Number(/"n":(\d+)/.exec(text ?? '')?.[1] ?? -1);
    await until(
      () => witnesses.every(({ state }) => [...state.values()].every((value) => has(value) >= newest)),
      'all have the newest values',
    );
    const tookMs = performance.now() - releasedMs;
    feed.stop();
    await until(
      () =>
        witnesses.every(
          (client) => client.of('critical').at(-1)?.message['data'] === lastCritical(feed.count),
        ),
      'all have the last critical message',
    );
    const after = await comesToRest(shard, CLIENTS + WITNESSES, 60_000);
    const rise = (name: string): number => after.of(`weir_shard_${name}`) - before.of(`weir_shard_${name}`);
    const tenth = Math.max(1, Math.floor(SECONDS / 10));
    const mb = samples.map((sample) => sample.mb);
    const [second, last] = [median(mb.slice(tenth, 2 * tenth)), median(mb.slice(-tenth))];
    seen('E2', {
      clients: CLIENTS,
      seconds: SECONDS,
      'hand-overs waiting a thread, at most': Math.max(...samples.map(({ waiting }) => waiting)),
      'ticks merged': rise('merged_ticks_total'),
      'hand-overs': rise('hand_overs_total'),
      'MB in the second tenth': second,
      'MB in the last tenth': last,
      'clients behind, at most': Math.max(...samples.map(({ behind }) => behind)),
      'newest values after ms': tookMs,
    });
    expect(Math.max(...samples.map(({ waiting }) => waiting))).toBeLessThanOrEqual(1);
    expect(last / second).toBeLessThan(scale(Number.POSITIVE_INFINITY, 1.05));
    for (const client of witnesses) {
      const got = client.of('critical').map(({ message }) => Number(message['data']));
      expect(got).toEqual(Array.from(got, (_, i) => (got[0] ?? 0) + 5 * i));
    }
    expect(listeners.closed).toBe(0);
    expectSound(scene.cluster.running);
  },
  scale(90_000, 900_000),
);

/** The last of so many turns of the feed that published a critical message. */
function lastCritical(turns: number): number {
  return Math.floor((turns - 1) / 5) * 5;
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
