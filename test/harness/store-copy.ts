// A copy of what a NATS server has stored, as a backup or a snapshot of a disk would be.
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsServer } from '@weir/local';

export interface StoreCopy {
  /** Puts it in the place of what is there. The server must not run. */
  putBack(): Promise<void>;
  remove(): Promise<void>;
}

/** Copies the store of a server that does not run. */
export async function copyStore({ storeDir }: NatsServer): Promise<StoreCopy> {
  const copy = await mkdtemp(join(tmpdir(), 'weir-store-'));
  await cp(storeDir, copy, { recursive: true });
  return {
    async putBack() {
      for (const name of await readdir(storeDir)) await rm(join(storeDir, name), { recursive: true });
      await cp(copy, storeDir, { recursive: true });
    },
    remove: () => rm(copy, { recursive: true, force: true }),
  };
}
