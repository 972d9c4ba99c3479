// A process with few file descriptors: clients up to its limit fit, the rest is refused and counted, health and metrics
// answer, and no stream is cut. And half requests: they block no client, and not the admin port.
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BareClient } from '../../harness/bare-client.ts';
import { askRouter } from '../../harness/bare-client.ts';
import { Numbers } from '../../harness/numbers.ts';
import { Scene } from '../../harness/scene.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { until } from '../../harness/small-cluster.ts';

const OPEN_FILES = '250';
const MANY = 450;
const HALF = 'GET /livez HTTP/1.1\r\nHost: x\r\n';

let scene: Scene;
let publisher: Service;
const sockets: Socket[] = [];

beforeAll(async () => {
  scene = await Scene.start({ shard: { OPEN_FILES, WEIR_LOG_LEVEL: 'warn' }, router: { OPEN_FILES } });
  publisher = await scene.cluster.publisher({ OPEN_FILES });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await scene.leave();
});
afterAll(() => scene.stop());

function dial(url: string, first = ''): void {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  if (first !== '') socket.write(first);
  sockets.push(socket);
}

const healthOf = async ({ admin }: Service): Promise<readonly number[]> =>
  Promise.all(['/livez', '/metrics'].map(async (path) => (await fetch(admin + path)).status));

describe(`with a limit of ${OPEN_FILES} open files and ${MANY} clients`, () => {
  it('a shard serves clients up to its limit, refuses and counts the others, and answers health checks', async () => {
    const clients: BareClient[] = [];
    for (let i = 0; i < MANY; i++) clients.push(await scene.visitor());
    await until(
      () => clients.every((client) => client.of('welcome').length > 0 || client.ws.readyState > 1),
      'each is in or out',
    );
    expect(await healthOf(scene.shard)).toEqual([200, 200]);
    const numbers = await scene.numbers();
    const served = clients.filter((client) => client.of('welcome').length > 0 && client.closed === undefined);
    expect(served.length).toBe(numbers.of('weir_shard_connections'));
    expect(served.length).toBeGreaterThan(40);
    const full = numbers.of('weir_shard_admissions_total{outcome="full"}');
    const refused = numbers.of('weir_shard_connection_faults_total{reason="tooMany"}');
    expect(served.length + full + refused).toBe(MANY);
    expect(numbers.of('process_open_fds')).toBeLessThan(Number(OPEN_FILES));
    expect(scene.shard.log.join('\n')).toContain('the limit of open files lowers these settings');
  });

  it.each(['router', 'publisher'] as const)('a %s answers health checks', async (name) => {
    const service = name === 'router' ? scene.cluster.router : publisher;
    for (let i = 0; i < MANY; i++) dial(service.url);
    await until(() => sockets.some(({ destroyed }) => destroyed), 'some are refused');
    expect(await healthOf(service)).toEqual([200, 200]);
    expect((await Numbers.of(service)).of('process_open_fds')).toBeLessThan(Number(OPEN_FILES));
  });
});

describe('half requests', () => {
  it('do not block health checks at the admin port of any service', async () => {
    for (const service of [scene.shard, scene.cluster.router, publisher]) {
      for (let i = 0; i < 200; i++) dial(service.admin, HALF);
      expect(await healthOf(service)).toEqual([200, 200]);
    }
  });

  it('do not block clients from a shard, a router or a publisher that is full of them', async () => {
    const half = 'GET /v1/stream HTTP/1.1\r\nHost: x\r\n';
    for (const service of [scene.shard, scene.cluster.router, publisher])
      for (let i = 0; i < 300; i++) dial(service.url, half);
    const client = await scene.client();
    expect(client.of('welcome')).toHaveLength(1);
    const router = `${scene.cluster.routerUrl}/v1/connect?channels=lobby`;
    // The last beat of the shard may still say that it is full: the router answers 4013 until the next beat.
    await until(
      async () => (await askRouter(router).catch(() => undefined))?.['type'] === 'redirect',
      'the router redirects',
    );
    expect((await fetch(`${publisher.url}/v1/nothing`)).status).toBe(404);
  });
});
