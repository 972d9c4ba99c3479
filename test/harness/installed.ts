// Installs the packed SDK into an empty folder as an application would: `npm pack`, then `npm install` without a
// registry. Other packages that an application would have (React, `ws`) are linked from this project.
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Code of an application after it has `connect`: waits until a channel has keys, then prints them. */
export const SHOWS_LOBBY = `
const weir = connect({ url: globalThis.router ?? process.argv[2], channels: ['lobby'] });
weir.channel('lobby').on('state', ({ set }) => {
  const say = globalThis.say ?? console.log;
  say([...set].join(' '));
  weir.close();
});
`;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
/** The folders of what is installed. */
const PACKAGES: readonly string[] = ['client', 'react'];

interface Beside {
  readonly beside?: readonly string[];
  readonly fetched?: readonly string[];
}

export class Installed {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `beside`: packages linked from this project's node_modules. `fetched`: packages of the registry (name@version). */
  static async install({ beside = [], fetched = [] }: Beside): Promise<Installed> {
    const installed = new Installed(mkdtempSync(join(tmpdir(), 'weir-installed-')));
    const { folder } = installed;
    installed.write('package.json', '{ "private": true }');
    const flags = ['--no-package-lock', '--legacy-peer-deps', ...(fetched.length === 0 ? ['--offline'] : [])];
    await installed.#npmInstall([...flags, ...fetched], PACKAGES);
    for (const name of beside) {
      const link = join(folder, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
    return installed;
  }

  /** An application of examples/, outside of this repository, with all that its package.json asks for. */
  static async example(name: string): Promise<Installed> {
    const installed = new Installed(mkdtempSync(join(tmpdir(), `weir-${name}-`)));
    cpSync(join(ROOT, 'examples', name), installed.folder, {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist)$|\.tgz$/.test(path),
    });
    const packages = PACKAGES.filter((one) => installed.read('package.json').includes(`"@weir/${one}"`));
    await installed.#npmInstall(['--no-save'], packages);
    return installed;
  }

  /** Installs the packed SDK beside what `args` say. */
  async #npmInstall(args: readonly string[], packages: readonly string[]): Promise<void> {
    const cwd = this.folder;
    const which = packages.flatMap((one) => ['-w', `packages/${one}`]);
    await run('npm', ['pack', ...which, '--pack-destination', cwd, '--silent', '--ignore-scripts'], {
      cwd: ROOT,
    });
    const tarballs = readdirSync(cwd).filter((file) => file.endsWith('.tgz'));
    const files = tarballs.map((file) => `./${file}`);
    await run('npm', ['install', '--no-audit', '--no-fund', ...args, ...files], { cwd });
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8');
  }

  /** Runs a file of the folder with this Node. Resolves with its output. */
  node(file: string, ...args: readonly string[]): Promise<string> {
    return this.#run(process.execPath, [file, ...args]);
  }

  /** Runs a program of this project's node_modules in the folder. Resolves with its output. */
  tool(path: string, args: readonly string[]): Promise<string> {
    return this.#run(join(ROOT, 'node_modules', path), args);
  }

  /** Runs a program of the folder's node_modules. Resolves with its output. */
  own(path: string, args: readonly string[]): Promise<string> {
    return this.#run(this.path(`node_modules/${path}`), args);
  }

  /** Throws with the program's output if it fails. */
  async #run(program: string, args: readonly string[]): Promise<string> {
    try {
      return (await run(program, [...args], { cwd: this.folder })).stdout;
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${program} ${args.join(' ')}:\n${stdout}${stderr}`);
    }
  }

  /** Unpacks a package of the registry into a folder, without its dependencies. */
  async pack(spec: string, folder: string): Promise<void> {
    mkdirSync(this.path(folder), { recursive: true });
    const file = await run('npm', ['pack', spec, '--silent'], { cwd: this.folder });
    await run('tar', ['-xzf', file.stdout.trim(), '-C', folder], { cwd: this.folder });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
