// Owns the choice between somebody's NATS server (NATS_URL) and one of our own.
import type { ClusterNats } from '../cluster.ts';
import { findNatsServer, isNewEnough } from './find-nats-server.ts';
import { readServerInfo } from './server-info.ts';
import { startNatsServer } from './start-nats-server.ts';

export interface OpenNatsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  /** Told each line of our own server's log. */
  readonly log: (line: string) => void;
  /** Ends a fetch that is under way. */
  readonly signal?: AbortSignal;
}

/** Opens the server that the cluster shall use; rejects, in words, where it cannot be used. */
export async function openNats({ env, say, log, signal }: OpenNatsOptions): Promise<ClusterNats> {
  const given = env['NATS_URL'];
  if (given === undefined || given === '') {
    const program = await findNatsServer({ env, say, ...(signal === undefined ? {} : { signal }) });
    return startNatsServer({ program, log });
  }
  const shown = withoutPassword(given);
  await check(given, shown);
  say(`NATS server of NATS_URL (${shown})`);
  return { url: given, stop: async () => {}, restart: async () => {}, onCrash: () => {} };
}

async function check(url: string, shown: string): Promise<void> {
  const info = await readServerInfo(url).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`no NATS server answers at ${shown} (NATS_URL): ${reason}`);
  });
  if (!isNewEnough(info.version)) {
    throw new Error(`the NATS server at ${shown} (NATS_URL) is ${info.version}; 2.10 or later is needed`);
  }
  if (!info.jetstream) {
    throw new Error(`the NATS server at ${shown} (NATS_URL) has no JetStream; start it with -js`);
  }
}

/** The URL as it may be shown. */
export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, '//***@').replace(/[?#].+/, '?***');
}
