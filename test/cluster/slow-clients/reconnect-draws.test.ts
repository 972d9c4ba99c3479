// A client that reconnects again and again without a position draws a snapshot each time. The shard bounds and counts
// the bytes that one network draws, and still admits clients that resume.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { Scene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const KEYS = 40;
const VALUE_BYTES = 2_000;
const SNAPSHOT_BYTES = KEYS * VALUE_BYTES;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({
    shard: {
      // The second snapshot takes more than is left, so that half a minute passes before there is any again.
      WEIR_NETWORK_DRAW_BURST_BYTES: String(1.5 * SNAPSHOT_BYTES),
      WEIR_NETWORK_DRAW_BYTES_PER_SECOND: '1024',
    },
  });
  for (let i = 0; i < KEYS; i++)
    scene.nats.publish(`weir.state.lobby.k${i}`, JSON.stringify('x'.repeat(VALUE_BYTES)));
  await until(async () => (await scene.numbers()).of('weir_shard_state_keys') === KEYS, 'the shard has all');
});
afterAll(() => scene.stop());

const come = (position?: string): Promise<BareClient> =>
  BareClient.connect(scene.cluster.routerUrl, 'channels=lobby', position);

it('a network draws its bytes, then the shard asks its clients to return later', async () => {
  const served: BareClient[] = [];
  let refused: BareClient | undefined;
  while (refused === undefined && served.length < 5) {
    const client = await come();
    await until(() => client.position !== undefined || client.closed !== undefined, 'it is served or told');
    if (client.closed === undefined) served.push(client);
    else refused = client;
  }
  expect(served.length).toBe(2);
  expect([refused?.closed, refused?.frames.length]).toEqual([4013, 0]);
  const numbers = await scene.numbers();
  expect(numbers.of('weir_shard_admissions_total{outcome="drawsTooMuch"}')).toBe(1);
  expect(numbers.of('weir_shard_drawing_networks')).toBe(1);

  const [resuming] = served;
  resuming?.close();
  const back = await come(resuming?.position);
  await until(() => back.position !== undefined, 'one with a position is served');
  expect(back.of('welcome')[0]?.message['resumed']).toBe(true);
  // Subscriptions have their own bound, and a channel without state costs nothing.
  const small = await BareClient.connect(scene.cluster.routerUrl, 'channels=empty');
  await until(() => small.position !== undefined, 'one that draws nothing is served');
  for (const client of [...served, back, small]) client.close();
});
