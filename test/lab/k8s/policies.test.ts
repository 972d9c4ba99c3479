// The chart's NetworkPolicies on a cluster that enforces them: a release works behind them, other pods reach only the
// ports for clients and publishers, and pods of the release call only each other, DNS and the API server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Kubernetes } from '../../contract/chart/render.ts';
import { BareClient } from '../../harness/bare-client.ts';
import { until } from './crowd.ts';
import {
  createNamespace,
  edgeImage,
  get,
  hasImage,
  isEnding,
  isReady,
  kubectl,
  programs,
  Release,
  untilMeasured,
  wanted,
  whyNot,
} from './lab.ts';

const minutes = 60_000;
const [helm = 'helm'] = wanted ? programs(['helm', 'helm4', 'helm3']) : [];
const namespace = 'weir-policies';
const elsewhere = 'weir-strangers';
const enforced = process.env['WEIR_TEST_NETWORK_POLICIES'] === 'true';
const edgeIsThere = wanted && (await hasImage(edgeImage));
const why = !wanted
  ? whyNot
  : enforced
    ? ''
    : ' (skipped: WEIR_TEST_NETWORK_POLICIES=true says that the cluster enforces NetworkPolicies)';

describe.skipIf(why !== '')(`the network policies of a release${why}`, () => {
  const release = new Release(helm, 'weir', namespace);
  let stranger: Kubernetes;

  beforeAll(async () => {
    await createNamespace(namespace);
    await createNamespace(elsewhere);
    await release.install();
    await run('stranger', {});
    await run('publishing', { 'weir.dev/nats-client': 'true' });
    stranger = await pod(elsewhere, 'app=stranger');
  }, 5 * minutes);
  afterAll(async () => {
    await release.uninstall().catch(() => {});
    await kubectl('delete', 'namespace', namespace, elsewhere, '--timeout=120s');
  }, 5 * minutes);

  it(
    'let `helm test` through, repeatedly',
    async () => {
      for (let round = 0; round < 3; round++) expect(await release.test()).toMatch(/Phase: +Succeeded/);
    },
    5 * minutes,
  );

  it(
    'let clients from outside in',
    async () => {
      const client = await BareClient.connect(await release.routerUrl(), 'channels=odds&class=mobile');
      await until(() => client.of('welcome').length > 0, 'the welcome');
      client.close();
    },
    2 * minutes,
  );

  it(
    'let control reach the API server, and the API server reach control',
    async () => {
      await untilMeasured(namespace);
    },
    2 * minutes,
  );

  it.each([
    ['router', 8080, 'open'],
    ['shard', 8081, 'open'],
    ['publisher', 8082, 'open'],
    ['router', 9090, 'shut'],
    ['shard', 9090, 'shut'],
    ['publisher', 9090, 'shut'],
    ['control', 9090, 'shut'],
    ['nats', 4222, 'shut'],
    ['nats', 6222, 'shut'],
    ['nats', 8222, 'shut'],
  ])('another pod finds a %s at port %i %s', async (component, port, state) => {
    const target = await pod(namespace, `app.kubernetes.io/component=${component}`);
    expect(await door(elsewhere, 'stranger', target, port)).toBe(state);
  });

  it('let a program with the label of publishers to NATS reach NATS, but not its other ports', async () => {
    const nats = await pod(namespace, 'app.kubernetes.io/component=nats');
    expect(await door(elsewhere, 'publishing', nats, 4222)).toBe('open');
    expect(await door(elsewhere, 'publishing', nats, 8222)).toBe('shut');
  });

  it.each(['router', 'shard', 'publisher', 'control'])(
    'a %s calls NATS and no stranger',
    async (component) => {
      const from = (await pod(namespace, `app.kubernetes.io/component=${component}`)).name;
      const nats = await pod(namespace, 'app.kubernetes.io/component=nats');
      expect(await door(namespace, from, nats, 4222)).toBe('open');
      expect(await door(elsewhere, 'publishing', stranger, 8000)).toBe('open');
      expect(await door(namespace, from, stranger, 8000)).toBe('shut');
    },
  );

  it.skipIf(!edgeIsThere)(
    `with the edge, clients come by it alone${edgeIsThere ? '' : ` (skipped: the cluster lacks ${edgeImage})`}`,
    async () => {
      await release.upgrade('--set', 'edge.enabled=true');
      expect(await release.test()).toMatch(/Phase: +Succeeded/);
      for (const [component, port, state] of [
        ['edge', 8080, 'open'],
        ['router', 8080, 'shut'],
        ['shard', 8081, 'shut'],
      ] as const) {
        const target = await pod(namespace, `app.kubernetes.io/component=${component}`);
        expect(await door(elsewhere, 'stranger', target, port), component).toBe(state);
      }
    },
    5 * minutes,
  );

  /** Starts a pod that listens on port 8000 and waits until it is ready. */
  async function run(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const [router] = await get('pods', namespace, 'app.kubernetes.io/component=router');
    const image = router?.list('spec.containers')[0]?.text('image') ?? '';
    const text = Object.entries({ app: name, ...labels }).map(([key, value]) => `${key}=${value}`);
    const container = {
      name,
      image,
      args: ['-e', 'require("node:net").createServer((socket) => socket.end()).listen(8000)'],
      readinessProbe: { tcpSocket: { port: 8000 }, periodSeconds: 1 },
      securityContext: {
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    };
    const overrides = { spec: { terminationGracePeriodSeconds: 0, containers: [container] } };
    await kubectl(
      ...['run', name, '-n', elsewhere, '--image', image, '--labels', text.join(',')],
      ...['--overrides', JSON.stringify(overrides)],
    );
    await until(async () => isReady(await pod(elsewhere, `app=${name}`)), `${name} listens`);
  }
});

async function pod(where: string, selector: string): Promise<Kubernetes> {
  const found = (await get('pods', where, selector)).find((one) => !isEnding(one));
  if (found === undefined) throw new Error(`there is no pod ${selector} in ${where}`);
  return found;
}

/** Whether a pod can open a TCP connection to a port of another pod; a policy drops forbidden packets. */
async function door(where: string, from: string, to: Kubernetes, port: number): Promise<string> {
  const script = `const socket = require('node:net').connect(${port}, '${to.text('status.podIP')}');
    const say = (state) => { console.log(state); process.exit(); };
    socket.on('connect', () => say('open')).on('error', ({ code }) => say(code));
    setTimeout(say, 3000, 'shut');`;
  return (await kubectl('exec', from, '-n', where, '--', 'node', '-e', script)).trim();
}
