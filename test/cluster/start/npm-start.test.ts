// `npm start` as a person and a script meet it: real npm, real processes, in a copy of the project.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askRouter, BareClient } from '../../harness/bare-client.ts';
import { copyProject, type ProjectCopy } from '../../harness/programs/project-copy.ts';
import { isAlive, StartedProgram } from '../../harness/programs/started-program.ts';
import { until } from '../../harness/small-cluster.ts';

interface LocalFile {
  readonly router: string;
  readonly publisher: string;
  readonly nats: string;
  readonly page: string;
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

  it('prints the URLs, the first of them a page with the SDK, and one line that begins with ready', async () => {
    const local = localFile();
    const urls = cluster.text.match(/\b(?:https?|wss?|nats):\/\/[^\s)]+/g) ?? [];
    expect(urls[0]).toBe(local.page);
    expect(urls).toEqual(
      expect.arrayContaining([
        local.nats,
        `${local.router}/v1/connect?channels=lobby`,
        `${local.publisher}/v1/publish`,
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
  });

  it('says where everything is in .weir/local.json', async () => {
    const local = localFile();
    expect(local.router).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(local.publisher).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(local.nats).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    const kinds = local.services.map(({ name, pool }) => (pool === undefined ? name : `${name} ${pool}`));
    expect(kinds.sort()).toEqual(['publisher', 'router', 'shard desktop', 'shard desktop', 'shard mobile']);
    expect(new Set(local.services.map(({ id }) => id)).size).toBe(5);
    const below = cluster.below();
    for (const { name, pid, url, admin } of local.services) {
      expect(below).toContain(pid);
      expect(url).toMatch(name === 'publisher' ? /^http:/ : /^ws:/);
      expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    }
  });

  it('serves the demo feed to a client that knows the router alone', async () => {
    const { router } = localFile();
    const client = await BareClient.connect(router, 'channels=lobby');
    await until(() => client.state.size > 0 && client.of('cosmetic').length > 0, 'the lobby plays');
    client.close();
    expect(client.redirect['pool']).toBe('desktop');
    const asked = await askRouter(`${router}/v1/connect?channels=lobby&class=mobile`);
    expect(asked['pool']).toBe('mobile');
  });

  it('started again says that one runs and where, and leaves it alone', async () => {
    const local = localFile();
    const second = start('--port', '0');
    expect(await second.ended()).toBe(1);
    for (const where of [String(local.pid), local.page, local.router, local.publisher, local.nats])
      expect(second.text).toContain(where);
    expect(second.text).toMatch(/runs from here already/);
    expect(localFile()).toEqual(local);
    expect((await fetch(local.page)).status).toBe(200);
  });

  it.each(['shard', 'router', 'publisher'])(
    'reports a %s that is killed, and starts it again',
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

  it('reports a NATS server that is killed, and starts it again', async () => {
    const local = localFile();
    const known = new Set(local.services.map(({ pid }) => pid));
    const nats = cluster.below().find((pid) => !known.has(pid) && /nats-server/.test(commandOf(pid)));
    if (nats === undefined) return; // in a container: not a process of ours
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
    expect(pids.length).toBeGreaterThanOrEqual(6); // five services and NATS, beside npm's own
    const data = pids.flatMap((pid) => /-c (\S+)\/nats\.conf/.exec(commandOf(pid))?.[1] ?? []);
    cluster.interrupt();
    await cluster.ended();
    await expectNothingLeft(pids, local);
    for (const folder of data) expect([folder, existsSync(folder)]).toEqual([folder, false]);
  });
});

describe('npm start --no-demo --port', { timeout: 120_000 }, () => {
  afterEach(endAll);

  it('publishes nothing, has its page where it was told, and stops everything on SIGTERM', async () => {
    const port = await freePort();
    const cluster = start('--no-demo', '--port', String(port));
    await cluster.line(/^ready/, 120_000);
    const local = localFile();
    expect(local.page).toBe(`http://127.0.0.1:${port}`);
    const client = await BareClient.connect(local.router, 'channels=lobby');
    await until(() => client.of('welcome').length === 1, 'a client is welcome');
    expect(await publish(local.publisher, 1)).toMatchObject({ seq: 1 });
    await until(() => client.state.size === 1, 'the message is there');
    await new Promise((resolve) => setTimeout(resolve, 1200)); // the demo has a turn every half a second
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

  it('cleans up after a supervisor that was killed', async () => {
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

  it('tells of a port that is taken, and starts nothing', async () => {
    const other = await listening(createServer());
    const { port } = address(other);
    const refused = start('--port', String(port));
    expect(await refused.ended()).toBe(1);
    expect(refused.text).toContain(`port ${port} is taken`);
    expect(refused.text).not.toMatch(/^\s+at /m);
    await expectNothingLeft(refused.below(), undefined);
    other.close();
  });

  it('prints its help, and refuses what it does not know', async () => {
    const help = start('--help');
    expect(await help.ended()).toBe(0);
    for (const flag of ['--port', '--no-demo', '--help']) expect(help.text).toContain(flag);
    for (const wrong of [['--prot', '1'], ['--port', 'abc'], ['--port', '70000'], ['extra']]) {
      const refused = start(...wrong);
      expect(await refused.ended()).toBe(2);
      expect(refused.text).toContain(wrong.at(-1) === '1' ? '--prot' : String(wrong.at(-1)));
    }
    expect(existsSync(join(copy.folder, '.weir/local.json'))).toBe(false);
  });
});

function start(...args: readonly string[]): StartedProgram {
  const program = new StartedProgram(['npm', 'start', '--', ...args], copy.folder);
  started.push(program);
  return program;
}

async function endAll(): Promise<void> {
  for (const program of started.splice(0)) await program.end();
}

function localFile(): LocalFile {
  return JSON.parse(readFileSync(join(copy.folder, '.weir/local.json'), 'utf8'));
}

/** No process, no port, no file. */
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

async function publish(publisher: string, value: number): Promise<unknown> {
  const response = await fetch(`${publisher}/v1/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
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

async function freePort(): Promise<number> {
  const server = await listening(createServer());
  const { port } = address(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listening(server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function address(server: Server): AddressInfo {
  const where = server.address();
  if (where === null || typeof where === 'string') throw new Error('it does not listen');
  return where;
}
