// Sockets that never become clients, at the router and at the shard: bounded, counted, disconnected, and harmless.

import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askRouter } from '../../harness/bare-client.ts';
import { useBystanders } from '../../harness/bystanders.ts';
import { end } from '../../harness/end.ts';
import { comesToRest, Numbers } from '../../harness/numbers.ts';
import { openFiles } from '../../harness/open-files.ts';
import { useScene } from '../../harness/scene.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { until } from '../../harness/small-cluster.ts';

const HEALTHY = 20;
const MANY = 1_000;
/** The router's setting; the shard has 10 s. */
const HEADERS_TIMEOUT_MS = 2_000;

let filesBefore: readonly number[];
const sockets: Socket[] = [];

const scene = useScene({
  shard: { WEIR_TICK_MS: '50', WEIR_PING_MS: '200' },
  router: {
    WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: '5',
    WEIR_CONNECT_BURST_PER_ADDRESS: '20',
    WEIR_HEADERS_TIMEOUT_MS: String(HEADERS_TIMEOUT_MS),
    WEIR_MAX_SOCKETS: '100',
    WEIR_MAX_PENDING: '100',
  },
});
const services = (): readonly Service[] => [scene.cluster.router, scene.shard];

// Hooks run from last to first: sockets close, the bystanders get their last message, then no socket may be left.
afterEach(nothingIsLeft);
useBystanders(scene, HEALTHY);
beforeEach(() => {
  filesBefore = services().map(openFiles);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function nothingIsLeft(): Promise<void> {
  await until(
    () => services().every((service, i) => openFiles(service) <= (filesBefore[i] ?? 0) + 2),
    'no socket is left open',
  );
  await until(async () => {
    const router = await Numbers.of(scene.cluster.router);
    return router.of('weir_router_pending_clients') + router.of('weir_router_open_sockets') === 0;
  }, 'the router counts nobody');
  await comesToRest(scene.shard, HEALTHY);
  for (const { process } of services()) expect(process.exitCode).toBeNull();
}

/** A bare socket that may send nothing; `text` returns the answer. */
function dial(
  { url }: { readonly url: string },
  first: string | Buffer = '',
): { socket: Socket; text: () => string } {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (more) => {
    text += more;
  });
  socket.on('error', () => undefined);
  if (first.length > 0) socket.write(first);
  sockets.push(socket);
  return { socket, text: () => text };
}

async function faultsOf(service: Service, reason: string): Promise<number> {
  const numbers = await Numbers.of(service);
  return numbers.of(`weir_${service.name}_connection_faults_total{reason="${reason}"}`);
}
const faults = (reason: string): Promise<number> => faultsOf(scene.cluster.router, reason);

const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');
const REQUEST = 'GET /v1/connect?channels=lobby HTTP/1.1\r\nHost: localhost\r\n';

describe('at the router', () => {
  it('a request that comes a byte at a time is answered 408 within the limit, and counted', async () => {
    const before = await faults('timeout');
    const slow = Array.from({ length: 20 }, () => dial(scene.cluster.router));
    let at = 0;
    const drip = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write(REQUEST.charAt(at % REQUEST.length));
      at++;
    }, 200);
    await until(() => slow.every(({ socket }) => socket.closed), 'all are let go of').finally(() =>
      clearInterval(drip),
    );
    for (const { text } of slow) expect(text()).toContain('408');
    expect(await faults('timeout')).toBe(before + slow.length);
  });

  it('silent sockets are disconnected within the limit, and counted', async () => {
    const before = await faults('timeout');
    const silent = Array.from({ length: 50 }, () => dial(scene.cluster.router));
    await until(() => silent.every(({ socket }) => socket.closed), 'all are let go of');
    expect(await faults('timeout')).toBe(before + silent.length);
  });

  it('endless headers are answered 431, and counted', async () => {
    const before = await faults('headersTooLarge');
    const bomb = dial(scene.cluster.router, `${REQUEST}${'X-Filler: x\r\n'.repeat(3_000)}`);
    const large = dial(scene.cluster.router, `${REQUEST}X-Large: ${'x'.repeat(40_000)}`);
    await until(() => bomb.socket.closed && large.socket.closed, 'both are let go of');
    for (const { text } of [bomb, large]) expect(text()).toContain('431');
    expect(await faults('headersTooLarge')).toBe(before + 2);
  });

  it('requests of one address beyond its rate are answered 429, and counted', async () => {
    const refused = async (): Promise<number> =>
      (await Numbers.of(scene.cluster.router)).of('weir_router_refusals_total{reason="rate"}');
    const before = await refused();
    let answers = 0;
    for (let batch = 0; batch < 20; batch++) {
      const some = Array.from({ length: 50 }, () => dial(scene.cluster.router, `${REQUEST}${UPGRADE}`));
      await until(() => some.every(({ text }) => /^HTTP\/1.1 (101|429) /.test(text())), 'all are answered');
      answers += some.filter(({ text }) => text().startsWith('HTTP/1.1 429')).length;
      for (const { socket } of some) socket.destroy();
    }
    expect(answers).toBeGreaterThan(MANY / 2);
    expect(await refused()).toBe(before + answers);
    // The address recovers: the limit is an average rate.
    await until(
      () => askRouter(`${scene.cluster.routerUrl}/v1/connect?channels=lobby`).then(Boolean, () => false),
      'it gets in again',
    );
  });

  it('a thousand silent sockets from one address are bounded, and later clients can connect', async () => {
    const before = await faults('tooMany');
    const many = Array.from({ length: MANY }, () => dial(scene.cluster.router));
    await until(async () => (await faults('tooMany')) > before, 'some are dropped');
    expect((await Numbers.of(scene.cluster.router)).of('weir_router_open_sockets')).toBeLessThan(MANY / 2);
    await until(() => many.every(({ socket }) => socket.closed), 'all are let go of');
    expect((await askRouter(`${scene.cluster.routerUrl}/v1/connect?channels=lobby`))['pool']).toBe('desktop');
  });
});

