// Channels and keys named like members of objects are ordinary names, in every process and on every path.
import { jetstream } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { expectSound, expectWholeFrames } from '../../harness/oracle.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '-', '_'];
const members = Object.getOwnPropertyNames(Object.prototype).length;

/** On SIGUSR2 prints the members of Object.prototype. */
const confession = `process.on('SIGUSR2', () => console.log(JSON.stringify({
  level: 'info', polluted: String(({}).polluted), members: Object.getOwnPropertyNames(Object.prototype).length })));`;

let cluster: SmallCluster;
let publisher: Service;

beforeAll(async () => {
  const preload = `data:text/javascript;base64,${Buffer.from(confession).toString('base64')}`;
  cluster = await SmallCluster.start({ NODE_OPTIONS: `--import=${preload}` });
  await cluster.shard('desktop', 'desktop-1');
  await cluster.shard('mobile', 'mobile-1');
  publisher = await cluster.publisher();
});

afterAll(() => cluster.stop());

it('exist when they are published, and only then (case A5)', async () => {
  const nats = await connectNats({ servers: cluster.nats.url });
  const js = jetstream(nats);
  const value = '{"polluted":1}';
  for (const channel of names) {
    for (const key of names) await js.publish(`weir.state.${channel}.${key}`, value);
  }
  const channels = names.join(',');
  const bare = [
    await BareClient.connect(cluster.routerUrl, `channels=${channels}`),
    await BareClient.connect(cluster.routerUrl, `channels=${channels}&class=mobile`),
  ];
  const weir = connect({ url: cluster.routerUrl, channels: [...names, 'other'], WebSocket });
  const sizes = (): readonly number[] => names.map((name) => weir.channel(name).state.size);
  await until(() => sizes().every((size) => size === names.length), 'the SDK has all keys');
  for (const client of bare) {
    await until(() => names.every((name) => client.has(name)), 'it has all channels');
    expect([...client.state].sort()).toEqual(names.map((name) => [name, value]).sort());
  }
  for (const name of names) {
    expect([...weir.channel(name).state.keys()].sort()).toEqual([...names].sort());
    expect(weir.channel(name).state.get('__proto__')).toEqual({ polluted: 1 });
    expect(weir.channel(name).state.has('valueOf')).toBe(false);
    expect(weir.channel(name).state.get('never')).toBeUndefined();
  }
  expect(weir.channel('other').state.has('__proto__')).toBe(false);

  // By HTTP, in every lane, and as members of a value.
  const lines = names.flatMap((name) => [
    `{"lane":"state","channel":"other","key":"${name}","data":{"__proto__":{"polluted":1},"constructor":1}}`,
    `{"lane":"critical","channel":"${name}","data":{"__proto__":{"polluted":1}}}`,
    `{"lane":"cosmetic","channel":"${name}","data":{"__proto__":{"polluted":1}}}`,
  ]);
  const answer = await fetch(`${publisher.url}/v1/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  expect(answer.status).toBe(200);
  await until(() => bare.every(({ ids }) => ids.length === names.length), 'the critical messages');
  await until(() => weir.channel('other').state.size === names.length, 'the keys that came by HTTP');

  for (const channel of names) {
    for (const key of names) await js.publish(`weir.state.${channel}.${key}`, '');
  }
  await until(() => sizes().every((size) => size === 0), 'all is deleted again');
  for (const client of bare) {
    await until(() => client.state.size === 0, 'all is deleted again');
    expectWholeFrames(client);
    client.close();
  }
  weir.close();
  await nats.close();

  expect('polluted' in {}).toBe(false);
  for (const service of cluster.running) {
    service.process.kill('SIGUSR2');
    await until(() => service.log.some((line) => line.includes('"members"')), `${service.name} answers`);
    const said = service.log.find((line) => line.includes('"members"')) ?? '';
    expect([service.name, JSON.parse(said)]).toEqual([
      service.name,
      { level: 'info', polluted: 'undefined', members },
    ]);
  }
  expectSound(cluster.running);
});
