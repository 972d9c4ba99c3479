// Owns one nats-server process of this machine: its temporary folder, its port, its end.
// Must never leave a process or a folder behind, not even when the process that started it is killed.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FindOptions, findNatsServer, type NatsProgram } from './find-nats-server.ts';
import { binaryLaunch, containerLaunch } from './launch.ts';
import { NatsProcess } from './nats-process.ts';

export interface StartNatsOptions {
  /** The port to listen on at 127.0.0.1; 0 (default) lets the server pick a free one. */
  readonly port?: number;
  /** Folder of JetStream's data; by default a temporary one. A folder given here is never removed. */
  readonly storeDir?: string;
  /** Keeps the temporary data when the server stops. */
  readonly keepStore?: boolean;
  /** More lines for the server's configuration file, for instance `max_payload: 1048576`. */
  readonly config?: readonly string[];
  /** The server to run; without it, one is found or fetched. */
  readonly program?: NatsProgram;
  /** Gets lines about how the server was found. */
  readonly say?: (line: string) => void;
  /** Gets each line of the server's own log. */
  readonly log?: (line: string) => void;
}

export interface NatsServer {
  readonly url: string;
  /** Stays the same over `restart()`. */
  readonly port: number;
  /** Id of the running process; undefined if none runs. */
  readonly pid: number | undefined;
  readonly storeDir: string;
  /** Ends the server and removes its temporary data. May be called more than once. */
  stop(): Promise<void>;
  /** Ends the process by a signal and resolves when it is gone; data and port stay for `restart()`. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Restarts the server on the same port with the same data, and first ends a process that still runs. */
  restart(): Promise<void>;
  /** Called whenever the process ends without a call of `stop`, `kill` or `restart`. */
  onCrash(listener: (how: string) => void): void;
}

/** Starts a JetStream server on 127.0.0.1 and resolves when it answers. */
export async function startNatsServer(options: StartNatsOptions = {}): Promise<NatsServer> {
  const { port = 0, keepStore = false, config = [], log = () => {} } = options;
  const find: FindOptions = options.say === undefined ? {} : { say: options.say };
  const program = options.program ?? (await findNatsServer(find));
  const folder = await mkdtemp(join(tmpdir(), 'weir-nats-'));
  const storeDir = options.storeDir ?? join(folder, 'store');
  const removable = keepStore ? undefined : folder;
  try {
    await mkdir(storeDir, { recursive: true });
    const launch = program.kind === 'binary' ? binaryLaunch(program.path) : containerLaunch(program.image);
    const process = new NatsProcess({ launch, folder, storeDir, removable, log, writeConfig });
    await process.start(port);
    return server(process, storeDir, removable);
  } catch (error) {
    if (removable !== undefined) await rm(removable, { recursive: true, force: true });
    throw error;
  }

  async function writeConfig(lines: readonly string[]): Promise<string> {
    const path = join(folder, 'nats.conf');
    await writeFile(path, `${[...lines, ...config].join('\n')}\n`);
    return path;
  }
}

function server(process: NatsProcess, storeDir: string, removable: string | undefined): NatsServer {
  return {
    get url() {
      return `nats://127.0.0.1:${process.port}`;
    },
    get port() {
      return process.port;
    },
    get pid() {
      return process.pid;
    },
    storeDir,
    kill: (signal = 'SIGKILL') => process.end(signal),
    restart: async () => {
      await process.end('SIGTERM');
      await process.start(process.port);
    },
    stop: async () => {
      await process.end('SIGTERM');
      if (removable !== undefined) await rm(removable, { recursive: true, force: true, maxRetries: 3 });
    },
    onCrash: (listener) => process.onCrash(listener),
  };
}
