// A test's access to the Kubernetes of KUBECONFIG: helm, kubectl, node addresses, the publisher.
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kubernetes } from '../../contract/chart/render.ts';
import { delay, until } from './crowd.ts';

const run = promisify(execFile);
export const root: string = fileURLToPath(new URL('../../..', import.meta.url));

/** Only `npm run test:k8s` sets it: the tests change the cluster. */
export const wanted: boolean = process.env['WEIR_TEST_K8S'] === 'true';

/** The reason for a skip, for the title; empty if the tests run. */
export const whyNot: string = wanted
  ? ''
  : ' (skipped: npm run test:k8s runs it on the cluster of KUBECONFIG)';

export async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('kubectl', [...args], { maxBuffer: 1e8, timeout: 300_000 });
  return stdout;
}

/** The error output if the program fails; otherwise empty. */
export async function refusalOf(program: string, ...args: readonly string[]): Promise<string> {
  try {
    await run(program, [...args], { cwd: root, timeout: 300_000 });
    return '';
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  }
}

export async function get(kind: string, namespace: string, selector = ''): Promise<readonly Kubernetes[]> {
  const filter = selector === '' ? [] : ['-l', selector];
  const text = await kubectl('get', kind, '-n', namespace, ...filter, '-o', 'json');
  return new Kubernetes(JSON.parse(text)).list('items');
}

/** Waits until both HPAs of a release have a value of each of their metrics. */
export function untilMeasured(namespace: string): Promise<void> {
  return until(async () => {
    const hpas = await get('hpa', namespace);
    return hpas.length === 2 && hpas.every((hpa) => hpa.list('status.currentMetrics').length >= 3);
  }, 'metrics in both HPAs');
}

/** A namespace for one test, where Pod Security enforces `restricted`. */
export async function createNamespace(name: string): Promise<void> {
  await kubectl('create', 'namespace', name);
  const level = 'pod-security.kubernetes.io/enforce=restricted';
  await kubectl('label', 'namespace', name, level, 'pod-security.kubernetes.io/enforce-version=latest');
}

/**
 * Settings of a router under a crowd on the cluster's own processors and behind one address. The probe counts every
 * client as fast that does not ask for the mobile pool: on a busy machine it would measure how long the crowd's process
 * waits for a processor, and chance would fill the pools.
 */
export const crowdValues: Readonly<Record<string, string>> = {
  'router.settings.WEIR_CONNECTS_PER_SECOND_PER_ADDRESS': '1000',
  'router.settings.WEIR_CONNECT_BURST_PER_ADDRESS': '2000',
  'router.settings.WEIR_PROBE_RATE_THRESHOLD_KBPS': '100',
  'router.settings.WEIR_PROBE_RTT_THRESHOLD_MS': '2000',
  'router.settings.WEIR_PROBE_DEADLINE_MS': '5000',
};

/** The same values as arguments of Helm. */
export const crowdArguments: readonly string[] = Object.entries(crowdValues).flatMap(([key, value]) => [
  '--set',
  `${key}=${value}`,
]);

/** One release of the chart, managed by one Helm. */
export class Release {
  readonly #helm: string;
  readonly #name: string;
  readonly namespace: string;

  constructor(helm: string, name: string, namespace: string) {
    this.#helm = helm;
    this.#name = name;
    this.namespace = namespace;
  }

