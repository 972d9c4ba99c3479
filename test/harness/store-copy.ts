// A copy of the store of a NATS server, like a backup or a disk snapshot.
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsServer } from '@weir/local';

export interface StoreCopy {
  /** Replaces the current store with the copy. The server must be stopped. */
  putBack(): Promise<void>;
  remove(): Promise<void>;
}

/** Copies the store of a stopped server. */
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
