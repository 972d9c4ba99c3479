// `npm start` as people and scripts use it: real npm, real processes, in a copy of the project.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askRouter, BareClient } from '../../harness/bare-client.ts';
import { freePort } from '../../harness/free-port.ts';
import { copyProject, type ProjectCopy } from '../../harness/programs/project-copy.ts';
import { isAlive, StartedProgram } from '../../harness/programs/started-program.ts';
import { until } from '../../harness/small-cluster.ts';

interface LocalFile {
  readonly router: string;
  readonly publisher: string;
  readonly nats: string;
  readonly page: string;
  readonly console: string;
  readonly pid: number;
  readonly services: readonly {
    readonly name: string;
    readonly pool?: string;
    readonly id: string;
    readonly pid: number;
    readonly url: string;
    readonly admin: string;
  }[];
}

let copy: ProjectCopy;
const started: StartedProgram[] = [];

beforeAll(async () => {
  copy = await copyProject();
});

afterAll(() => copy.remove());

describe('npm start', { timeout: 120_000 }, () => {
  let cluster: StartedProgram;

  beforeAll(async () => {
    cluster = start('--port', '0');
    await cluster.line(/^ready/, 120_000);
  }, 130_000);

  afterAll(endAll);

  it('prints the URLs, first a page with the SDK, and one line that begins with ready', async () => {
    const local = localFile();
    const urls = cluster.text.match(/\b(?:https?|wss?|nats):\/\/[^\s)]+/g) ?? [];
    expect(urls[0]).toBe(local.page);
    expect(urls).toEqual(
      expect.arrayContaining([
        local.nats,
        `${local.router}/v1/connect?channels=lobby`,
        `${local.publisher}/v1/publish`,
        local.console,
      ]),
    );
    expect(cluster.lines.filter((line) => line.startsWith('ready'))).toHaveLength(1);
    const page = await fetch(local.page);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/text\/html/),
    ]);
    expect((await fetch(`${local.page}/weir.js`)).status).toBe(200);
    expect(await (await fetch(`${local.page}/config.json`)).json()).toMatchObject({ channels: ['lobby'] });
    expect(await (await fetch(local.console)).text()).toContain('<h1>Weir console</h1>');
  });

  it('lists all addresses in .weir/local.json', async () => {
    const local = localFile();
    expect(local.router).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(local.publisher).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(local.nats).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    const kinds = local.services.map(({ name, pool }) => (pool === undefined ? name : `${name} ${pool}`));
    expect(kinds.sort()).toEqual([
      'control',
      'publisher',
      'router',
      'shard desktop',
      'shard desktop',
      'shard mobile',
    ]);
    expect(new Set(local.services.map(({ id }) => id)).size).toBe(6);
    const below = cluster.below();
    for (const { name, pid, url, admin } of local.services) {
      expect(below).toContain(pid);
      expect(url).toMatch(['publisher', 'control'].includes(name) ? /^http:/ : /^ws:/);
      expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    }
  });

  it('serves the demo feed to a client that knows only the router', async () => {
    const { router } = localFile();
    const client = await BareClient.connect(router, 'channels=lobby');
    await until(() => client.state.size > 0 && client.of('cosmetic').length > 0, 'the lobby plays');
    client.close();
    expect(client.redirect['pool']).toBe('desktop');
    const asked = await askRouter(`${router}/v1/connect?channels=lobby&class=mobile`);
    expect(asked['pool']).toBe('mobile');
  });

  it('started a second time names the running cluster, and leaves it alone', async () => {
    const local = localFile();
    const second = start('--port', '0');
    expect(await second.ended()).toBe(1);
    for (const where of [String(local.pid), local.page, local.router, local.publisher, local.nats])
      expect(second.text).toContain(where);
    expect(second.text).toMatch(/runs from here already/);
    expect(localFile()).toEqual(local);
    expect((await fetch(local.page)).status).toBe(200);
  });

  it('says what is wrong with the options of a second start, not that one runs', async () => {
    const second = start('--prot', '0');
    expect(await second.ended()).toBe(2);
    expect(second.text).toMatch(/^Unknown option '--prot' \(npm start -- --help shows how\)$/m);
    expect(second.text).not.toMatch(/runs from here/);
  });

  it('ends no other shard than the one that a page names', async () => {
    const { page } = localFile();
    const { token } = await (await fetch(`${page}/config.json`)).json();
    const told = await fetch(`${page}/events?token=${token}`);
    const asked = await fetch(`${page}/do`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-weir-token': token, origin: page },
      body: '{"do":"kill","shard":"desktop-9"}',
    });
    expect(asked.status).toBe(202);
    let text = '';
    for await (const piece of told.body ?? []) {
      text += Buffer.from(piece).toString();
      if (/event: ended\n.*\n/.test(text)) break;
    }
    expect(text).toMatch(/event: ended\ndata: .*"error":"this shard does not run at this moment"/);
    expect(cluster.text).not.toMatch(/crashed/);
  });

  it.each(['shard', 'router', 'publisher', 'control'])(
    'reports a killed %s, and restarts it',
    async (name) => {
      const before = localFile().services.find((service) => service.name === name);
      if (before === undefined) throw new Error(`no ${name} runs`);
      process.kill(before.pid, 'SIGKILL');
      await cluster.line(new RegExp(`${name}.* crashed \\(SIGKILL\\)`));
      await cluster.line(new RegExp(`${name}.* up again ${before.url} `));
      await until(
        () => localFile().services.some(({ id, pid }) => id === before.id && pid !== before.pid),
        'it is told',
      );
      const after = localFile().services.find(({ id }) => id === before.id);
      expect(after).toEqual({ ...before, pid: after?.pid });
      expect((await fetch(`${before.admin}/readyz`)).status).toBe(200);
    },
  );

  it('reports a killed NATS server, and restarts it', async () => {
    const local = localFile();
    const known = new Set(local.services.map(({ pid }) => pid));
    const nats = cluster.below().find((pid) => !known.has(pid) && /nats-server/.test(commandOf(pid)));
    if (nats === undefined) return; // in a container: not our process
    process.kill(nats, 'SIGKILL');
    await cluster.line(/nats.* crashed \(SIGKILL\)/);
    await until(
      () => cluster.lines.filter((line) => /nats +up /.test(line)).length === 2,
      'NATS is up again',
    );
    expect(localFile().nats).toBe(local.nats);
  });

  it('stops everything on Ctrl-C', async () => {
    const local = localFile();
    const pids = cluster.below();
    expect(pids.length).toBeGreaterThanOrEqual(6); // five services and NATS, and npm itself
    const data = pids.flatMap((pid) => /-c (\S+)\/nats\.conf/.exec(commandOf(pid))?.[1] ?? []);
    cluster.interrupt();
    await cluster.ended();
    await expectNothingLeft(pids, local);
    for (const folder of data) expect([folder, existsSync(folder)]).toEqual([folder, false]);
  });
});