  async helm(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(this.#helm, [...args, '--namespace', this.namespace], {
      cwd: root,
      timeout: 600_000,
    });
    return stdout;
  }

  install(...args: readonly string[]): Promise<string> {
    return this.helm('install', this.#name, 'charts/weir', '--wait', '--timeout', '180s', ...args);
  }

  upgrade(...args: readonly string[]): Promise<string> {
    return this.helm('upgrade', this.#name, 'charts/weir', '--wait', '--timeout', '600s', ...args);
  }

  test(): Promise<string> {
    return this.helm('test', this.#name, '--timeout', '180s');
  }

  async uninstall(): Promise<void> {
    await this.helm('uninstall', this.#name, '--wait', '--timeout', '300s');
  }

  /** The router's URL for clients outside the cluster: a node and the port of the front door. */
  async routerUrl(service = 'weir-router'): Promise<string> {
    const [node] = await get('nodes', 'default');
    const address = node?.list('status.addresses').find((one) => one.at('type') === 'InternalIP');
    const found = await get('services', this.namespace);
    const port = found
      .find(({ name }) => name === service)
      ?.list('spec.ports')[0]
      ?.at('nodePort');
    return `ws://${address?.text('address')}:${String(port)}`;
  }

  /** Pods of a pool's shards, without those that are ending. */
  async shards(pool: string): Promise<readonly Kubernetes[]> {
    const pods = await get('pods', this.namespace, `weir.dev/pool=${pool}`);
    return pods.filter((pod) => !isEnding(pod));
  }

  async readyShards(pool: string): Promise<number> {
    return (await this.shards(pool)).filter(isReady).length;
  }

  /** Access to the publisher with the key that the chart generated. */
  async publisher(): Promise<Publisher> {
    const [secret] = (await get('secrets', this.namespace)).filter(({ name }) => name === 'weir-publisher');
    const key = Buffer.from(secret?.text('data.apiKeys') ?? '', 'base64').toString();
    return new Publisher(this.namespace, key);
  }
}

export function isReady(pod: Kubernetes): boolean {
  return pod
    .list('status.conditions')
    .some((one) => one.at('type') === 'Ready' && one.at('status') === 'True');
}

export function isEnding(pod: Kubernetes): boolean {
  return pod.at('metadata.deletionTimestamp') !== undefined;
}

/** Publishes over HTTP to a publisher pod, as a program in the cluster would to its Service. */
export class Publisher {
  readonly #namespace: string;
  readonly #key: string;
  #url: string | undefined;

  constructor(namespace: string, key: string) {
    this.#namespace = namespace;
    this.#key = key;
  }

  /** Retries after failures like a publisher does: ids make that safe. */
  async publish(messages: readonly unknown[]): Promise<void> {
    const deadline = performance.now() + 90_000;
    for (;;) {
      try {
        await this.#post(messages);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        this.#url = undefined;
        await delay(100);
      }
    }
  }

  async #post(messages: readonly unknown[]): Promise<void> {
    this.#url ??= await this.#find();
    const response = await fetch(`${this.#url}/v1/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': this.#key },
      body: JSON.stringify(messages),
      // Nothing answers at the address of a pod that has ended.
      signal: AbortSignal.timeout(1_500),
    });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }

  async #find(): Promise<string> {
    const pods = await get('pods', this.#namespace, 'app.kubernetes.io/component=publisher');
    const pod = pods.find((one) => isReady(one) && !isEnding(one));
    if (pod === undefined) throw new Error('no publisher is ready');
    return `http://${pod.text('status.podIP')}:8082`;
  }
}

/** The edge image that the chart uses. */
export const edgeImage = 'docker.io/nginxinc/nginx-unprivileged:1.29-alpine';

/** Whether a node of the cluster already has an image. */
export async function hasImage(name: string): Promise<boolean> {
  const nodes = await get('nodes', 'default');
  return nodes.some((node) =>
    node.list('status.images').some((image) => JSON.stringify(image.at('names')).includes(name)),
  );
}

export function programs(names: readonly string[]): readonly string[] {
  return names.filter((name) => spawnSync(name, ['version', '--short']).status === 0);
}

/** A prefix that runs a command on the node: `docker exec kind-control-plane`, `minikube ssh --`. */
const nodeShell: readonly string[] = (process.env['WEIR_TEST_NODE_SHELL'] ?? '').split(' ').filter(Boolean);

function nodeProblem(): string {
  const [program, ...args] = nodeShell;
  if (program === undefined) return ' (skipped: WEIR_TEST_NODE_SHELL runs a command on the node)';
  const { status } = spawnSync(program, [...args, 'crictl', '--version'], { timeout: 60_000 });
  return status === 0 ? '' : ' (skipped: WEIR_TEST_NODE_SHELL runs no crictl, which finds processes of pods)';
}

/** The reason to skip tests that need a shell on the node, for the title; empty if they run. */
export const whyNotOnNode: string = wanted ? nodeProblem() : whyNot;

export async function onNode(...command: readonly string[]): Promise<string> {
  const [program = '', ...args] = nodeShell;
  const { stdout } = await run(program, [...args, ...command], { timeout: 60_000 });
  return stdout;
}

/** The process id of a pod's container on the node. */
export async function processOf(pod: Kubernetes): Promise<string> {
  const id =
    pod
      .list('status.containerStatuses')[0]
      ?.text('containerID')
      .replace(/^.*\/\//, '') ?? '';
  const pid = await onNode('crictl', 'inspect', '-o', 'go-template', '--template', '{{.info.pid}}', id);
  if (!/^[0-9]+$/.test(pid.trim())) throw new Error(`${pod.name} has no process: ${pid}`);
  return pid.trim();
}
