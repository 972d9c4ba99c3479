// Runs stranger.py, a client written from docs/protocol.md alone, and reads its output, one JSON object a line.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pythonEnvironment } from './python.ts';

export type Said = Readonly<Record<string, unknown>>;

export class StrangerClient {
  readonly said: Said[] = [];
  errors = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  /** `env` may have WEIR_TOKEN and WEIR_CLASS. */
  constructor(router: string, channels: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const script = fileURLToPath(new URL('stranger.py', import.meta.url));
    this.#child = spawn('python3', [script], {
      env: { ...pythonEnvironment(), WEIR_ROUTER: router, WEIR_CHANNELS: channels.join(','), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let rest = '';
    this.#child.stdout?.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.said.push(JSON.parse(line));
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  of(event: string): readonly Said[] {
    return this.said.filter((one) => one['event'] === event);
  }

  last(event: string): Said | undefined {
    return this.of(event).at(-1);
  }

  /** The newest state of a channel that the client printed. */
  state(channel: string): unknown {
    return this.said.findLast((one) => one['event'] === 'state' && one['channel'] === channel)?.['values'];
  }

  ids(channel: string): readonly number[] {
    return this.of('critical').flatMap((one) => (one['channel'] === channel ? [Number(one['id'])] : []));
  }

  do(what: 'subscribe' | 'unsubscribe' | 'cut' | 'close', channel?: string): void {
    this.#child.stdin?.write(`${JSON.stringify({ do: what, channel })}\n`);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}
