import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { findNatsServer } from './find-nats-server.ts';
import { containerLaunch } from './launch.ts';
import { NatsProcess } from './nats-process.ts';
import { readServerInfo } from './server-info.ts';
import { type NatsServer, type StartNatsOptions, startNatsServer } from './start-nats-server.ts';

const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function started(options: StartNatsOptions = {}): Promise<NatsServer> {
  const server = await startNatsServer(options);
  endings.push(() => server.stop());
  return server;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(10);
}

/** Whether a NATS server answers at the URL. */
async function answers(url: string): Promise<boolean> {
  return readServerInfo(url).then(
    () => true,
    () => false,
  );
}

describe('startNatsServer', () => {
  it('answers with JetStream on, and leaves neither process nor folder behind', async () => {
    const server = await started();
    expect(await readServerInfo(server.url)).toMatchObject({ jetstream: true });
    const { pid = 0, storeDir } = server;
    expect(existsSync(storeDir)).toBe(true);
    await Promise.all([server.stop(), server.stop()]);
    expect(() => process.kill(pid, 0)).toThrow();
    expect(existsSync(storeDir)).toBe(false);
    expect(server.pid).toBeUndefined();
  });

  it('gives every server its own port', async () => {
    const servers = await Promise.all([started(), started(), started()]);
    expect(new Set(servers.map((one) => one.port)).size).toBe(3);
  });

  it('restarts on the same port after a kill, and reports no crash', async () => {
    const server = await started();
    const crashes: string[] = [];
    server.onCrash((how) => crashes.push(how));
    const { url, pid } = server;
    await server.kill();
    expect(await answers(url)).toBe(false);
    await server.restart();
    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    expect(await answers(url)).toBe(true);
    expect(crashes).toEqual([]);
  });

  it('keeps its data over a kill, a crash and a restart', async () => {
    const server = await started();
    const mark = join(server.storeDir, 'mark');
    await writeFile(mark, '');
    await server.kill();
    await server.restart();
    process.kill(server.pid ?? 0, 'SIGKILL');
    await until(() => server.pid === undefined);
    await server.restart();
    await server.restart();
    expect(existsSync(mark)).toBe(true);
  });

  it('reports a crash', async () => {
    const server = await started();
    const crash = new Promise((resolve) => server.onCrash(resolve));
    process.kill(server.pid ?? 0, 'SIGKILL');
    expect(await crash).toBe('SIGKILL');
    await server.restart();
    expect(await answers(server.url)).toBe(true);
  });

  it('delays a restart while another program holds the port', async () => {
    const server = await started();
    await server.kill();
    const other = createServer().listen(server.port, '127.0.0.1');
    const restarted = server.restart();
    await delay(300);
    other.close();
    await restarted;
    expect(await answers(server.url)).toBe(true);
  });

  it("rejects a used port, with the server's own message", async () => {
    const first = await started();
    await expect(startNatsServer({ port: first.port })).rejects.toThrow(/address already in use/);
  });

  it('accepts further lines of configuration', async () => {
    const server = await started({ config: ['server_name: "odd-one"'] });
    await expect(startNatsServer({ config: ['no such thing'] })).rejects.toThrow(/nats-server ended at once/);
    expect(await answers(server.url)).toBe(true);
  });

  it('leaves a store folder that the caller gave', async () => {
    const storeDir = await mkdtemp(join(tmpdir(), 'weir-store-'));
    endings.push(() => rm(storeDir, { recursive: true }));
    const server = await started({ storeDir });
    await server.stop();
    expect(existsSync(storeDir)).toBe(true);
  });

  it('ends and removes its folder when its parent process is killed', async () => {
    const script = join(await mkdtemp(join(tmpdir(), 'weir-orphan-')), 'start.mjs');
    endings.push(() => rm(join(script, '..'), { recursive: true }));
    const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
    const text = `const { startNatsServer } = await import(${JSON.stringify(dist)});
      const server = await startNatsServer();
      console.log(JSON.stringify([server.url, server.storeDir]));`;
    await writeFile(script, text);
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await new Promise<string[]>((resolve) =>
      createInterface({ input: child.stdout }).once('line', (text) => resolve([text])),
    );
    const [url, storeDir] = JSON.parse(line ?? '');
    expect(await answers(url)).toBe(true);
    child.kill('SIGKILL');
    await until(async () => !(await answers(url)));
    await until(() => !existsSync(storeDir));
  });
});

describe('containerLaunch', () => {
  it('runs, restarts and kills a server through docker', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-docker-'));
    endings.push(() => rm(folder, { recursive: true }));
    const program = await findNatsServer();
    const binary = program.kind === 'binary' ? program.path : '';
    const before = process.env['PATH'];
    process.env['PATH'] = `${folder}:${before}`;
    endings.push(async () => {
      process.env['PATH'] = before;
    });
    await writeFile(join(folder, 'docker'), dockerOf(binary, folder));
    await chmod(join(folder, 'docker'), 0o755);
    const nats = new NatsProcess({
      launch: containerLaunch('nats:test'),
      folder,
      storeDir: join(folder, 'store'),
      removable: undefined,
      log: () => {},
      writeConfig: async () => '',
    });
    endings.push(() => nats.end('SIGKILL'));
    await nats.start(0);
    const { port } = nats;
    expect(await answers(`nats://127.0.0.1:${port}`)).toBe(true);
    await nats.end('SIGKILL');
    expect(await answers(`nats://127.0.0.1:${port}`)).toBe(false);
    await nats.start(port);
    expect(nats.port).toBe(port);
  });
});

/** A docker that knows `run`, `port` and `kill`, and runs the binary where docker would run the image. */
function dockerOf(binary: string, folder: string): string {
  return `#!/bin/sh
case "$1" in
  run)
    while [ "$1" != --publish ]; do shift; done
    port=$(echo "$2" | cut -d: -f2)
    echo $$ > ${folder}/container.pid
    rm -rf ${folder}/taken; mkdir ${folder}/taken
    exec ${binary} --addr 127.0.0.1 --port "\${port:--1}" -js -sd ${folder}/store --ports_file_dir ${folder}/taken ;;
  port) sed -n 's|.*nats://\\(127.0.0.1:[0-9]*\\)".*|\\1|p' ${folder}/taken/*.ports ;;
  kill) kill -KILL $(cat ${folder}/container.pid) ;;
esac
`;
}
