// Checks every import of every source file against the layering, and the check itself against wrong imports.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { wrongImports } from './layers.ts';
import { readImports } from './read-imports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('layers', () => {
  const files = ['packages', 'services', 'local'].flatMap(sourceFiles);

  it.each([
    'packages/protocol/src/index.ts',
    'packages/client/build.mjs',
    'services/shard/src/main-thread/shard.ts',
    'services/router/src/probe/probe.ts',
    'local/page/page.js',
  ])('reads %s among the others', (file) => {
    expect(files).toContain(file);
  });

  it('are kept by every file', () => {
    expect(files.flatMap((file) => check(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });
});

describe('a wrong import is found', () => {
  it.each([
    ['packages/protocol/src/a.ts', `import { createLogger } from '@weir/runtime';`, 'not below'],
    ['packages/protocol/src/a.ts', `import { readFile } from 'node:fs';`, 'pure'],
    ['packages/runtime/src/a.ts', `import type { Lane } from '@weir/protocol';`, 'not below'],
    ['packages/fleet/src/a.ts', `import { openNats } from '@weir/runtime';`, 'not below'],
    ['packages/client/src/a.ts', `import { Buffer } from 'node:buffer';`, 'no browser'],
    ['packages/client/src/socket.ts', `import { WebSocket } from 'ws';`, 'others own'],
    ['services/router/src/router.ts', `import { connect } from '@weir/client';`, 'not below'],
    ['services/router/src/router.ts', `import type { Shard } from '@weir/shard';`, 'not below'],
    [
      'services/router/src/router.ts',
      `import { x } from '../../shard/src/shard.ts';`,
      'out of its workspace',
    ],
    [
      'services/router/src/a.test.ts',
      `import { x } from '../../shard/src/shard.ts';`,
      'out of its workspace',
    ],
    [
      'services/router/src/router.ts',
      `import { a } from '@weir/protocol/dist/lanes.js';`,
      'past the package',
    ],
    ['services/router/src/router.ts', `import { a } from '../dist/router.js';`, 'built'],
    ['services/router/src/router.ts', `export { run } from './main.ts';`, 'a process'],
    ['services/shard/src/main-thread/lanes/a.ts', `import { WebSocket } from 'ws';`, 'others own'],
    [
      'services/shard/src/main-thread/tick/a.ts',
      `import { connect } from '@nats-io/transport-node';`,
      'others own',
    ],
    ['services/shard/src/main-thread/intake/a.ts', `import { SignJWT } from 'jose';`, 'others own'],
    ['services/shard/src/main-thread/shard.ts', `import { get } from 'axios';`, 'others own'],
    ['services/shard/src/main-thread/shard.ts', `import { it } from 'vitest';`, 'for tests'],
    ['test/cluster/nats/a.test.ts', `import { b } from '../store/b.ts';`, 'share test/harness alone'],
    ['services/router/src/router.ts', `import { entryOf } from '@weir/fleet/fakes';`, 'for tests'],
    ['services/router/src/router.ts', `import { RawClient } from './fakes/raw-client.ts';`, 'for tests'],
    ['local/src/plan.ts', `import { createRouter } from '@weir/router';`, 'not below'],
    [
      'packages/client/src/a.ts',
      `import { a } from '../../../scripts/packages/a.mjs';`,
      'out of its workspace',
    ],
    ['packages/client/build.mjs', `import { a } from '../../scripts/start.mjs';`, 'out of its workspace'],
    ['packages/react/src/a.ts', `import { LANES } from '@weir/protocol';`, 'not below'],
    ['packages/fleet/src/index.ts', `export * from './place.ts';`, 'exports everything'],
  ])('%s: %s', (file, text, words) => {
    expect(check(file, text)).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    `import { place } from '../place/choose.ts';`,
    `import place, { type Choice } from '../place/choose.ts';`,
    `import * as place from '../place/choose.ts';`,
    `import '../place/choose.ts';`,
    `export { place } from '../place/choose.ts';`,
    `const { place } = await import('../place/choose.ts');`,
    'const { place } = await import(`../place/choose.ts`);',
    `const { place } = require('../place/choose.ts');`,
    `const worker = new Worker(new URL('../place/choose.ts', import.meta.url));`,
    `import { config } from '../config.ts';`,
  ])('code of a sibling stage: %s', (text) => {
    expect(check('services/router/src/probe/a.ts', text)).toEqual([expect.stringContaining('never code')]);
  });

  it.each([
    `import type { Choice } from '../place/choose.ts';`,
    `import { type Choice } from '../place/choose.ts';`,
    `export type { Choice } from '../place/choose.ts';`,
    `let choice: import('../place/choose.ts').Choice;`,
    `import { send } from './frames.ts';`,
    `// import { place } from '../place/choose.ts';`,
    `const text = "import { place } from '../place/choose.ts'";`,
  ])('types of a sibling stage and code of the same stage are fine: %s', (text) => {
    expect(check('services/router/src/probe/a.ts', text)).toEqual([]);
  });

  it.each([
    [
      'main-thread/encode/a.ts',
      `import type { Connection } from '../../fan-out-thread/connection/connection.ts';`,
      'other half',
    ],
    [
      'fan-out-thread/fan-out/a.ts',
      `import { StateLane } from '../../main-thread/lanes/state-lane.ts';`,
      'other half',
    ],
    ['main-thread/lanes/a.ts', `import type { Shard } from '../shard.ts';`, 'above it'],
    ['main-thread/lanes/a.ts', `import type { Encoder } from '../encode/encoder.ts';`, 'above it'],
    ['fan-out-thread/connection/a.ts', `import { FanOut } from '../fan-out/fan-out.ts';`, 'above it'],
    ['main-thread/elsewhere/a.ts', `import { StateLane } from '../lanes/state-lane.ts';`, 'no floor'],
    ['port/a.ts', `import { StateLane } from '../main-thread/lanes/state-lane.ts';`, 'neither half'],
    ['main-thread/admit/a.ts', `import type { ShardConfig } from '../../main.ts';`, 'a process'],
  ])('in the halves of the shard, %s: %s', (file, text, words) => {
    expect(check(`services/shard/src/${file}`, text)).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    ['main-thread/encode/a.ts', `import { StateLog } from '../lanes/state-log.ts';`],
    ['main-thread/shard.ts', `import { StateLog } from './lanes/state-log.ts';`],
    ['fan-out-thread/move/a.ts', `import { Connection } from '../connection/connection.ts';`],
    ['fan-out-thread/thread.ts', `import type { Heads } from '../port/messages.ts';`],
    ['port/a.ts', `import type { ShardConfig } from '../config.ts';`],
  ])('imports from below and from the port are fine: %s: %s', (file, text) => {
    expect(check(`services/shard/src/${file}`, text)).toEqual([]);
  });

  it.each([
    `const port = process.env.PORT;`,
    `const port = process['env']['PORT'];`,
    `const port = globalThis.process.env['PORT'];`,
    `const { env } = process;`,
    `import { env } from 'node:process';`,
  ])('the environment read outside config.ts: %s', (text) => {
    expect(check('services/router/src/accept/a.ts', text)).toEqual([
      expect.stringContaining('reads the environment'),
    ]);
    expect(check('services/router/src/config.ts', text)).toEqual([]);
  });

  it('an import with a computed name', () => {
    expect(check('services/router/src/router.ts', 'await import(name);')).toEqual([
      expect.stringContaining('computes'),
    ]);
  });
});

function check(file: string, text: string): readonly string[] {
  return wrongImports(file, readImports(file, text));
}

/** Every module below a folder, by its path from the root, without installed and built ones. */
function sourceFiles(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return ['node_modules', 'dist', '.turbo'].includes(entry.name) ? [] : sourceFiles(path);
    return /\.[cm]?[jt]s$/.test(entry.name) ? [path] : [];
  });
}
