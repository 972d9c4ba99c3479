// Owns the command that runs a server: as a program of this machine, or in a container. Does not manage the process.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths and port of one start. */
export interface Place {
  readonly folder: string;
  readonly storeDir: string;
  /** 0 picks a free port. */
  readonly port: number;
}

export interface Launch {
  /** Lines of the configuration file. */
  config(place: Place): readonly string[];
  /** Command line of a process that lives as long as the server. */
  command(place: Place): readonly string[];
  /** The server's port; undefined until it is known. */
  portOf(place: Place): Promise<number | undefined>;
  /** Kills the server, if a SIGKILL of the process does not. */
  readonly killAtOnce?: () => Promise<void>;
}

/** The folder of the file into which the server writes its port. */
export function portsFolder(folder: string): string {
  return join(folder, 'ports');
}

const quoted = (path: string): string => JSON.stringify(path);

/** Runs the binary. It picks a free port itself and writes it to a file, so no other process can take it first. */
export function binaryLaunch(path: string): Launch {
  return {
    config: ({ folder, storeDir, port }) => [
      'host: 127.0.0.1',
      `port: ${port === 0 ? -1 : port}`,
      `ports_file_dir: ${quoted(portsFolder(folder))}`,
      `jetstream { store_dir: ${quoted(storeDir)} }`,
    ],
    command: ({ folder }) => [path, '-c', join(folder, 'nats.conf')],
    portOf: async ({ folder }) => {
      const ports = portsFolder(folder);
      const file = (await readdir(ports)).find((name) => name.endsWith('.ports'));
      if (file === undefined) return undefined;
      const url = /nats:\/\/[^"]*:(\d+)"/.exec(await readFile(join(ports, file), 'utf8'))?.[1];
      return url === undefined ? undefined : Number(url);
    },
  };
}

const INSIDE = { conf: '/weir/nats.conf', store: '/weir-store', port: 4222 } as const;

/** Runs the image with configuration and data mounted; docker picks the free port. */
export function containerLaunch(image: string): Launch {
  const name = `weir-nats-${randomBytes(6).toString('hex')}`;
  return {
    config: () => [
      'host: 0.0.0.0',
      `port: ${INSIDE.port}`,
      `jetstream { store_dir: ${quoted(INSIDE.store)} }`,
    ],
    command: ({ folder, storeDir, port }) => {
      const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
      const ports = `127.0.0.1:${port === 0 ? '' : port}:${INSIDE.port}`;
      const mounts = ['--volume', `${folder}:/weir:ro`, '--volume', `${storeDir}:${INSIDE.store}`];
      const options = ['--rm', '--init', '--name', name, '--user', user, '--publish', ports, ...mounts];
      return ['docker', 'run', ...options, image, '-c', INSIDE.conf];
    },
    portOf: async () => {
      try {
        const { stdout } = await run('docker', ['port', name, `${INSIDE.port}/tcp`], { timeout: 10_000 });
        const port = /:(\d+)\s*$/m.exec(stdout)?.[1];
        return port === undefined ? undefined : Number(port);
      } catch {
        return undefined; // not running yet
      }
    },
    killAtOnce: async () => {
      await run('docker', ['kill', '--signal', 'KILL', name], { timeout: 20_000 }).catch(() => {});
    },
  };
}
