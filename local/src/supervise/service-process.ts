// One process of a service: its start, its output, and its addresses.
// Restarts nothing: the supervisor does, and the tests, which kill processes on purpose, do not.
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Listening, parseListening } from './service-spec.ts';

export interface ServiceProcessOptions
  extends Pick<ForkOptions, 'env' | 'detached' | 'execPath' | 'execArgv'> {
  /** Its name in errors. */
  readonly name: string;
  /** The program: a module for Node. */
  readonly script: string;
  /** Gets each line of its output and of its errors. */
  readonly onLine: (line: string) => void;
}

export class ServiceProcess {
  readonly child: ChildProcess;
  /** Resolves when the process is gone, also if it never started. */
  readonly gone: Promise<unknown>;
  readonly #name: string;

  constructor({ name, script, onLine, ...options }: ServiceProcessOptions) {
    this.#name = name;
    this.child = fork(script, [], { execArgv: [], ...options, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.gone = once(this.child, 'exit').catch(() => {}); // an error means that the process never started
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', onLine);
  }

  /** Its addresses, from its own message. Rejects if the process ends before, or if `late` is aborted first. */
  untilListening(late: AbortSignal): Promise<Listening> {
    return new Promise((resolve, reject) => {
      this.child.on('message', (message) => {
        const listening = parseListening(message);
        if (listening !== undefined) resolve(listening);
      });
      void this.gone.then(() => reject(new Error(`${this.#name} ended at once (${this.howItEnded})`)));
      const give = (): void => reject(new Error(`${this.#name} did not listen in time`));
      late.addEventListener('abort', give, { once: true });
    });
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get howItEnded(): string {
    return this.child.signalCode ?? `exit code ${this.child.exitCode}`;
  }
}
