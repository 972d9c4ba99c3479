// A copy of the project in a temporary folder, so that `npm start` can run there beside a running one here.
// Shares installed packages; later builds and state stay separate.
import { cp, mkdir, mkdtemp, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COPIED = [
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'turbo.json',
  'scripts',
  'packages',
  'services',
  'local',
  'examples',
  'test/package.json',
];

export interface ProjectCopy {
  readonly folder: string;
  remove(): Promise<void>;
}

export async function copyProject(): Promise<ProjectCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-copy-'));
  // Times are kept, so that the build sees the copy as up to date.
  const filter = (path: string): boolean => !/\/(node_modules|\.turbo)$/.test(path);
  for (const path of COPIED)
    await cp(join(ROOT, path), join(folder, path), { recursive: true, preserveTimestamps: true, filter });
  await linkInstalled(folder);
  await share('.cache', folder); // the NATS server that the set-up downloaded
  await share('.turbo/cache', folder); // what was built here: the copy's build takes it from there
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Makes a folder of the copy the same as ours. */
async function share(path: string, folder: string): Promise<void> {
  await mkdir(join(ROOT, path), { recursive: true });
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await symlink(join(ROOT, path), join(folder, path));
}

/** Links node_modules as npm would: workspaces point into the copy, all other packages to ours. */
async function linkInstalled(folder: string): Promise<void> {
  const [from, to] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')];
  await mkdir(join(to, '@weir'), { recursive: true });
  for (const name of await readdir(from))
    if (name !== '@weir') await symlink(join(from, name), join(to, name));
  for (const name of await readdir(join(from, '@weir'))) {
    const workspace = await readlink(join(from, '@weir', name)); // ../../packages/protocol
    await symlink(workspace, join(to, '@weir', name));
  }
}
