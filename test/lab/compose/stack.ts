// deploy/compose as a user would run it: a copy of the folder, .env by its script, containers by Docker Compose.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../harness/free-port.ts';
import { until } from '../../harness/small-cluster.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
/** Without Alpine, but with wget: what `npm run images` makes from local files. */
const NATS_IMAGE = 'docker.io/library/nats:2.15.1';
const SHARDS = ['desktop-1', 'desktop-2', 'mobile-1'] as const;
export const SERVICES = ['nats', 'router', ...SHARDS, 'publisher', 'control', 'caddy'] as const;
export type ServiceName = (typeof SERVICES)[number];
const OWN_IMAGES = ['router', 'shard', 'publisher', 'control'] as const;
const NEXT = 'next';

/** Short, so that an upgrade takes seconds; all clients of a test have one address. */
const SETTINGS = `WEIR_DRAIN_GRACE_MS=500ms
WEIR_DRAIN_WINDOW_MS=2s
WEIR_CONNECTS_PER_SECOND_PER_ADDRESS=1000
WEIR_CONNECT_BURST_PER_ADDRESS=10000
`;

/** What the test cannot have, for its name; undefined where all is there. */
export function whyNoStack(): string | undefined {
  if (spawnSync('docker', ['version']).status !== 0) return 'no Docker engine answers';
  if (spawnSync('docker', ['compose', 'version']).status !== 0) return 'there is no docker compose';
  const images = [
    ...OWN_IMAGES.map((name) => ({ name, image: `localhost/weir/${name}:${version}` })),
    { name: 'nats', image: NATS_IMAGE },
    { name: 'caddy', image: defaultImage('CADDY_IMAGE') },
  ];
  for (const { name, image } of images) {
    if (spawnSync('docker', ['image', 'inspect', image]).status === 0) continue;
    const archive = `${root}dist/images/${name}.tar`;
    if (!existsSync(archive) || spawnSync('docker', ['load', '--input', archive]).status !== 0)
      return `there is no image ${image}: npm run images`;
  }
  return undefined;
}

interface Container {
  readonly Id: string;
  readonly Config: { readonly Image: string; readonly Env: readonly string[] };
  readonly State: { readonly Pid: number; readonly Health: { readonly Status: string } };
}

async function inspectContainer(id: string): Promise<Container> {
  return JSON.parse((await run('docker', ['inspect', id], { maxBuffer: 1 << 24 })).stdout)[0];
}

function defaultImage(variable: string): string {
  const text = readFileSync(`${root}deploy/compose/compose.yaml`, 'utf8');
  return new RegExp(`\\$\\{${variable}:-(\\S+)\\}`).exec(text)?.[1] ?? '';
}

export class ComposeStack {
  readonly url: string;
  readonly folder: string;
  /** File of the authority that has signed Caddy's certificate for localhost. */
  readonly authority: string;
  readonly adminUrl: string;
  readonly consoleUrl: string;

  private constructor(
    folder: string,
    ports: { readonly port: string; readonly adminPort: string; readonly consolePort: string },
  ) {
    this.folder = folder;
    this.url = `wss://localhost:${ports.port}`;
    this.adminUrl = `http://127.0.0.1:${ports.adminPort}`;
    this.consoleUrl = `http://127.0.0.1:${ports.consolePort}`;
    this.authority = join(folder, 'root.crt');
  }

  static async start(): Promise<ComposeStack> {
    const folder = mkdtempSync(join(tmpdir(), 'weir-compose-'));
    cpSync(`${root}deploy/compose`, folder, {
      recursive: true,
      filter: (path) => !/\/(?:\.env|settings\.env)$/.test(path),
    });
    const [port, adminPort, natsPort, consolePort] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const stack = new ComposeStack(folder, { port, adminPort, consolePort });
    execFileSync(join(folder, 'make-env.sh'), ['localhost', port], { cwd: folder });
    stack.set({
      COMPOSE_PROJECT_NAME: `weir-test-${process.pid}`,
      ADMIN_PORT: adminPort,
      NATS_PORT: natsPort,
      CONSOLE_PORT: consolePort,
      NATS_IMAGE,
      OPEN_FILES: execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim(),
    });
    writeFileSync(join(folder, 'settings.env'), SETTINGS);
    await stack.compose('up', '--detach', '--wait', '--wait-timeout', '180');
    await stack.compose('cp', 'caddy:/data/caddy/pki/authorities/local/root.crt', stack.authority);
    return stack;
  }

  /** Further lines of .env. */
  set(values: Readonly<Record<string, string>>): void {
    const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
    appendFileSync(join(this.folder, '.env'), lines.join(''));
  }

  async compose(...args: string[]): Promise<string> {
    return this.script('docker', 'compose', ...args);
  }

  /** Runs a program in the folder; resolves with its output. */
  async script(program: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(program, args, { cwd: this.folder, maxBuffer: 1 << 24 });
    return stdout;
  }

  /** What the engine knows about the container of a service. */
  async inspect(service: ServiceName): Promise<Container> {
    return inspectContainer((await this.compose('ps', '--all', '--quiet', service)).trim());
  }

  /** Ends the process of a service as a crash does, and waits until the engine has started it again. */
  async crash(service: ServiceName): Promise<void> {
    const { Id, State } = await this.inspect(service);
    process.kill(State.Pid, 'SIGKILL');
    await until(
      async () => {
        const now = (await inspectContainer(Id)).State;
        return now.Pid !== State.Pid && now.Pid !== 0 && now.Health.Status === 'healthy';
      },
      `${service} is back`,
      90_000,
    );
  }

  /** Gives the images of Weir another name, as a next version would have. */
  tagNext(): void {
    for (const name of OWN_IMAGES) {
      const image = `localhost/weir/${name}`;
      execFileSync('docker', ['tag', `${image}:${version}`, `${image}:${NEXT}`]);
    }
    this.set({ WEIR_VERSION: NEXT });
  }

  /** Publishes by HTTPS until it is kept; `id` makes the stream drop what it has already. */
  async publish(message: Readonly<Record<string, unknown>>): Promise<void> {
    await until(
      async () => (await this.#post(message)) === 200,
      `${JSON.stringify(message)} is kept`,
      60_000,
    );
  }

  async stop(): Promise<void> {
    await this.compose('down', '--volumes', '--timeout', '10');
    spawnSync('docker', ['rmi', ...OWN_IMAGES.map((name) => `localhost/weir/${name}:${NEXT}`)]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #post(message: Readonly<Record<string, unknown>>): Promise<number> {
    const url = `${this.url.replace('wss:', 'https:')}/v1/publish`;
    const [, key = ''] = /^WEIR_API_KEYS=(.*)$/m.exec(readFileSync(join(this.folder, '.env'), 'utf8')) ?? [];
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const ca = readFileSync(this.authority);
    return new Promise((resolve) => {
      const sent = request(
        url,
        { method: 'POST', headers, ca, agent: false, timeout: 20_000 },
        (response) => {
          response.resume().once('close', () => resolve(response.statusCode ?? 0));
        },
      );
      sent.once('timeout', () => sent.destroy());
      sent.once('error', () => resolve(0));
      sent.end(JSON.stringify(message));
    });
  }
}
