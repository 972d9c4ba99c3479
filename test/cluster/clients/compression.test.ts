// permessage-deflate with real processes: a message is compressed once for all clients, and no zip bomb works.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { askRouter } from '../../harness/bare-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let shard: Service;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('mobile', 'mobile-1', { WEIR_TICK_MS: '50' });
  nats = await connectNats({ servers: cluster.nats.url });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

interface Listener {
  readonly ws: WebSocket;
  readonly texts: string[];
}

async function listen(perMessageDeflate: boolean): Promise<Listener> {
  const redirect = await askRouter(`${cluster.routerUrl}/v1/connect?channels=lobby&class=mobile`);
  const ws = new WebSocket(String(redirect['url']), ['weir.v1'], { perMessageDeflate });
  const texts: string[] = [];
  ws.on('message', (data) => texts.push(String(data)));
  ws.on('error', () => undefined);
  await until(() => texts.some((text) => text.includes('"type":"state"')), 'a snapshot');
  return { ws, texts };
}

const about = (texts: readonly string[], type: string): readonly string[] =>
  texts.filter((text) => text.startsWith(`{"type":"${type}"`));

describe('a pool that compresses', () => {
  it('sends the same to clients with and without compression, and compresses once for all', async () => {
    const plain = await listen(false);
    const compressed = await Promise.all(Array.from({ length: 20 }, () => listen(true)));
    expect(plain.ws.extensions).toBe('');
    for (const { ws } of compressed) expect(ws.extensions).toContain('permessage-deflate');
    const before = await metric(shard, 'weir_shard_compressed_in_bytes_total');
    const table = JSON.stringify({
      players: Array.from({ length: 100 }, (_, seat) => ({ seat, open: true })),
    });
    nats.publish('weir.state.lobby.table-1', table);
    nats.publish('weir.critical.lobby', '{"hit":1}');
    nats.publish('weir.cosmetic.lobby', '"confetti"');
    const all = [plain, ...compressed];
    for (const type of ['critical', 'cosmetic']) {
      await until(() => all.every(({ texts }) => about(texts, type).length === 1), type);
    }
    await until(() => all.every(({ texts }) => texts.some((text) => text.includes('table-1'))), 'the table');
    for (const { texts } of compressed) {
      for (const type of ['critical', 'cosmetic', 'state']) {
        expect(about(texts, type).at(-1)).toBe(about(plain.texts, type).at(-1));
      }
    }
    // 20 clients, but the compressor read less than twice the bytes of one.
    const bytes = (await metric(shard, 'weir_shard_compressed_in_bytes_total')) - before;
    expect(bytes).toBeGreaterThan(table.length);
    expect(bytes).toBeLessThan(2 * table.length);
    for (const { ws } of all) ws.close();
  });

  it('closes only the client whose small message inflates beyond the limit', async () => {
    const [bomber, other] = [await listen(true), await listen(true)];
    const closed = new Promise((resolve) => bomber.ws.once('close', resolve));
    bomber.ws.send(`{"type":"subscribe","channels":["${'a'.repeat(1_000_000)}"]}`);
    expect(await closed).toBe(1009);
    nats.publish('weir.critical.lobby', '{"still":"here"}');
    await until(() => other.texts.some((text) => text.includes('still')), 'the other is served');
    other.ws.close();
  });
});
