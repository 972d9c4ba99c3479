// Owns the one child process of a nats-server: start until it answers, end until it is gone, notice a crash.
// The server must never outlive this process: a watcher in the shell that becomes the server enforces that.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Launch, type Place, portsFolder } from './launch.ts';
import { readServerInfo } from './server-info.ts';

/**
 * `sh` turns into the server (same process id) and leaves a watcher that reads a pipe from this process. A line on the
 * pipe means a normal end. If the pipe ends without a line, this process was killed: the watcher then kills the server
 * and removes its temporary folder.
 */
const WATCHED = `
remove=$1; shift
(
  if read -r _ <&3; then exit 0; fi
  kill -TERM $$; n=0
  while kill -0 $$ && [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); done
  kill -KILL $$
  if [ -n "$remove" ]; then rm -rf -- "$remove"; fi
) >/dev/null 2>&1 &
exec "$@" 3<&-
`;

const WATCHER_FD = 3;

/** A start takes 50 ms. The deadline allows for a machine under load, or a container that must be unpacked. */
const START_DEADLINE_MS = 30_000;
/** Time for a server to end before it is killed. */
const END_DEADLINE_MS = 5000;
/** How long a restart waits for its own port, which another process's connection may hold for a moment. */
const PORT_DEADLINE_MS = 10_000;
const POLL_MS = 15;
const KEPT_LINES = 20;

export interface NatsProcessOptions {
  readonly launch: Launch;
  readonly folder: string;
  readonly storeDir: string;
  /** Removed if this process is killed; undefined removes nothing. */
  readonly removable: string | undefined;
  readonly log: (line: string) => void;
  readonly writeConfig: (lines: readonly string[]) => Promise<string>;
}

export class NatsProcess {
  readonly #options: NatsProcessOptions;
  readonly #crashListeners: ((how: string) => void)[] = [];
  #child: ChildProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #answers = false;
  #port = 0;
  #lastLines: string[] = [];

  constructor(options: NatsProcessOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  onCrash(listener: (how: string) => void): void {
    this.#crashListeners.push(listener);
  }

  /** Starts the server and waits until it answers; a restart first waits for its old port to become free. */
  async start(port: number): Promise<void> {
    const patientUntil = this.#port === 0 ? 0 : performance.now() + PORT_DEADLINE_MS;
    for (;;) {
      try {
        await this.#startOnce(port);
        return;
      } catch (error) {
        await this.end('SIGKILL');
        if (performance.now() >= patientUntil) throw error;
        await delay(200);
      }
    }
  }

  /** Ends the server by a signal, and by SIGKILL if that takes too long; resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) {
      await this.#gone; // another process ended it, or it ended by itself
      return;
    }
    if (signal === 'SIGKILL') await this.#options.launch.killAtOnce?.();
    child.kill(signal);
    const late = setTimeout(() => {
      void this.#options.launch.killAtOnce?.();
      child.kill('SIGKILL');
    }, END_DEADLINE_MS);
    await this.#gone;
    clearTimeout(late);
  }

  async #startOnce(port: number): Promise<void> {
    const { launch, folder, storeDir, removable } = this.#options;
    const place: Place = { folder, storeDir, port };
    await rm(portsFolder(folder), { recursive: true, force: true });
    await mkdir(portsFolder(folder), { recursive: true });
    await this.#options.writeConfig(launch.config(place));
    this.#lastLines = [];
    const child = spawn('sh', ['-c', WATCHED, 'nats-server', removable ?? '', ...launch.command(place)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'], // not stdin, which Node closes by itself when the child ends
      detached: true, // its own group: Ctrl-C in a terminal reaches only this process, which stops the server last
    });
    this.#answers = false;
    this.#gone = once(child, 'exit').catch(() => {}); // an error means that it never started
    this.#child = child;
    this.#attend(child);
    await this.#untilItAnswers(child, place);
  }

  #attend(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#lastLines = [...this.#lastLines.slice(1 - KEPT_LINES), line];
        this.#options.log(line);
      });
    }
    const watcher = child.stdio[WATCHER_FD];
    watcher?.on('error', () => {}); // it is gone already
    child.once('exit', (code, signal) => {
      if (watcher instanceof Writable) watcher.end('over\n');
      if (this.#child !== child) return;
      this.#child = undefined;
      if (!this.#answers) return;
      const how = signal === null ? `exit code ${code}` : signal;
      for (const listener of this.#crashListeners) listener(how);
    });
  }

  async #untilItAnswers(child: ChildProcess, place: Place): Promise<void> {
    const until = performance.now() + START_DEADLINE_MS;
    let failed: Error | undefined;
    child.once('error', (error) => {
      failed = error;
    });
    while (performance.now() < until) {
      if (failed !== undefined) throw failed;
      if (child.exitCode !== null || child.signalCode !== null) throw this.#startError('ended at once');
      const port = await this.#options.launch.portOf(place);
      if (port !== undefined && (await answers(port))) {
        this.#port = port;
        this.#answers = true;
        return;
      }
      await delay(POLL_MS);
    }
    throw this.#startError(`did not answer within ${START_DEADLINE_MS / 1000} s`);
  }

  #startError(what: string): Error {
    const said = this.#lastLines.slice(-5).map((line) => `\n  ${line}`);
    return new Error(`nats-server ${what}${said.join('')}`);
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await readServerInfo(`nats://127.0.0.1:${port}`, 1000)).version !== '';
  } catch {
    return false;
  }
}
