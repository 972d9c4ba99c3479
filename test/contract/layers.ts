// The layering of the project as tables, and one pure function over them: which file may import which.
// An intended new import needs a line here, where a reviewer sees it.
import { posix } from 'node:path';
import type { Import, Source } from './read-imports.ts';

/** Which workspaces' packages a workspace may import. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  'packages/protocol': [],
  'packages/runtime': [],
  'packages/fleet': ['protocol'],
  'packages/client': ['protocol'],
  'packages/react': ['client'],
  'packages/kubernetes': ['runtime'],
  'packages/load': ['protocol'],
  'services/*': ['protocol', 'runtime', 'fleet', 'kubernetes'],
  // Runs the services as processes and knows nothing of their code. The page's crowd are clients of the SDK.
  local: ['client'],
};

/** Which files may import an npm package; no file may import a package that is missing here. */
const OUTSIDE: Readonly<Record<string, readonly RegExp[]>> = {
  ws: [
    /^packages\/client\/src\/index\.ts$/, // Node before 22 has no WebSocket
    /^packages\/load\/src\/client\.ts$/,
    /^local\/src\/stage\/naive-server\.ts$/,
    /^services\/router\/src\/(accept|redirect)\//,
    /^services\/router\/src\/router\.ts$/,
    /^services\/shard\/src\/fan-out-thread\/(admit|connection)\//,
  ],
  '@nats-io/transport-node': [
    /^packages\/runtime\/src\/(nats\/|index\.ts$)/,
    /^services\/shard\/src\/main-thread\/intake\//,
    /^services\/publisher\/src\/send\//,
    /^services\/control\/src\/(console|fullness)\//,
  ],
  '@nats-io/jetstream': [
    /^packages\/runtime\/src\/nats\//,
    /^services\/shard\/src\/main-thread\/intake\//,
    /^services\/publisher\/src\/send\//,
    /^services\/control\/src\/(clean-up|fullness)\//,
  ],
  jose: [/^packages\/protocol\/src\/ticket\.ts$/, /^services\/router\/src\/accept\//],
  pino: [/^packages\/runtime\/src\//],
  'prom-client': [/^packages\/runtime\/src\//],
  'ipaddr.js': [/^packages\/runtime\/src\/network\.ts$/],
  '@kubernetes/client-node': [/^packages\/kubernetes\/src\/kube-config\.ts$/],
  '@peculiar/x509': [/^services\/control\/src\/certify\//],
  'reflect-metadata': [/^services\/control\/src\/certify\//],
  esbuild: [/^packages\/(client|react)\/build\.mjs$/],
  react: [/^packages\/react\/src\//],
};

/** Code without I/O: it may import only PURE_OF_NODE of Node's modules. */
const PURE: readonly RegExp[] = [
  /^packages\/(protocol|fleet)\/src\//,
  /^services\/router\/src\/(classify|place)\//,
  /^services\/shard\/src\/main-thread\/(lanes|encode)\//,
];
const PURE_OF_NODE = ['node:crypto', 'node:buffer', 'node:zlib'];
/** Code for browsers imports no Node module. */
const NO_NODE = /^packages\/(client|react)\/src\//;

/** Files that may read the environment; all other code gets settings. */
const ENVIRONMENT: readonly RegExp[] = [
  /^services\/[^/]+\/src\/config\.ts$/,
  /^packages\/runtime\/src\/config\/load-config\.ts$/, // reads it for every service
  /^local\/src\/(local|signals|nats\/find-nats-server)\.ts$/, // not a service: passes the environment on
];

/**
 * Services whose folders import each other's code, only downwards in these lists; files beside the folders wire them.
 * The halves of the shard run on different threads and share only `port`.
 */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  'services/shard/src/main-thread': [
    'report',
    'drain',
    'shed',
    'claims',
    'listen',
    'admit',
    'tick',
    'intake',
    'encode',
    'catch-up',
    'hand-over',
    'lanes',
  ],
  'services/shard/src/fan-out-thread': [
    'move',
    'fan-out',
    'claims',
    'admit',
    'connection',
    'listen',
    'reassign',
  ],
};
/** Folders that both halves may import. */
const SHARED = ['services/shard/src/port', 'services/shard/src/config', 'services/shard/src/config.ts'];

/** Programs of a service beside main.ts: their folder wires stages, like the file named after the service. */
const PROGRAMS: readonly string[] = ['services/publisher/src/cli'];

/** The builds of published packages share this folder. */
const BUILDS = { from: /^packages\/[^/]+\/build\.mjs$/, of: /^scripts\/packages\// };

/** Subpaths that packages export beside their index. */
const SUBPATHS: readonly string[] = ['@weir/client/weir.js', '@weir/fleet/fakes', '@weir/protocol/fakes'];

const SHARED_BY_TESTS = 'tests share test/harness alone';

const FOR_TESTS: readonly string[] = ['vitest', 'fast-check'];

/** The wrong imports of one file, as sentences; `file` is its path from the project's root. */
export function wrongImports(file: string, source: Source): readonly string[] {
  const wrong = source.imports.flatMap((one) => wrongImport(file, one) ?? []);
  if (source.exportsAll) wrong.push('exports everything of another module: name what is public');
  if (source.readsEnvironment && !isForTests(file) && !matches(ENVIRONMENT, file))
    wrong.push('reads the environment: only config.ts does');
  return wrong.map((what) => `${file} ${what}`);
}

function wrongImport(file: string, { from, kind }: Import): string | undefined {
  if (from === undefined) return 'imports what it computes: nobody can see what that is';
  if (from.startsWith('.')) return wrongRelative(file, from, kind);
  if (from.startsWith('/') && file.startsWith('local/page/')) return undefined; // the URL that the page's server serves
  if (from.startsWith('@weir/')) return wrongPackage(file, from);
  if (from.startsWith('node:')) return wrongOfNode(file, from);
  return wrongOutside(file, from);
}

function wrongRelative(file: string, from: string, kind: Import['kind']): string | undefined {
  const target = posix.join(posix.dirname(file), from);
  if (BUILDS.from.test(file) && BUILDS.of.test(target)) return undefined;
  if (workspaceOf(target) !== workspaceOf(file)) return `imports ${from}, out of its workspace`;
  if (file.startsWith('test/'))
    return isTestOfItsOwn(file, target) ? undefined : `imports ${from}: ${SHARED_BY_TESTS}`;
  if (isForTests(file)) return undefined;
  if (target.includes('/dist/') && file.includes('/src/')) return `imports ${from}, which is built`;
  if (isForTests(target)) return `imports ${from}, which is for tests`;
  if (/\/src\/main\.ts$/.test(target)) return `imports ${from}: main.ts is a process`;
  const half = Object.keys(FLOORS).find((one) => file.startsWith(`${one}/`));
  if (half !== undefined) return wrongInHalf(half, { file, target, from });
  if (isPort(file) && !SHARED.some((one) => target.startsWith(one)))
    return `imports ${from}: what crosses knows neither half`;
  const stage = stageOf(file);
  if (stage === undefined || kind === 'types' || PROGRAMS.includes(stage)) return undefined;
  if (target.startsWith(`${stage}/`)) return undefined;
  return `runs code of ${from}: a stage takes types of others, never code`;
}

/** A test imports only test/harness and files of its own folder. */
function isTestOfItsOwn(file: string, target: string): boolean {
  const home = posix.dirname(file).split('/').slice(0, 3).join('/');
  return target.startsWith('test/harness/') || target.startsWith(`${home}/`);
}

function wrongInHalf(
  half: string,
  { file, target, from }: { readonly file: string; readonly target: string; readonly from: string },
): string | undefined {
  if (SHARED.some((one) => target === one || target.startsWith(`${one}/`))) return undefined;
  if (!target.startsWith(`${half}/`)) return `imports ${from}, of the other half or of what wires them`;
  const floors = FLOORS[half] ?? [];
  const floorOf = (path: string): number | undefined => {
    const [folder = '', ...rest] = path.slice(half.length + 1).split('/');
    // Files beside the folders rank above all folders.
    if (rest.length === 0) return -1;
    return floors.includes(folder) ? floors.indexOf(folder) : undefined;
  };
  const [here, there] = [floorOf(file), floorOf(target)];
  if (here === undefined) return 'is in a folder that has no floor';
  return there !== undefined && there >= here ? undefined : `imports ${from}, which is above it`;
}

function isPort(file: string): boolean {
  return file.startsWith('services/shard/src/port/');
}

function wrongPackage(file: string, from: string): string | undefined {
  const [, name = ''] = from.split('/');
  if (from !== `@weir/${name}` && !SUBPATHS.includes(from))
    return `imports ${from}, past the package's index`;
  if (from.endsWith('/fakes') && !isForTests(file)) return `imports ${from}, which is for tests`;
  const below = BELOW[workspaceOf(file)] ?? BELOW[workspaceOf(file).replace(/\/.*/, '/*')] ?? [];
  return below.includes(name) ? undefined : `imports ${from}, which is not below it`;
}

function wrongOfNode(file: string, from: string): string | undefined {
  if (isForTests(file)) return undefined;
  if (NO_NODE.test(file)) return `imports ${from}, which no browser has`;
  return matches(PURE, file) && !PURE_OF_NODE.includes(from) ? `imports ${from}, but is pure` : undefined;
}

function wrongOutside(file: string, from: string): string | undefined {
  if (isForTests(file)) return undefined; // knip checks that it is a dependency
  if (FOR_TESTS.includes(from)) return `imports ${from}, which is for tests`;
  const name = from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
  return matches(OUTSIDE[name] ?? [], file) ? undefined : `imports ${from}, which others own`;
}

/** `packages/x`, `services/x`, `local`, `test`, or any other top-level folder. */
function workspaceOf(file: string): string {
  const [first = '', second = ''] = file.split('/');
  return first === 'packages' || first === 'services' ? `${first}/${second}` : first;
}

/** The folder of the stage; undefined for files beside the stages, which wire them. */
function stageOf(file: string): string | undefined {
  return /^services\/[^/]+\/src\/[^/]+(?=\/)/.exec(file)?.[0];
}

function isForTests(file: string): boolean {
  return /\.test\.ts$|\/fakes\//.test(file) || file.startsWith('test/');
}

function matches(patterns: readonly RegExp[], file: string): boolean {
  return patterns.some((pattern) => pattern.test(file));
}
