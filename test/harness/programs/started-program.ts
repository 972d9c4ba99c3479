// Owns one started program: its lines, its end, and which processes it has below it. Judges nothing.
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
      detached: true, // a group of its own, as the terminal's foreground group is
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

  /** Waits for a line; fails, with all lines, where the program ends or the time is over before. */
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

  /** Resolves to the exit code, or the signal that ended it. */
  async ended(): Promise<number | string> {
    const [code, signal] = await this.#ended;
    return code ?? signal ?? 'unknown';
  }

  /** SIGTERM to this one process. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** What Ctrl-C in a terminal does: SIGINT to the whole group. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  /** All processes that it has started, and they, and so on. */
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

  /** For the end of a test, also of one that failed: nothing of it is left. */
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

/** Ours, without what npm, vitest and a person's shell tell the programs that they start. */
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
