// Messages from clients to a shard are bounded in rate and size, and a client beyond the bounds costs others nothing.
import { afterEach, describe, expect, it } from 'vitest';
import { useBystanders } from '../../harness/bystanders.ts';
import { comesToRest } from '../../harness/numbers.ts';
import type { RawClient } from '../../harness/raw-client.ts';
import { clientFrame, opcodes } from '../../harness/raw-client.ts';
import { useScene } from '../../harness/scene.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const HEALTHY = 20;
const SUBSCRIBE = '{"type":"subscribe","channels":["other"]}';
/** Frames that a flood sends every 10 ms. */
const FRAMES = 200;

const scene = useScene({
  // Shortens the waits of these tests: pongs that prove arrival, and the end of a client that broke the rules.
  shard: { WEIR_TICK_MS: '50', WEIR_PING_MS: '200', WEIR_FAULT_CLOSE_MS: '1000' },
});
// Runs after the test's own clients have gone, and before the bystanders go.
afterEach(async () => {
  await comesToRest(scene.shard, HEALTHY);
});
useBystanders(scene, HEALTHY);

const closes = async (cause: string): Promise<number> => (await scene.numbers()).closes(cause);

/** Repeats a frame until the socket closes; an answer does not stop it. */
function flood(client: RawClient, frame: Buffer): void {
  const burst = Buffer.concat(Array.from({ length: FRAMES }, () => frame));
  const timer = setInterval(() => {
    if (client.socket.writable) client.socket.write(burst);
    else clearInterval(timer);
  }, 10);
}

describe('a client that floods', () => {
  it('with messages or pings is closed with 4029 and cut, even if it does not read; ten together, too', async () => {
    const before = await closes('tooManyMessages');
    const clients = await Promise.all(Array.from({ length: 10 }, () => scene.raw()));
    for (const [i, client] of clients.entries())
      flood(client, i % 2 === 0 ? clientFrame(opcodes.text, SUBSCRIBE) : clientFrame(opcodes.ping, 'mine'));
    await until(() => clients.every(({ closeCode }) => closeCode !== undefined), 'all are closed');
    expect(clients.map(({ closeCode }) => closeCode)).toEqual(clients.map(() => 4029));
    expect(await closes('tooManyMessages')).toBe(before + clients.length);
    await until(() => clients.every(({ gone }) => gone), 'all are cut');
  });

  it('with fragments of an endless message is closed', async () => {
    const client = await scene.raw();
    client.send(opcodes.text, '{', false);
    flood(client, clientFrame(opcodes.continuation, '', false));
    await until(() => client.closeCode !== undefined, 'it is closed');
    expect([1008, 1009, 4029]).toContain(client.closeCode);
    await until(() => client.gone, 'it is cut');
  });

  it('with unsolicited pongs harms no one', async () => {
    const foreign = async (): Promise<number> => (await scene.numbers()).of('weir_shard_pongs_foreign_total');
    const before = await foreign();
    const client = await scene.raw();
    flood(client, clientFrame(opcodes.pong, 'x'.repeat(12)));
    await until(
      async () => client.closeCode === 4029 || (await foreign()) > before + 100 * FRAMES,
      'they are counted, or it is closed',
    );
    client.socket.destroy();
    await until(() => client.gone, 'it goes');
  });
});

describe('a client at its message limit', () => {
  it('is answered and stays', async () => {
    const client = await scene.raw();
    for (let i = 0; i < 20; i++) {
      client.send(opcodes.text, '{"type":"subscribe","channels":["a b"]}');
      client.send(opcodes.ping, String(i));
    }
    await until(() => client.of('error').length === 20, 'it is answered');
    await until(
      () => client.frames.filter(({ opcode }) => opcode === opcodes.pong).length === 20,
      'its pings are answered',
    );
    expect(client.closeCode).toBeUndefined();
    client.socket.destroy();
  });
});

describe('a message that is too large', () => {
  it('closes with 1009, whole or in pieces', async () => {
    const whole = await scene.raw();
    whole.send(opcodes.text, `"${'x'.repeat(5_000)}"`);
    const pieces = await scene.raw();
    pieces.send(opcodes.text, `"${'x'.repeat(2_000)}`, false);
    pieces.send(opcodes.continuation, 'x'.repeat(2_000), false);
    pieces.send(opcodes.continuation, 'x'.repeat(2_000), false);
    await until(() => whole.closeCode !== undefined && pieces.closeCode !== undefined, 'both are closed');
    expect([whole.closeCode, pieces.closeCode]).toEqual([1009, 1009]);
  });

  it('is not waited for: one byte costs a frame, not the memory that the header claims', async () => {
    const client = await scene.raw();
    // Claims 4 KB, which is allowed, and sends only the first byte.
    client.socket.write(clientFrame(opcodes.text, 'x'.repeat(4_000)).subarray(0, 9));
    await elapsed(500);
    expect(client.closeCode).toBeUndefined();
    client.socket.destroy();
  });
});
