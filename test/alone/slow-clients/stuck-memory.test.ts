// The memory of a shard whose clients stop reading: flat while some are always stuck, and freed when they leave.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sendQueueBytes } from '../../bench/shard/process-usage.ts';
import { Listeners } from '../../harness/listeners.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { expectSound, percentile, residentMb } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { SceneOptions } from '../../harness/scene.ts';
import { Scene } from '../../harness/scene.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

let scene: Scene;
let listeners: Listeners;

async function start(options: SceneOptions, clients: number): Promise<void> {
  scene = await Scene.start(options);
  await listeners.join(await scene.urls(clients), 500);
}

beforeEach(() => {
  listeners = new Listeners();
});

afterEach(async () => {
  await listeners.stop();
  await scene.stop();
});

/** Send queues in the kernel: bytes that a service has written and its peers have not yet taken. */
function kernelMb({ url }: Service): number {
  return sendQueueBytes(Number(new URL(url).port)) / 1e6;
}

it(
  'memory is flat while a tenth of the clients is stuck, and new clients replace evicted ones',
  async () => {
    const [clients, seconds] = scale<readonly [number, number]>([100, 5], [1_000, 200]);
    const stuck = clients / 10;
    await start({ shard: { WEIR_TICK_MS: '100', WEIR_LAG_MS: '4000' } }, clients);
    const pad = 'x'.repeat(2_000);
    scene.every(100, (n) => {
      scene.nats.publish('weir.state.lobby.k', `{"n":${n},"pad":"${pad}"}`);
      if (n % 5 === 0) scene.nats.publish('weir.critical.lobby', String(n));
    });
    const [witness] = await scene.clients(1);
    const mb: number[] = [];
    let gone = 0;
    listeners.stick(stuck);
    for (let second = 0; second < seconds; second++) {
      await elapsed(1_000);
      mb.push(await residentMb(scene.shard));
      const missing = clients + 1 - (await scene.numbers()).of('weir_shard_connections');
      if (missing <= 0) continue;
      gone += missing;
      await listeners.join(await scene.urls(missing));
      listeners.stick(missing);
    }
    const tenth = Math.max(1, Math.floor(seconds / 10));
    const [second, last] = [mb.slice(tenth, 2 * tenth), mb.slice(-tenth)].map((part) =>
      percentile(part, 0.5),
    );
    const numbers = await scene.numbers();
    seen('stuck', {
      clients,
      stuck,
      seconds,
      evicted: gone,
      'MB in the second tenth': second ?? 0,
      'MB in the last tenth': last ?? 0,
      'MB at most': Math.max(...mb),
    });
    expect((last ?? 0) / (second ?? 0)).toBeLessThan(scale(Number.POSITIVE_INFINITY, 1.05));
    expect(numbers.of('weir_shard_backlog_bytes')).toBeLessThan((clients + 1) * 524_288);
    const got = (witness?.of('critical') ?? []).map(({ message }) => Number(message['data']));
    expect(got).toEqual(Array.from(got, (_, i) => (got[0] ?? 0) + 5 * i));
    expect(witness?.closed).toBeUndefined();
    expectSound(scene.cluster.running);
  },
  scale(60_000, 400_000),
);

it(
  'memory is free again as soon as clients leave that had not read their backlog, round after round',
  async () => {
    const [stuck, messages, rounds] = scale<readonly [number, number, number]>([10, 40, 2], [50, 220, 30]);
    // Just below what one connection may have under way.
    const shard = {
      WEIR_HARD_BYTES: '4MB',
      WEIR_LAG_MS: '600000',
      WEIR_CRITICAL_MAX_PER_CHANNEL: String(messages),
    };
    await start({ shard }, 1);
    const text = 'y'.repeat(16_000);
    const peaks: number[] = [];
    const lefts: number[] = [];
    const tookMs: number[] = [];
    let kernel = 0;
    for (let round = 0; round < rounds; round++) {
      await listeners.join(await scene.urls(stuck, 'stuck'));
      listeners.stick(stuck + 1);
      // Publish only after this: a client that still reads is not stuck.
      await elapsed(200);
      for (let i = 0; i < messages; i++) scene.nats.publish('weir.critical.stuck', `"${text}"`);
      const waiting = async (): Promise<number> => (await scene.numbers()).of('weir_shard_backlog_bytes');
      await until(async () => (await waiting()) > 0.95 * stuck * messages * text.length, 'all of it waits');
      peaks.push(await residentMb(scene.shard));
      kernel = Math.max(kernel, kernelMb(scene.shard));
      const goneMs = performance.now();
      listeners.leaveStuck();
      await until(async () => (await waiting()) < text.length, 'nothing waits');
      await until(() => kernelMb(scene.shard) < 0.1, 'the kernel has nothing either');
      tookMs.push(performance.now() - goneMs);
      await listeners.join(await scene.urls(1));
      await comesToRest(scene.shard, 1);
      lefts.push(await residentMb(scene.shard));
    }
    seen('stuck clients that go', {
      clients: stuck,
      rounds,
      'MB that waited': (stuck * messages * text.length) / 1e6,
      'of them in the kernel': kernel,
      'nothing left after ms, at most': Math.max(...tookMs),
      'MB of the process, first peak': peaks[0] ?? 0,
      'last peak': peaks.at(-1) ?? 0,
      'after each third round': lefts
        .filter((_, i) => i % 3 === 2)
        .map(Math.round)
        .join(' '),
    });
    // Rounds do not add up once caches are full.
    const [half = 0, last = 0] = [lefts[Math.floor(rounds / 2)], lefts.at(-1)];
    expect(last / half).toBeLessThan(scale(Number.POSITIVE_INFINITY, 1.1));
    expectSound(scene.cluster.running);
  },
  scale(60_000, 200_000),
);
