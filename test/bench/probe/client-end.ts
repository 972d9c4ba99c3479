// The client's end of a link: visits the router on command, as one of several kinds of client. Ends with its parent.

import { connect } from '@weir/client';
import { WebSocket } from 'ws';
import { type Quirk, visitRaw } from './raw-client.ts';

/** sdk: @weir/client up to its first shard. ws: the bare library. The others: see raw-client.ts. */
export type ClientKind = 'sdk' | 'ws' | Quirk;
export const CLIENT_KINDS: readonly ClientKind[] = ['sdk', 'ws', 'nagle', 'deaf', 'latest'];

export interface Visit {
  readonly id: number;
  readonly kind: ClientKind;
  /** URL of the router, without path. */
  readonly url: string;
}
export interface Visited {
  readonly id: number;
  /** Pool of the redirect; absent if none came. */
  readonly pool?: string;
  /** Why no redirect came. */
  readonly problem?: string;
  /** From connecting to the redirect. */
  readonly totalMs: number;
}

process.on('disconnect', () => process.exit(0));
process.on('message', (asked: Visit) => {
  const begin = performance.now();
  const answer = (found: Pick<Visited, 'pool' | 'problem'>): void => {
    process.send?.({ id: asked.id, totalMs: performance.now() - begin, ...found } satisfies Visited);
  };
  visit(asked).then(
    (pool) => answer({ pool }),
    (error: unknown) => answer({ problem: String(error) }),
  );
});
process.send?.('ready');

function visit({ kind, url: base }: Visit): Promise<string> {
  if (kind === 'sdk') return visitSdk(base);
  const url = `${base}/v1/connect?channels=bench`;
  return kind === 'ws' ? visitWs(url) : visitRaw(url, kind);
}

async function visitSdk(url: string): Promise<string> {
  const weir = connect({ url, channels: ['bench'] });
  try {
    return await new Promise((resolve, reject) => {
      weir.on('open', () => resolve(weir.info.pool ?? ''));
      weir.on('error', reject);
    });
  } finally {
    weir.close();
  }
}

function visitWs(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, ['weir.v1']);
    let pool: string | undefined;
    ws.on('message', (data) => {
      const message: { pool: string } = JSON.parse(String(data));
      pool = message.pool;
    });
    ws.on('error', reject);
    ws.on('close', () => (pool === undefined ? reject(new Error('closed')) : resolve(pool)));
  });
}
