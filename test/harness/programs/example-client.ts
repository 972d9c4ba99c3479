// Runs a program of docs/raw-websocket.md against a router and reads its output, one JSON value a line.
// Works with the scripted router of these tests and with a real cluster's.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fencedFiles } from './fenced-blocks.ts';
import { pythonEnvironment, whyNoPython } from './python.ts';

const root = new URL('../../../', import.meta.url).pathname;

/** The programs of the page, named by the file with the client. */
export const programs = ['weir-short.mjs', 'weir-moves.mjs', 'weir_short.py', 'weir_moves.py'] as const;
export type Program = (typeof programs)[number];

/** Why a program cannot run here; undefined if it can. */
export function whyNot(program: Program): string | undefined {
  return program.endsWith('.py') ? whyNoPython() : undefined;
}

export interface Said {
  readonly type: string;
  readonly lobby?: Readonly<Record<string, unknown>>;
  readonly id?: number;
  readonly data?: unknown;
  readonly reset?: boolean;
  readonly code?: number;
}

export class ExampleClient {
  readonly said: Said[] = [];
  errors = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    let rest = '';
    child.stdout?.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.said.push(JSON.parse(line));
    });
    child.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
    this.exited = new Promise((resolve) => child.once('exit', resolve));
  }

  static async start(program: Program, router: string): Promise<ExampleClient> {
    // The folder is below the project, so that the program finds `ws` as it would in an application.
    await mkdir(join(root, '.cache'), { recursive: true });
    const folder = await mkdtemp(join(root, '.cache/example-'));
    for (const [name, text] of fencedFiles(await readFile(join(root, 'docs/raw-websocket.md'), 'utf8'))) {
      // The page shows one application for both JavaScript clients.
      const isApp = name === 'app.mjs';
      await writeFile(join(folder, name), isApp ? text.replace('weir-short.mjs', program) : text);
    }
    const [command, file] = program.endsWith('.py') ? ['python3', program] : [process.execPath, 'app.mjs'];
    const child = spawn(command, [join(folder, file)], {
      env: { ...pythonEnvironment(), WEIR_ROUTER: router },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ExampleClient(child, folder);
  }

  /** The newest state that the program printed. */
  get lobby(): Readonly<Record<string, unknown>> | undefined {
    return this.said.findLast(({ type }) => type === 'state')?.lobby;
  }

  get criticalIds(): readonly (number | undefined)[] {
    return this.said.filter(({ type }) => type === 'critical').map(({ id }) => id);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
