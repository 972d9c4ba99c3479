// Owns the Node of images that are made without a base image: version 24 as the npm package node-linux-<arch>, fetched
// once into .cache, or the Node that runs this script if it is as new.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../set-up.mjs';

const VERSION = '24.21.0';
const ARCHITECTURES = { x64: 'x64', arm64: 'arm64' };

/** Path of the program; if there is none, throws an error that says what to do. */
export function nodeProgram(say) {
  const arch = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || arch === undefined)
    throw new Error(
      `images can be made from local files on Linux (x64, arm64) only: install Docker or Buildah`,
    );
  const name = `node-linux-${arch}`;
  const folder = join(ROOT, '.cache/node', VERSION);
  const program = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  say(`fetching Node ${VERSION} (npm package ${name})`);
  try {
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--loglevel=error'];
    execFileSync('npm', [...args, `${name}@${VERSION}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (existsSync(program)) return program;
  } catch {
    // The error below says it.
  }
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error(`could not fetch ${name}@${VERSION}: run this with Node 24, or install Docker or Buildah`);
}
