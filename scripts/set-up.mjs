// Owns the prerequisites of every command: the right Node, the packages of the lock file, a build. Plain Node, because
// nothing is installed yet when it runs. Must never need anything but npm's registry.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withProgress } from './progress.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOWEST_NODE = [20, 19];

/** A reason to stop, printed without a stack trace. */
class SetUpError extends Error {}

/** Runs the body of a command; a set-up error becomes one clear message and exit code 1. */
export async function command(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** Node, packages, build: in this order, each only if needed. `before` may refuse the installation with a message. */
export async function setUp({ before = async () => undefined } = {}) {
  checkNode(process.versions.node);
  if (!isInstalled(ROOT)) {
    const refusal = await before();
    if (refusal !== undefined) throw new SetUpError(refusal);
    await install(ROOT);
  }
  await build();
}

/** Installs what the lock file of a folder says, where that is not there. */
export async function installInto(folder) {
  if (!isInstalled(folder)) await install(folder);
}

export function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [lowestMajor, lowestMinor] = LOWEST_NODE;
  if (major > lowestMajor || (major === lowestMajor && minor >= lowestMinor)) return;
  throw new SetUpError(
    `Weir needs Node ${LOWEST_NODE.join('.')} or later; this is ${version} (${process.execPath})`,
  );
}

/** Runs a tool that is installed in a folder; resolves with its exit code. Forwards our signals to it. */
export function runTool(name, args, { folder = ROOT, ...options } = {}) {
  return run(join(folder, 'node_modules/.bin', name), args, { ...options, folder });
}

/** Environment in which turbo neither reports nor asks for anything. */
const QUIET = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };

async function build() {
  const output = [];
  const args = ['run', 'build', '--output-logs=errors-only', '--cache=local:rw', '--ui=stream'];
  const built = runTool('turbo', args, { env: { ...process.env, ...QUIET }, output });
  const code = await withProgress(() => 'building', built);
  if (code === 0) return;
  throw new SetUpError(`${output.join('')}\nthe build failed (above)`);
}

async function install(folder) {
  const where = folder === ROOT ? '' : ` in ${relative(ROOT, folder)}`;
  console.log(`installing packages${where} (npm ci)`);
  const output = [];
  const npm = process.env['npm_execpath'];
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const isScript = npm !== undefined && /\.[cm]?js$/.test(npm);
  const installed = isScript
    ? run(process.execPath, [npm, ...args], { output, folder })
    : run('npm', args, { output, folder });
  const code = await withProgress(() => installingText(folder), installed);
  if (code !== 0) throw new SetUpError(`${output.join('')}\nnpm ci failed (above)`);
}

/** npm's progress: it unpacks each package of the lock file into its folder. */
function installingText(folder) {
  const wanted = Object.entries(readPackages(join(folder, 'package-lock.json')))
    .filter(([path, { link, optional }]) => path.startsWith('node_modules/') && !link && !optional)
    .map(([path]) => path);
  const there = wanted.filter((path) => existsSync(join(folder, path, 'package.json'))).length;
  return `installing packages, ${there} of ${wanted.length} are there`;
}

/** Whether the installed packages of a folder match its lock file. */
function isInstalled(folder) {
  const lock = join(folder, 'package-lock.json');
  const installed = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  if (statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return true;
  // The lock file is newer, but `git` and `npm install` touch it without changing what is installed.
  if (!holdsTheSame(readPackages(lock), readPackages(installed))) return false;
  utimesSync(installed, new Date(), new Date());
  return true;
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return {};
  }
}

function holdsTheSame(wanted, installed) {
  return Object.entries(wanted).every(([path, { version, link, optional, resolved }]) => {
    const found = installed[path];
    if (!path.startsWith('node_modules/')) return true; // a workspace: its links are entries of their own
    if (found === undefined) return optional === true;
    return link === true ? found.resolved === resolved : found.version === version;
  });
}

/** With `output` the lines are collected there instead of printed. */
function run(program, args, { env = process.env, folder = ROOT, output } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = output === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'];
    const child = spawn(program, args, { cwd: folder, env, stdio });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => output.push(String(chunk)));
    // The terminal signals the whole group; a SIGTERM reaches only this process.
    const pass = () => child.kill('SIGTERM');
    let interruptedMs;
    const wait = () => {
      const nowMs = performance.now();
      if (interruptedMs === undefined) {
        interruptedMs = nowMs;
        // npm first removes what it has unpacked, which takes a while.
        if (output !== undefined) console.log('stopping; Ctrl-C again ends it at once');
      } else if (nowMs - interruptedMs > 500) {
        child.kill('SIGKILL'); // earlier it is the same Ctrl-C, which npm passes on beside the terminal
      }
    };
    process.on('SIGTERM', pass).on('SIGINT', wait);
    child.once('error', (error) => reject(new SetUpError(`cannot run ${program}: ${error.message}`)));
    child.once('close', (code, signal) => {
      process.off('SIGTERM', pass).off('SIGINT', wait);
      if (signal === null) resolve(code ?? 1);
      else process.exit(1); // a signal ended it, and this process got the same one
    });
  });
}