describe('at the shard', () => {
  it('endless headers are answered 431, and counted', async () => {
    const before = await faultsOf(scene.shard, 'headersTooLarge');
    const request = 'GET /v1/stream?ticket=x HTTP/1.1\r\nHost: localhost\r\n';
    const bomb = dial(scene.shard, `${request}${'X-Filler: x\r\n'.repeat(3_000)}`);
    const large = dial(scene.shard, `${request}X-Large: ${'x'.repeat(40_000)}`);
    await until(() => bomb.socket.closed && large.socket.closed, 'both are let go of');
    for (const { text } of [bomb, large]) expect(text()).toContain('431');
    expect(await faultsOf(scene.shard, 'headersTooLarge')).toBe(before + 2);
  });

  it('silent sockets, and sockets that send a byte at a time, are answered 408 within the limit, and counted', async () => {
    const before = await faultsOf(scene.shard, 'timeout');
    const silent = Array.from({ length: 50 }, () => dial(scene.shard));
    const slow = Array.from({ length: 50 }, () => dial(scene.shard));
    let at = 0;
    const drip = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write(REQUEST.charAt(at));
      at++;
    }, 300);
    const all = [...silent, ...slow];
    await until(() => all.every(({ socket }) => socket.closed), 'all are let go of', 30_000).finally(() =>
      clearInterval(drip),
    );
    for (const { text } of all) expect(text()).toContain('408');
    expect(await faultsOf(scene.shard, 'timeout')).toBe(before + all.length);
  });

  it("a thousand silent sockets are bounded by the shard's limit, and disconnected", async () => {
    const small = await scene.cluster.shard('mobile', 'small', {
      WEIR_CAPACITY: '50',
      WEIR_MAX_PENDING: '50',
      WEIR_THREADS: '2',
    });
    const many = Array.from({ length: MANY }, () => dial(small));
    // Each thread may be counting one that it is about to cut off.
    const most = 50 + 50 + 256 + 2;
    await until(async () => (await faultsOf(small, 'tooMany')) > 0, 'some are cut off');
    expect((await Numbers.of(small)).of('weir_shard_open_sockets')).toBeLessThanOrEqual(most);
    for (const { socket } of many) socket.destroy();
    await until(async () => (await Numbers.of(small)).of('weir_shard_open_sockets') === 0, 'none is left');
    const late = dial(small, `GET /v1/stream?ticket=x.y.z HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}`);
    await until(() => late.text().startsWith('HTTP/1.1 101'), 'whoever comes later is heard');
    await end(small.process, 'SIGKILL');
  });

  it('a thousand upgrades with a malformed ticket are each answered and counted', async () => {
    const before = (await scene.numbers()).of('weir_shard_admissions_total{outcome="forged"}');
    const upgrade = `GET /v1/stream?ticket=x.y.z HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}`;
    const many = Array.from({ length: MANY }, () => dial(scene.shard, upgrade));
    // 4500: not authorised.
    await until(() => many.every(({ text }) => text().includes('\x11\x94')), 'all are told');
    expect((await scene.numbers()).of('weir_shard_admissions_total{outcome="forged"}')).toBe(before + MANY);
    await until(() => many.every(({ socket }) => socket.closed), 'all are let go of');
  });

  it('a thousand silent sockets, and a thousand that stop in the middle, block no client', async () => {
    for (let i = 0; i < MANY; i++) dial(scene.shard, i % 2 === 0 ? '' : 'GET /v1/stream?tick');
    const late = await scene.client();
    late.ws.terminate();
  });
});
