// A shard accepts clients and answers /readyz while its threads write as fast as they can.
import { once } from 'node:events';
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Listeners } from '../../harness/listeners.ts';
import { expectSound, percentile } from '../../harness/oracle.ts';
import { usualHeaders } from '../../harness/raw-client.ts';
import { scale, seen } from '../../harness/scale.ts';
import { Scene } from '../../harness/scene.ts';
import { elapsed } from '../../harness/small-cluster.ts';

const CLIENTS = scale(200, 2_000);
const SECONDS = scale(2, 40);
const TICK_MS = 20;
const EVERY_MS = 25;
/** Loop utilisation of a thread with no time left. */
const FLAT_OUT = scale(0, 0.95);

let scene: Scene;
let listeners: Listeners;

beforeAll(async () => {
  scene = await Scene.start({ shard: { WEIR_TICK_MS: String(TICK_MS), WEIR_LAG_MS: '60000' } });
  listeners = new Listeners();
  await listeners.join(await scene.urls(CLIENTS), 500);
});

afterAll(async () => {
  await listeners.stop();
  await scene.stop();
});

/** Milliseconds until the shard accepts a raw client. */
async function admission(): Promise<number> {
  const { hostname, port, pathname, search } = new URL(await scene.url('quiet'));
  const startMs = performance.now();
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const request = [`GET ${pathname}${search} HTTP/1.1`, `Host: ${hostname}:${port}`, ...usualHeaders, '\r\n'];
  socket.write(request.join('\r\n'));
  const [first]: readonly unknown[] = await once(socket, 'data');
  const tookMs = performance.now() - startMs;
  socket.on('error', () => undefined).destroy();
  expect(String(first)).toMatch(/^HTTP\/1\.1 101 /);
  return tookMs;
}

async function readiness(): Promise<number> {
  const startMs = performance.now();
  const answer = await fetch(`${scene.shard.admin}/readyz`, { headers: { connection: 'close' } });
  await answer.text();
  expect(answer.status).toBe(200);
  return performance.now() - startMs;
}

interface Times {
  readonly admissionsMs: readonly number[];
  readonly readinessMs: readonly number[];
}

/** Requests both at a fixed rate, without waiting for the answers. */
async function ask(): Promise<Times> {
  const asked: Promise<readonly [number, number]>[] = [];
  const endMs = performance.now() + SECONDS * 1_000;
  while (performance.now() < endMs) {
    asked.push(Promise.all([admission(), readiness()]));
    await elapsed(EVERY_MS);
  }
  const times = await Promise.all(asked);
  return { admissionsMs: times.map(([ms]) => ms), readinessMs: times.map(([, ms]) => ms) };
}

it(
  'a shard flat out accepts every client and stays ready',
  async () => {
    const { nats } = scene;
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const calm = await ask();
    const before = await scene.numbers();
    const pad = 'x'.repeat(2_000);
    const feed = scene.every(TICK_MS, (n) => nats.publish('weir.state.lobby.k', `{"n":${n},"pad":"${pad}"}`));
    let busiest = 0;
    const watch = scene.every(1_000, () => {
      void scene.numbers().then((numbers) => {
        busiest = Math.max(busiest, numbers.of('weir_shard_thread_loop_utilisation{thread="0"}'));
      });
    });
    delay.enable();
    const under = await ask();
    delay.disable();
    feed.stop();
    watch.stop();
    const after = await scene.numbers();
    const rise = (name: string): number => after.of(`weir_shard_${name}`) - before.of(`weir_shard_${name}`);
    const said = (values: readonly number[]): string =>
      [0.5, 0.99, 1].map((part) => percentile(values, part).toFixed(1)).join(' / ');
    seen('flat out', {
      clients: CLIENTS,
      asked: under.admissionsMs.length,
      'let in, calm: ms at p50 / p99 / most': said(calm.admissionsMs),
      'let in, flat out': said(under.admissionsMs),
      'ready, calm': said(calm.readinessMs),
      'ready, flat out': said(under.readinessMs),
      "this process' own lateness at p99": delay.percentile(99) / 1e6,
      'thread busy': busiest,
      'writes a second': rise('writes_total') / SECONDS,
      'ticks merged': rise('merged_ticks_total'),
    });
    expect(listeners.closed).toBe(0);
    expect(busiest).toBeGreaterThanOrEqual(FLAT_OUT);
    expectSound(scene.cluster.running);
  },
  scale(60_000, 200_000),
);
