// The programs of Markdown pages, saved into one folder as a reader would, with the packages of this project beside them
// and the addresses of a cluster in place of the printed ones.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fencedFiles } from './fenced-blocks.ts';
import { StartedProgram } from './started-program.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export class PrintedFolder {
  readonly folder: string;
  readonly #running: StartedProgram[] = [];

  /** `places`: what stands in the pages, and what stands here. */
  constructor(pages: readonly string[], places: Readonly<Record<string, string>>) {
    // Below the project, so that the programs find packages as they would in an application of their own.
    mkdirSync(join(ROOT, '.cache'), { recursive: true });
    this.folder = mkdtempSync(join(ROOT, '.cache/printed-'));
    for (const page of pages)
      for (const [name, text] of fencedFiles(readFileSync(join(ROOT, page), 'utf8'))) {
        const here = Object.entries(places).reduce((so, [from, to]) => so.replaceAll(from, to), text);
        writeFileSync(join(this.folder, name), here);
      }
  }

  /** Starts a program in the folder; it ends with the folder. */
  start(...command: readonly [string, ...string[]]): StartedProgram {
    const program = new StartedProgram(command, this.folder);
    this.#running.push(program);
    return program;
  }

  node(...args: readonly string[]): StartedProgram {
    return this.start(process.execPath, ...args);
  }

  async remove(): Promise<void> {
    await Promise.all(this.#running.map((program) => program.end()));
    rmSync(this.folder, { recursive: true });
  }
}