describe('npm start to build on', { timeout: 120_000 }, () => {
  const streams = (): string => join(copy.folder, 'streams');
  const key = { 'x-api-key': 'key-of-this-test' };
  const settings = {
    WEIR_API_KEYS: key['x-api-key'],
    WEIR_DRAIN_GRACE_MS: '0',
    WEIR_DRAIN_WINDOW_MS: '200',
    WEIR_PORT: '9',
    WEIR_TICKMS: '9',
  };
  let page: number;
  let other: Server;
  let first: LocalFile;

  beforeAll(async () => {
    page = await freeRow();
    other = await listening(createServer(), page + 1);
    const cluster = startWith(settings, '--no-demo', '--port', String(page), '--keep', streams());
    await cluster.line(/^ready/, 120_000);
    first = localFile();
  }, 130_000);

  afterAll(async () => {
    await endAll();
    other.close();
  });

  it('has its usual ports, and reports a used port with its replacement', () => {
    const ports = [first.page, first.router, first.publisher, first.nats].map((url) =>
      Number(new URL(url).port),
    );
    expect(ports).toEqual([page, page + 11, page + 2, page + 3]);
    const [cluster] = started;
    expect(cluster?.text).toMatch(new RegExp(`router .*port ${page + 1} is taken .* ${page + 11} instead`));
  });

  it('passes settings to the services that know them, and reports settings that reach no service', async () => {
    const [cluster] = started;
    expect(cluster?.text).toMatch(/not used: WEIR_PORT .*--port/);
    expect(cluster?.text).toMatch(/not used: WEIR_TICKMS \(no service/);
    expect(await publish(first.publisher, 1)).toMatchObject({ error: { code: 'UNAUTHORISED' } });
    expect(await publish(first.publisher, 1, key)).toMatchObject({ ok: true, seq: 1 });
  });

  it('lets a shard move its clients when it is asked to stop, and reports it as stopped', async () => {
    const client = await BareClient.connect(first.router, 'channels=lobby&class=desktop');
    const shard = first.services.find(({ url }) => String(client.redirect['url']).startsWith(url));
    await until(() => client.of('welcome').length === 1, 'the client is welcome');
    if (shard === undefined) throw new Error(`no shard at ${String(client.redirect['url'])}`);
    process.kill(shard.pid, 'SIGTERM');
    await until(() => client.of('move').length === 1, 'the client is asked to move');
    client.close();
    await started[0]?.line(new RegExp(`${shard.id}.* stopped \\(exit code 0\\)`));
    await started[0]?.line(new RegExp(`${shard.id}.* up again ${shard.url} `));
    expect(started[0]?.text).not.toContain('crashed');
  });

  it('has the same ports and the same streams after a restart', async () => {
    await endAll();
    const again = startWith(settings, '--no-demo', '--port', String(page), '--keep', streams());
    await again.line(/^ready/, 120_000);
    const { router, publisher, nats } = localFile();
    expect({ router, publisher, nats }).toEqual({
      router: first.router,
      publisher: first.publisher,
      nats: first.nats,
    });
    const client = await BareClient.connect(router, 'channels=lobby');
    await until(() => client.state.size === 1, 'the value of the first run is there');
    client.close();
    expect(await publish(publisher, 2, key)).toMatchObject({ seq: 2 });
    await endAll();
    expect(existsSync(streams())).toBe(true);
  });
});

describe('npm start --no-demo --port', { timeout: 120_000 }, () => {
  afterEach(endAll);

  it('publishes nothing, has its page at the given port, and stops everything on SIGTERM', async () => {
    const port = Number(await freePort());
    const cluster = start('--no-demo', '--port', String(port));
    await cluster.line(/^ready/, 120_000);
    const local = localFile();
    expect(local.page).toBe(`http://127.0.0.1:${port}`);
    const client = await BareClient.connect(local.router, 'channels=lobby');
    await until(() => client.of('welcome').length === 1, 'a client is welcome');
    expect(await publish(local.publisher, 1)).toMatchObject({ seq: 1 });
    await until(() => client.state.size === 1, 'the message is there');
    await new Promise((resolve) => setTimeout(resolve, 1200)); // the demo publishes every half second
    expect(await publish(local.publisher, 2)).toMatchObject({ seq: 2 });
    client.close();
    const pids = cluster.below();
    cluster.terminate();
    await cluster.ended();
    await expectNothingLeft(pids, local);
  });

  it('stops everything on SIGTERM while it starts', async () => {
    const cluster = start('--port', '0');
    await cluster.line(/nats +up/, 120_000);
    const pids = cluster.below();
    cluster.terminate();
    await cluster.ended();
    await expectNothingLeft(pids, undefined);
    expect(cluster.text).not.toMatch(/^ready/m);
  });

  it('cleans up after a killed supervisor', async () => {
    const first = start('--port', '0');
    await first.line(/^ready/, 120_000);
    const old = localFile();
    process.kill(old.pid, 'SIGKILL');
    const second = start('--port', '0');
    await second.line(/^ready/, 120_000);
    expect(second.text).toContain('the last run was killed');
    for (const { pid } of old.services) expect(isAlive(pid)).toBe(false);
    expect(localFile().pid).not.toBe(old.pid);
    const [pids, local] = [second.below(), localFile()];
    second.terminate();
    await second.ended();
    await expectNothingLeft(pids, local);
  });

  it('reports a used port, and starts nothing', async () => {
    const other = await listening(createServer());
    const { port } = address(other);
    const refused = start('--port', String(port));
    expect(await refused.ended()).toBe(1);
    expect(refused.text).toContain(`port ${port} is taken`);
    expect(refused.text).not.toMatch(/^\s+at /m);
    await expectNothingLeft(refused.below(), undefined);
    other.close();
  });

  it('prints its help, and refuses unknown options', async () => {
    const help = start('--help');
    expect(await help.ended()).toBe(0);
    for (const flag of ['--port', '--keep', '--no-demo', '--help']) expect(help.text).toContain(flag);
    for (const wrong of [['--prot', '1'], ['--port', 'abc'], ['--port', '70000'], ['extra']]) {
      const refused = start(...wrong);
      expect(await refused.ended()).toBe(2);
      expect(refused.text).toContain(wrong.at(-1) === '1' ? '--prot' : String(wrong.at(-1)));
    }
    expect(existsSync(join(copy.folder, '.weir/local.json'))).toBe(false);
  });
});

function start(...args: readonly string[]): StartedProgram {
  return startWith({}, ...args);
}

function startWith(env: NodeJS.ProcessEnv, ...args: readonly string[]): StartedProgram {
  const program = new StartedProgram(['npm', 'start', '--', ...args], copy.folder, env);
  started.push(program);
  return program;
}

async function endAll(): Promise<void> {
  for (const program of started.splice(0)) await program.end();
}

function localFile(): LocalFile {
  return JSON.parse(readFileSync(join(copy.folder, '.weir/local.json'), 'utf8'));
}

/** Waits until no process, port or file is left. */
async function expectNothingLeft(pids: readonly number[], local: LocalFile | undefined): Promise<void> {
  await until(() => !pids.some(isAlive), `the processes ${pids.join(', ')} end`);
  for (const file of ['local.json', 'supervisor.json'])
    expect(existsSync(join(copy.folder, '.weir', file))).toBe(false);
  if (local === undefined) return;
  const urls = [local.page, local.nats, ...local.services.flatMap(({ url, admin }) => [url, admin])];
  for (const url of urls) expect([url, await isOpen(Number(new URL(url).port))]).toEqual([url, false]);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function publish(
  publisher: string,
  value: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await fetch(`${publisher}/v1/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ lane: 'state', channel: 'lobby', key: 'mine', data: value }),
  });
  return response.json();
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** A page's port that is free, with the ports after it and 10 above: below the system's ephemeral ports. */
async function freeRow(): Promise<number> {
  for (;;) {
    const page = 10_000 + 20 * Math.floor(Math.random() * 1000);
    const row = await Promise.all([0, 1, 2, 3, 11].map((n) => isOpen(page + n)));
    if (!row.includes(true)) return page;
  }
}

function listening(server: Server, port = 0): Promise<Server> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

function address(server: Server): AddressInfo {
  const where = server.address();
  if (where === null || typeof where === 'string') throw new Error('it does not listen');
  return where;
}
