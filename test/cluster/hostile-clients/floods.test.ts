// Clients that send as fast as they can and read nothing, at the shard and at the router: closed, no longer parsed,
// disconnected within the bound and counted, while other clients connect and are served.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { askRouter } from '../../harness/bare-client.ts';
import { useBystanders } from '../../harness/bystanders.ts';
import { Numbers } from '../../harness/numbers.ts';
import { expectOneCause } from '../../harness/one-cause.ts';
import { clientFrame, opcodes, RawClient } from '../../harness/raw-client.ts';
import { useScene } from '../../harness/scene.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const FLOODERS = 25;
const HEALTHY = 10;
const FAULT_CLOSE_MS = 1_000;
/** With time for a busy machine. */
const GONE_WITHIN_MS = FAULT_CLOSE_MS + 4_000;
const MAX_BYTES_EACH = 2_097_152;

const begun = clientFrame(opcodes.text, '{', false);
const FLOODS = [
  { of: 'messages that are not understood', frame: clientFrame(opcodes.text, '{}') },
  { of: 'empty fragments', first: begun, frame: clientFrame(opcodes.continuation, '', false) },
  { of: 'messages without a mask', frame: Buffer.from([0x81, 2, 0x7b, 0x7d]) },
  { of: 'pings', frame: clientFrame(opcodes.ping) },
  { of: 'pongs', frame: clientFrame(opcodes.pong) },
  {
    of: 'frames after a Close',
    first: clientFrame(opcodes.close, Buffer.from([3, 232])),
    frame: clientFrame(opcodes.text, '{}'),
  },
];

const flooders: RawClient[] = [];
const faultClose = { WEIR_FAULT_CLOSE_MS: String(FAULT_CLOSE_MS) };
const scene = useScene({
  // A message byte by byte has no place for a pong, and takes long on a busy machine.
  shard: { WEIR_TICK_MS: '50', WEIR_PING_MS: '200', WEIR_LAG_MS: '60000', ...faultClose },
  router: faultClose,
});
useBystanders(scene, HEALTHY);
afterEach(() => {
  for (const { socket } of flooders.splice(0)) socket.destroy();
});

const memoryOf = ({ process }: Service): number =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1]);

/** Fills the socket's buffers again and again, and reads nothing. */
function flood(client: RawClient, first: Buffer, frame: Buffer): void {
  const { socket } = client;
  const burst = Buffer.concat(Array.from({ length: Math.ceil(65_536 / frame.length) }, () => frame));
  const pump = (): void => {
    while (socket.writable && socket.write(burst));
  };
  socket.write(first);
  socket.on('drain', pump);
  pump();
}

/** Waits until the service holds none of them; the clients' own sockets do not count. */
async function allGone(service: Service, open: string, others: number): Promise<number> {
  const startedMs = performance.now();
  await until(async () => (await Numbers.of(service)).of(open) === others, 'the service holds none of them');
  await expectOneCause([service]);
  return performance.now() - startedMs;
}

describe.each(FLOODS)(`${FLOODERS} clients that flood with $of`, ({ first = Buffer.alloc(0), frame }) => {
  it('cost a shard little, and are disconnected within the bound', async () => {
    for (let i = 0; i < FLOODERS; i++) flooders.push(await scene.raw());
    const bytesBefore = memoryOf(scene.shard);
    for (const client of flooders) flood(client, first, frame);
    expect(await allGone(scene.shard, 'weir_shard_connections', HEALTHY)).toBeLessThan(GONE_WITHIN_MS);
    expect(memoryOf(scene.shard) - bytesBefore).toBeLessThan(FLOODERS * MAX_BYTES_EACH);
  });

  it('block no client from a router, and are disconnected within the bound', async () => {
    const { router } = scene.cluster;
    const bytesBefore = memoryOf(router);
    for (let i = 0; i < FLOODERS; i++) {
      const client = new RawClient(`${router.url}/v1/connect?channels=lobby`, { answers: () => false });
      flooders.push(client);
      flood(client, first, frame);
    }
    await until(() => flooders.every(({ head }) => head !== ''), 'all are upgraded');
    const newcomers = Array.from({ length: 10 }, async (_, i) => {
      await elapsed(i * 50);
      return askRouter(`${router.url}/v1/connect?channels=lobby`);
    });
    const open = 'weir_router_open_sockets';
    const goneMs = allGone(router, open, 0);
    expect((await Promise.all(newcomers)).map(({ type }) => type)).toEqual(newcomers.map(() => 'redirect'));
    expect(await goneMs).toBeLessThan(GONE_WITHIN_MS);
    expect(memoryOf(router) - bytesBefore).toBeLessThan(FLOODERS * MAX_BYTES_EACH);
  });
});

it('a client that sends a message byte by byte is closed with 4029', async () => {
  const client = await scene.raw();
  flooders.push(client);
  client.socket.setNoDelay(true);
  const bytes = clientFrame(opcodes.text, 'x'.repeat(4_000));
  for (let at = 0; client.closeCode === undefined && at < bytes.length; at++) {
    client.socket.write(bytes.subarray(at, at + 1));
    // Without a pause the kernel would join the bytes.
    await elapsed(1);
  }
  await until(() => client.closeCode !== undefined, 'it is told');
  expect(client.closeCode).toBe(4029);
});
