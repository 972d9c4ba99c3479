// The messages of a real router and shard are as docs/asyncapi.yaml describes them.
import { readFile } from 'node:fs/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BareClient } from '../../harness/bare-client.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const asyncapi = parse(await readFile(new URL('../../../docs/asyncapi.yaml', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ strict: false });
ajv.addSchema(asyncapi, 'asyncapi.yaml');

let cluster: SmallCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  await cluster.shard('desktop', 'desktop-1', { WEIR_DRAIN_GRACE_MS: '0', WEIR_DRAIN_WINDOW_MS: '200' });
  nats = await connect({ servers: cluster.nats.url });
});
afterAll(async () => {
  await nats?.close();
  await cluster?.stop();
});

/** Violations of a message against its description. */
function problems(message: Readonly<Record<string, unknown>>): unknown {
  const type = String(message['type']);
  const schema = { $ref: `asyncapi.yaml#/components/messages/${type}/payload` };
  return ajv.validate(schema, message) ? undefined : { message, errors: ajv.errors };
}

it('describes each message that arrives', async () => {
  for (let i = 0; i < 3; i++) nats.publish(`weir.state.lobby.slot-${i}`, JSON.stringify({ on: true }));
  const client = await BareClient.connect(cluster.routerUrl, 'channels=lobby&class=desktop');
  await until(() => client.of('state').length > 0, 'a snapshot');
  nats.publish('weir.critical.lobby', '{"hit":7}');
  nats.publish('weir.state.lobby.slot-0', '');
  client.ws.send(JSON.stringify({ type: 'subscribe', channels: ['not a channel'] }));
  // Cosmetic messages are best effort: the shard drops them for a client that catches up.
  await until(() => {
    nats.publish('weir.cosmetic.lobby', '{"effect":"coins"}');
    return client.of('cosmetic').length > 0;
  }, 'a message cosmetic');
  for (const type of ['critical', 'position', 'error'])
    await until(() => client.of(type).length > 0, `a message ${type}`);
  client.close();
  expect(problems(client.redirect)).toBeUndefined();
  const types = new Set(client.frames.map(({ message }) => message['type']));
  expect([...types].filter((type) => asyncapi.components.messages[String(type)] === undefined)).toEqual([]);
  for (const { message } of client.frames) expect(problems(message)).toBeUndefined();
  for (const type of ['welcome', 'state', 'critical', 'cosmetic', 'position', 'error'])
    expect(types).toContain(type);
});
