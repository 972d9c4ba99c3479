// Case D2: whatever permessage-deflate offer a client makes, the shard declines it or keeps exactly to it.
import { constants, inflateRawSync } from 'node:zlib';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRouter } from '../../harness/bare-client.ts';
import type { RawFrame } from '../../harness/raw-client.ts';
import { opcodes, RawClient, usualHeaders } from '../../harness/raw-client.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const RSV1 = 0x40;
const REPEATED = JSON.stringify('the same, and again the same. '.repeat(500));

let cluster: SmallCluster;
let nats: NatsConnection;
let turn = 0;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  await cluster.shard('mobile', 'mobile-1', { WEIR_TICK_MS: '50' });
  nats = await connectNats({ servers: cluster.nats.url });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

/** The text that a client reads if it has agreed to compression: each message has a fresh context. */
function textOf({ firstByte, payload }: RawFrame, agreed: boolean): string {
  expect((firstByte & RSV1) !== 0).toBe(agreed);
  if (!agreed) return payload.toString();
  const tail = Buffer.from([0, 0, 0xff, 0xff]);
  return inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

describe('permessage-deflate', () => {
  it.each([
    [['permessage-deflate'], true],
    [['permessage-deflate; client_max_window_bits'], true],
    [['permessage-deflate; client_max_window_bits=9'], true],
    [['permessage-deflate; server_no_context_takeover'], true],
    [['permessage-deflate; client_no_context_takeover; server_no_context_takeover'], true],
    [['permessage-deflate; server_max_window_bits=8'], false],
    [['permessage-deflate; server_max_window_bits=9; client_max_window_bits'], false],
    [['permessage-deflate; server_max_window_bits=10'], false],
    [['permessage-deflate; server_max_window_bits=15; client_max_window_bits=15'], false],
    [['permessage-deflate; server_max_window_bits=10, permessage-deflate'], false],
    [['x-webkit-deflate-frame', 'permessage-deflate'], true],
    [['x-webkit-deflate-frame'], false],
    [[], false],
  ])('is used as agreed for the offer %j (agreed: %s)', async (offers, agreed) => {
    const channel = `deflate-${turn++}`;
    const redirect = await askRouter(`${cluster.routerUrl}/v1/connect?channels=${channel}&class=mobile`);
    const extensions = offers.map((offer) => `Sec-WebSocket-Extensions: ${offer}`);
    const client = new RawClient(String(redirect['url']), { headers: [...usualHeaders, ...extensions] });
    await until(() => client.head !== '', 'the answer');
    expect(client.status).toBe(101);
    const answer = client.header('sec-websocket-extensions');
    if (agreed) {
      expect(answer).toContain('server_no_context_takeover');
      expect(answer).toContain('client_no_context_takeover');
    } else expect(answer).toBeUndefined();
    const texts = (): readonly string[] =>
      client.frames
        .filter(({ opcode }) => opcode === opcodes.text)
        .map((frame) => textOf(frame, agreed))
        .filter((text) => text.includes('"critical"'));
    await until(() => client.frames.length > 1, 'it is served');
    for (let i = 0; i < 3; i++) nats.publish(`weir.critical.${channel}`, REPEATED);
    nats.publish(`weir.critical.${channel}`, '"short"');
    await until(() => texts().length === 4, 'all messages');
    expect(texts().map((text) => JSON.stringify(JSON.parse(text).data))).toEqual([
      REPEATED,
      REPEATED,
      REPEATED,
      '"short"',
    ]);
    expect(client.closeCode).toBeUndefined();
    client.socket.destroy();
  });
});
