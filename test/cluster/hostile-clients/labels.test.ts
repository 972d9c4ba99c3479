// Case E8: input from outside creates no new series, wherever a service could take a label from it.
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Listeners } from '../../harness/listeners.ts';
import { comesToRest, Numbers } from '../../harness/numbers.ts';
import { expectSound } from '../../harness/oracle.ts';
import { clientFrame, opcodes } from '../../harness/raw-client.ts';
import { scale, seen } from '../../harness/scale.ts';
import { Scene } from '../../harness/scene.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const VISITS = scale(1_000, 30_000);
const AT_ONCE = 30;
const MAX_BYTES = 1_000_000;
/** Names that the visitors use. */
const FOREIGN = /(agent|channel|host|key|kid|kind|more|origin|path|pool|proto|shard|x)-?\d|10\.\d+\.\d+/;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({
    shard: { WEIR_TICK_MS: '50' },
    router: { WEIR_TRUSTED_PROXIES: '127.0.0.1/32', WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: 's'.repeat(40) },
  });
});

afterAll(() => scene.stop());

const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (i: number): string =>
  `${json({ alg: 'HS256', kid: `kid-${i}` })}.${json({ sub: `u${i}` })}.c2ln`;
const closeCode = (i: number): Buffer =>
  Buffer.from([(3_000 + (i % 2_000)) >> 8, (3_000 + (i % 2_000)) & 0xff]);

/** A raw request that differs from all others in every part. */
function knock({ url }: Service, path: string, i: number): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.on('data', () => {
      socket.end(clientFrame(opcodes.close, closeCode(i)));
      socket.destroySoon();
    });
    const address = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
    const lines = [
      `${['GET', 'GET', 'GET', 'POST', 'BREW'][i % 5]} ${path} HTTP/1.1`,
      `Host: host-${i}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Sec-WebSocket-Protocol: weir.v1, other-${i}`,
      `Sec-WebSocket-Extensions: x-${i}`,
      `Origin: https://origin-${i}.example`,
      `User-Agent: agent-${i}`,
      `X-Forwarded-For: ${address}`,
      `X-Forwarded-Proto: proto-${i}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });
}

/** A client that connects, sends odd messages, and closes with an unusual code. */
async function visit(i: number): Promise<void> {
  const ws = new WebSocket(await scene.url(`channel-${i}`), ['weir.v1'], {
    headers: { 'User-Agent': `agent-${i}`, Origin: `https://origin-${i}.example` },
  });
  ws.on('error', () => undefined);
  ws.once('message', () => {
    if (i % 2 === 0) ws.send(`{"type":"kind-${i}"}`);
    else ws.send(`{"type":"subscribe","channels":["more-${i}"]}`);
    ws.pong(`pong-${i}`);
    if (i % 3 === 0) ws.close(3_000 + (i % 2_000), `reason ${i}`);
    else setTimeout(() => ws.terminate(), 20);
  });
  await new Promise((resolve) => ws.once('close', resolve));
}

async function odd(i: number): Promise<void> {
  const { cluster, shard, nats } = scene;
  nats.publish(`weir.state.channel-${i}.key-${i}`, String(i));
  nats.publish(`weir.critical.channel-${i}`, i % 2 === 0 ? String(i) : 'no JSON');
  nats.publish(`weir.cosmetic.channel-${i}`, String(i));
  nats.publish(`weir.ctl.beat.pool-${i}.shard-${i}`, `{"pool":"pool-${i}"}`);
  const paths = [
    `/path-${i}`,
    `/v1/connect?channels=c${i}&token=${token(i)}`,
    `/v1/connect?channels=a&class=x${i}`,
  ];
  await knock(cluster.router, paths[i % 3] ?? '/', i);
  await knock(shard, i % 2 === 0 ? `/v1/stream?ticket=${token(i)}` : `/path-${i}`, i);
  await visit(i);
}

async function all(from: number, to: number): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) await odd(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

it(
  'foreign names leave the number of series as it was, and a scrape below 1 MB (case E8)',
  async () => {
    const { cluster, shard } = scene;
    const services = [cluster.router, shard];
    // Creates each kind of refusal once, and prom-client's event series.
    await all(0, 60);
    await comesToRest(shard, 0);
    const ours = (numbers: Numbers): readonly string[] =>
      numbers.series.filter((name) => name.startsWith('weir_')).sort();
    const before = await Promise.all(services.map((service) => Numbers.of(service)));
    await all(60, VISITS);
    await until(
      async () => (await scene.numbers()).of('weir_shard_intake_messages_total{lane="state"}') >= VISITS,
      'the shard has taken everything in',
    );
    await comesToRest(shard, 0);
    const after = await Promise.all(services.map((service) => Numbers.of(service)));
    for (const [i, numbers] of after.entries()) {
      expect(ours(numbers)).toEqual(before[i] === undefined ? [] : ours(before[i]));
      expect(numbers.bytes).toBeLessThan(MAX_BYTES);
      seen('E8', { series: numbers.series.length, KB: numbers.bytes / 1_000 });
      expect(numbers.series.filter((series) => FOREIGN.test(series))).toEqual([]);
    }
    expectSound(cluster.running);
  },
  scale(60_000, 900_000),
);

/** The p99 of tick lateness between two scrapes, in milliseconds: the upper bound of its bucket. */
function latenessMs(before: Numbers, after: Numbers): number {
  const rise = (le: string): number => {
    const series = `weir_shard_tick_lateness_seconds_bucket{le="${le}"}`;
    return after.of(series) - before.of(series);
  };
  const bounds = after.series.flatMap(
    (series) => /^weir_shard_tick_lateness_seconds_bucket\{le="([\d.]+)"\}$/.exec(series)?.[1] ?? [],
  );
  return 1_000 * Number(bounds.find((le) => rise(le) >= 0.99 * rise('+Inf')) ?? Number.POSITIVE_INFINITY);
}

it(
  'metrics cost nothing to read: with ten thousand clients a scrape a second makes no tick late (case E8)',
  async () => {
    const [clients, seconds] = scale<readonly [number, number]>([100, 1], [10_000, 60]);
    const listeners = new Listeners();
    try {
      for (let left = clients; left > 0; left -= 1_000)
        await listeners.join(await scene.urls(Math.min(left, 1_000)), 500);
      const pad = 'x'.repeat(200);
      scene.every(500, (n) => scene.nats.publish('weir.state.lobby.k', `{"n":${n},"pad":"${pad}"}`));
      const from = await scene.numbers();
      await elapsed(seconds * 1_000);
      const calm = await scene.numbers();
      const tookMs: number[] = [];
      for (let second = 0; second < seconds; second++) {
        await elapsed(1_000);
        const startMs = performance.now();
        await scene.numbers();
        tookMs.push(performance.now() - startMs);
      }
      const scraped = await scene.numbers();
      seen('E8', {
        clients,
        'ticks late at p99, nobody scrapes: ms below': latenessMs(from, calm),
        'a scrape a second: ms below': latenessMs(calm, scraped),
        'a scrape takes ms, at most': Math.max(...tookMs),
      });
      expect(listeners.closed).toBe(0);
      expect(scraped.bytes).toBeLessThan(MAX_BYTES);
    } finally {
      await listeners.stop();
      await scene.leave();
      await comesToRest(scene.shard, 0, 60_000);
    }
  },
  scale(60_000, 300_000),
);
