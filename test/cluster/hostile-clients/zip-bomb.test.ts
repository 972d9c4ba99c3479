// Case G10: small compressed messages that inflate to a large size, whole and in fragments.
import { readFileSync } from 'node:fs';
import { constants, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BareClient } from '../../harness/bare-client.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { expectSound, residentMb } from '../../harness/oracle.ts';
import type { RawClient } from '../../harness/raw-client.ts';
import { clientFrame, opcodes, usualHeaders } from '../../harness/raw-client.ts';
import { scale, seen } from '../../harness/scale.ts';
import { Scene } from '../../harness/scene.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { until } from '../../harness/small-cluster.ts';

const RSV1 = 0x40;
const HEALTHY = 20;
const EXTENSION = 'Sec-WebSocket-Extensions: permessage-deflate';
const WARM_UP_ROUNDS = scale(2, 50);
const ROUNDS = scale(4, 50);
const PIECE_BYTES = 500;

let scene: Scene;
let healthy: readonly BareClient[];

beforeAll(async () => {
  scene = await Scene.start({ pool: 'mobile', shard: { WEIR_TICK_MS: '50' } });
  healthy = await scene.clients(HEALTHY);
});

afterAll(() => scene.stop());

/** A JSON message of so many spaces, deflated, without the tail that the wire omits. */
function deflated(inflatedBytes: number): Buffer {
  const bytes = Buffer.alloc(inflatedBytes, ' ');
  bytes.write('{"type":"subscribe","channels":["other"');
  bytes.write(']}', inflatedBytes - 2);
  return deflateRawSync(bytes, { level: 9, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

const bombs = [
  // Within the limit for a compressed message: 4 KB that inflate to 4 MB.
  deflated(3_900_000),
  // Deflate shrinks at most a thousandfold: 10 KB for 10 MB and 50 KB for 50 MB.
  deflated(10_000_000),
  deflated(50_000_000),
];

function whole(client: RawClient, bomb: Buffer): void {
  client.send(opcodes.text | RSV1, bomb);
}

function inPieces(client: RawClient, bomb: Buffer): void {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bomb.length; at += PIECE_BYTES) {
    const opcode = at === 0 ? opcodes.text | RSV1 : opcodes.continuation;
    const isLast = at + PIECE_BYTES >= bomb.length;
    pieces.push(clientFrame(opcode, bomb.subarray(at, at + PIECE_BYTES), isLast));
  }
  client.socket.write(Buffer.concat(pieces));
}

async function explode(): Promise<void> {
  for (const bomb of bombs) {
    for (const send of [whole, inPieces]) {
      const client = await scene.raw({
        headers: [...usualHeaders, EXTENSION],
      });
      expect(client.header('sec-websocket-extensions')).toContain('permessage-deflate');
      send(client, bomb);
      await until(() => client.closeCode !== undefined || client.gone, 'it is closed');
      // Many fragments together are also a flood; which fault the shard sees first depends on their arrival.
      expect(send === inPieces ? [1009, 4029] : [1009]).toContain(client.closeCode);
      client.socket.destroy();
    }
  }
}

/** The same number of clients without a bomb. */
async function comeAndGo(): Promise<void> {
  for (let i = 0; i < 2 * bombs.length; i++) {
    const client = await scene.raw({ headers: [...usualHeaders, EXTENSION] });
    client.socket.destroy();
    await until(() => client.gone, 'it has gone');
  }
}

/** The peak memory of a process. */
function peakMb({ process }: Service): number {
  const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

it(
  'close the connection, cost no memory, and cost other clients no message (case G10)',
  async () => {
    expect(bombs.map(({ length }) => Math.ceil(length / 1_000))).toEqual([4, 10, 49]);
    const feed = scene.every(20, (n) => scene.nats.publish('weir.critical.lobby', String(n)));
    // Memory that the process takes once, for its first inflations.
    for (let i = 0; i < WARM_UP_ROUNDS; i++) await explode();
    const peak = peakMb(scene.shard);
    await explode();
    const peakGrown = peakMb(scene.shard) - peak;
    // Inflating 50 MB, even for a moment, would show in the peak.
    expect(peakGrown).toBeLessThan(scale(25, 5));
    const before = await residentMb(scene.shard);
    for (let i = 0; i < ROUNDS; i++) await comeAndGo();
    const grownByVisits = (await residentMb(scene.shard)) - before;
    for (let i = 0; i < ROUNDS; i++) await explode();
    const grown = (await residentMb(scene.shard)) - before - grownByVisits;
    seen('G10', { 'peak MB': peakGrown, 'visits MB': grownByVisits, 'bombs MB': grown });
    // A young process grows with every visit, with or without a bomb (tried: flat after two thousand visits).
    expect(grown).toBeLessThan(scale(60, 25));
    feed.stop();
    await until(
      () => healthy.every((client) => client.of('critical').at(-1)?.message['data'] === feed.count - 1),
      'the others have the last message',
    );
    for (const client of healthy) {
      expect(client.of('critical').map(({ message }) => message['data'])).toEqual(
        Array.from({ length: feed.count }, (_, n) => n),
      );
    }
    await comesToRest(scene.shard, HEALTHY);
    expectSound(scene.cluster.running);
  },
  scale(60_000, 600_000),
);
