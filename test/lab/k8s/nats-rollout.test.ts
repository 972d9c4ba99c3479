// A rolling restart of three NATS replicas whose stores vanish with their pods: every acknowledged message survives, no
// stream starts anew, clients stay. Needs three nodes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { scale } from '../../harness/scale.ts';
import { Crowd, delay, until } from './crowd.ts';
import type { Publisher } from './lab.ts';
import { createNamespace, get, kubectl, programs, Release, wanted, whyNot } from './lab.ts';

const minutes = 60_000;
const [helm = 'helm'] = wanted ? programs(['helm', 'helm4', 'helm3']) : [];
const namespace = 'weir-nats-rollout';
const nodes = wanted ? (await get('nodes', 'default')).length : 0;
const why = wanted && nodes < 3 ? ` (skipped: three nodes, and the cluster has ${nodes})` : whyNot;
const KEYS = scale(1_000, 9_301);
const VALUE = 'x'.repeat(scale(1_000, 14_000));
const ROUNDS = scale(2, 10);
const VALUES = [
  ...['--set', 'nats.replicas=3', '--set', 'autoscaling.source=none', '--set', 'poolDefaults.replicas=1'],
  // The test reads the monitoring port of NATS from a pod of the release.
  ...['--set', 'networkPolicy.furtherPorts={8222}'],
];

describe.skipIf(why !== '')(`a rolling restart of NATS${why}`, () => {
  const release = new Release(helm, 'weir', namespace);
  let publisher: Publisher;
  let crowd: Crowd;
  let before: Readonly<Record<string, Stream>>;

  beforeAll(async () => {
    await createNamespace(namespace);
    await release.install(...VALUES);
    publisher = await release.publisher();
    await fill(publisher);
    crowd = new Crowd(publisher, { channel: 'rollout' });
    await crowd.join(await release.routerUrl(), 40, { paceMs: 20 });
    crowd.start();
    await until(async () => Object.keys(await streams()).length === 2, 'both streams have leaders');
    before = await streams();
  }, 10 * minutes);
  afterAll(async () => {
    await crowd?.stop();
    await release.uninstall().catch(() => {});
    await kubectl('delete', 'namespace', namespace, '--timeout=120s');
  }, 5 * minutes);

  it('finds the replicas on three nodes', async () => {
    const pods = await get('pods', namespace, 'app.kubernetes.io/component=nats');
    expect(new Set(pods.map((pod) => pod.at('spec.nodeName'))).size).toBe(3);
  });

  it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'breaks no connection and no stream: round %i',
    async (round) => {
      let fewest = 3;
      const episode = await crowd.episode(async () => {
        await kubectl('rollout', 'restart', 'statefulset/weir-nats', '-n', namespace);
        const rollout = kubectl(
          'rollout',
          'status',
          'statefulset/weir-nats',
          '-n',
          namespace,
          '--timeout=480s',
        );
        let rolling = true;
        void rollout.finally(() => {
          rolling = false;
        });
        while (rolling) {
          const [set] = (await get('statefulsets', namespace)).filter(({ name }) => name === 'weir-nats');
          fewest = Math.min(fewest, Number(set?.at('status.readyReplicas') ?? 0));
          await delay(500);
        }
        await rollout;
      });
      console.log(`rolling restart ${round}: ${JSON.stringify(episode)}, ${fewest} ready at least`);
      expect(fewest).toBeGreaterThanOrEqual(2);
      expect(episode).toMatchObject({ breaks: 0 });
      await until(async () => Object.keys(await streams()).length === 2, 'both streams have leaders');
      const after = await streams();
      for (const [name, { created, last }] of Object.entries(before)) {
        expect(after[name]?.created, name).toBe(created);
        expect(after[name]?.last, name).toBeGreaterThanOrEqual(last);
      }
      expect(after['WEIR_STATE']?.messages).toBeGreaterThanOrEqual(KEYS + 1);
    },
    10 * minutes,
  );

  it(
    'loses nothing: every message once, every key',
    async () => {
      const report = await crowd.end();
      console.log(`after ${ROUNDS} rolling restarts: ${JSON.stringify(report)}`);
      expect(report).toMatchObject({ lost: 0, doubled: 0, gaps: 0 });
      const client = await BareClient.connect(await release.routerUrl(), 'channels=many');
      await until(() => client.has('many'), 'the snapshot is whole', 2 * minutes);
      expect(client.state.size).toBe(KEYS);
      client.close();
    },
    5 * minutes,
  );

  interface Stream {
    readonly created: string;
    readonly messages: number;
    readonly last: number;
  }

  /** The streams as their leaders report them. */
  async function streams(): Promise<Readonly<Record<string, Stream>>> {
    const found: Record<string, Stream> = {};
    for (const pod of await get('pods', namespace, 'app.kubernetes.io/component=nats')) {
      const url = `http://${pod.text('status.podIP')}:8222/jsz?streams=true&config=true`;
      const { account_details: [account] = [] } = await report(url);
      for (const { name, created, cluster, state } of account?.stream_detail ?? [])
        if (cluster?.leader === pod.name)
          found[name] = { created, messages: state.messages, last: state.last_seq };
    }
    return found;
  }
});

/** The report of a NATS server; empty without an answer. Only its namespace can reach the port. */
async function report(url: string): Promise<Jsz> {
  const script = `fetch('${url}', { signal: AbortSignal.timeout(2000) })
    .then((response) => response.text()).catch(() => '{}').then((text) => { console.log(text); process.exit(); })`;
  return JSON.parse(
    await kubectl('exec', '-n', namespace, 'deploy/weir-publisher', '--', 'node', '-e', script),
  );
}

/** The fields of a server's report that the test reads. */
interface Jsz {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly created: string;
      readonly cluster?: { readonly leader?: string };
      readonly state: { readonly messages: number; readonly last_seq: number };
    }[];
  }[];
}

async function fill(publisher: Publisher): Promise<void> {
  const batch = 50;
  for (let from = 0; from < KEYS; from += batch)
    await publisher.publish(
      Array.from({ length: Math.min(batch, KEYS - from) }, (_, i) => ({
        lane: 'state',
        channel: 'many',
        key: `k${from + i}`,
        data: VALUE,
      })),
    );
}
