// An empty folder into which the packed SDK is installed, as an application has it: `npm pack`, then `npm install` without
// a registry. What else an application would have beside it (React, `ws`) is linked from here.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

export class Installed {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `beside`: the packages of this project's node_modules that the application has too. */
  static async install(beside: readonly string[]): Promise<Installed> {
    const installed = new Installed(mkdtempSync(join(tmpdir(), 'weir-installed-')));
    const { folder } = installed;
    const packages = ['-w', 'packages/client', '-w', 'packages/react'];
    await run('npm', ['pack', ...packages, '--pack-destination', folder, '--silent', '--ignore-scripts'], {
      cwd: ROOT,
    });
    const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
    installed.write('package.json', '{ "private": true }');
    const quiet = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--legacy-peer-deps'];
    await run('npm', ['install', ...quiet, ...tarballs.map((file) => `./${file}`)], { cwd: folder });
    for (const name of beside) {
      const link = join(folder, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
    return installed;
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** Runs a file of the folder with the Node at hand; what it wrote. */
  async node(file: string, ...args: readonly string[]): Promise<string> {
    return (await run(process.execPath, [file, ...args], { cwd: this.folder })).stdout;
  }

  /** Runs a program of this project's node_modules in the folder. Throws what it complained about. */
  async tool(path: string, args: readonly string[]): Promise<void> {
    try {
      await run(join(ROOT, 'node_modules', path), [...args], { cwd: this.folder });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${path} ${args.join(' ')}:\n${stdout}${stderr}`);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
