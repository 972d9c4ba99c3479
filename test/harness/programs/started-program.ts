// One started program: its output, its end, and the processes below it. Judges nothing.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from '../small-cluster.ts';

export class StartedProgram {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<readonly [number | null, NodeJS.Signals | null]>;

  constructor(command: readonly [string, ...string[]], cwd: string, env: NodeJS.ProcessEnv = {}) {
    const [program, ...args] = command;
    this.#child = spawn(program, args, {
      cwd,
      env: { ...bareEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // its own process group, like the terminal's foreground group
    });
    this.#ended = once(this.#child, 'close').then(([code, signal]) => [code, signal] as const);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('it did not start');
    return this.#child.pid;
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** Waits for a line. Fails with all lines if the program ends or the deadline passes first. */
  async line(pattern: RegExp, deadlineMs = 60_000): Promise<string> {
    let found: string | undefined;
    const look = (): boolean => {
      found = this.lines.find((line) => pattern.test(line));
      return found !== undefined || this.#child.exitCode !== null;
    };
    await until(look, `a line ${pattern} in\n${this.text}`, deadlineMs);
    if (found === undefined) throw new Error(`no line ${pattern} in\n${this.text}`);
    return found;
  }

  /** Resolves with the exit code, or the signal that ended the program. */
  async ended(): Promise<number | string> {
    const [code, signal] = await this.#ended;
    return code ?? signal ?? 'unknown';
  }

  /** Sends SIGTERM to this process alone. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Sends SIGINT to the whole group, as Ctrl-C in a terminal does. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  /** All descendants of the program. */
  below(): readonly number[] {
    const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    const pairs = table
      .trim()
      .split('\n')
      .map((row) => row.trim().split(/\s+/).map(Number));
    const of = (parent: number): readonly number[] =>
      pairs.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid, ...of(pid)] : []));
    return of(this.pid);
  }

  /** Ends the program and its descendants, also after a failed test. */
  async end(): Promise<void> {
    const below = this.below();
    this.terminate();
    const late = setTimeout(() => {
      for (const pid of [...below, this.pid]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }, PATIENCE_MS);
    await this.#ended;
    clearTimeout(late);
  }
}

/** `npm start` ends its services within 8 s, or kills them. */
const PATIENCE_MS = 15_000;

/** Our environment without the variables that npm, vitest and a shell set for their children. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(WEIR_|NATS_|npm_|VITEST|NODE_OPTIONS|NODE_ENV|INIT_CWD)/.test(name),
  );
  return Object.fromEntries(kept);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
