// Case C4: a middlebox that answers pings itself. Weir cannot see the client behind it; but the shard's memory does not
// grow, and docs/slow-clients.md explains how to recognise the case.
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { expectSound, residentMb } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import { Scene } from '../../harness/scene.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const CLIENTS = scale(10, 50);
const HEALTHY = scale(10, 50);
const SECONDS = scale(6, 300);
const BYTES_PER_SECOND = 8_000;
const BUFFER_BYTES = 64_000_000;
const STEP_MS = 100;

let scene: Scene;
let boxes: WebSocketServer;

beforeAll(async () => {
  scene = await Scene.start({ shard: { WEIR_TICK_MS: '50' } });
  boxes = await middlebox();
});

afterAll(async () => {
  for (const client of boxes.clients) client.terminate();
  boxes.close();
  await scene.stop();
});

/**
 * Speaks WebSocket on both sides: `ws` answers the shard's pings at once, whether or not the client has got its data,
 * which queues here. The middlebox keeps the shard's request path.
 */
async function middlebox(): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (near, request) => {
    const far = new WebSocket(`${scene.shard.url}${request.url}`, ['weir.v1']);
    const waiting: string[] = [];
    let waitingBytes = 0;
    let allowance = 0;
    far.on('message', (data) => {
      const text = String(data);
      waiting.push(text);
      waitingBytes += text.length;
      if (waitingBytes > BUFFER_BYTES) far.pause();
    });
    const timer = setInterval(() => {
      allowance = Math.min(BYTES_PER_SECOND, allowance + (BYTES_PER_SECOND * STEP_MS) / 1_000);
      for (let next = waiting[0]; next !== undefined && allowance > 0; next = waiting[0]) {
        waiting.shift();
        waitingBytes -= next.length;
        allowance -= next.length;
        near.send(next);
      }
      if (waitingBytes <= BUFFER_BYTES) far.resume();
    }, STEP_MS);
    far.on('error', () => undefined);
    near.on('close', () => {
      clearInterval(timer);
      far.terminate();
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}

it(
  'hides slow clients, and costs the shard nothing (case C4)',
  async () => {
    const port = (server: WebSocketServer): number => (server.address() as AddressInfo).port;
    const hidden = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const url = new URL(await scene.url());
        url.port = String(port(boxes));
        return BareClient.open(url.href);
      }),
    );
    const healthy = await scene.clients(HEALTHY);
    await until(() => hidden.every((client) => client.of('position').length > 0), 'all are served');
    const pad = 'x'.repeat(2_000);
    const before = await scene.numbers();
    const feed = scene.every(50, () => {
      scene.nats.publish('weir.state.lobby.clock', `{"atMs":${performance.now()},"pad":"${pad}"}`);
    });
    await elapsed((SECONDS * 1_000) / 2);
    const halfTimeMb = await residentMb(scene.shard);
    let mostBacklogBytes = 0;
    for (let second = 0; second < SECONDS / 2; second++) {
      await elapsed(1_000);
      const backlogBytes = (await scene.numbers()).of('weir_shard_backlog_bytes');
      mostBacklogBytes = Math.max(mostBacklogBytes, backlogBytes);
    }
    const after = await scene.numbers();
    const [first] = hidden;
    const [near] = healthy;
    if (first === undefined || near === undefined) throw new Error('there are no clients');
    const ageMs = ageOf(first);
    const healthyAgeMs = ageOf(near);
    const grownMb = (await residentMb(scene.shard)) - halfTimeMb;
    seen('C4', { 'grown MB': grownMb, 'hidden age ms': ageMs, 'healthy age ms': healthyAgeMs });
    feed.stop();

    // As the page says: Weir sees nothing wrong ...
    expect(after.of('weir_shard_congestions_total')).toBe(before.of('weir_shard_congestions_total'));
    expect(mostBacklogBytes).toBeLessThan((CLIENTS + HEALTHY) * 131_072);
    // ... while the client's data is old, unlike a healthy client's.
    expect(ageMs).toBeGreaterThan(1_000);
    expect(ageMs).toBeGreaterThan(3 * healthyAgeMs);
    // A young process grows by itself.
    expect(grownMb).toBeLessThan(scale(60, 10));
    const page = await readFile(new URL('../../../docs/slow-clients.md', import.meta.url), 'utf8');
    expect(page).toMatch(/middlebox/i);
    for (const { ws } of hidden) ws.terminate();
    await comesToRest(scene.shard, HEALTHY);
    expectSound(scene.cluster.running);
  },
  scale(60_000, 600_000),
);

/** Age of a client's newest state. */
function ageOf(client: BareClient): number {
  const { atMs } = JSON.parse(client.state.get('clock') ?? '{}');
  return performance.now() - Number(atMs);
}
