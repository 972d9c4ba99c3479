// The client's end of a link: one plain client that follows redirects and moves for minutes, and tells its parent in which
// pool it is. It counts the padding that it gets from shards. Ends with its parent.
import { WebSocket } from 'ws';

/** What a visitor tells: times are from its first connect on. */
export type Told =
  | { readonly type: 'pool'; readonly pool: string; readonly atMs: number }
  | { readonly type: 'move'; readonly reason: string; readonly atMs: number }
  | { readonly type: 'lost'; readonly why: string; readonly atMs: number }
  | { readonly type: 'end'; readonly padBytes: number; readonly bytes: number };

const PAD_FRAME_BYTES = 127;
const AGAIN_MS = 1_000;

const [host = '', routerUrl = '', channel = ''] = process.argv.slice(2);
const beganMs = performance.now();
let position: string | undefined;
let padBytes = 0;
let bytes = 0;
/** The connection that counts; older ones are closed when it is welcome. */
let current: WebSocket | undefined;

process.on('disconnect', () => process.exit(0));
process.on('message', () => {
  tell({ type: 'end', padBytes, bytes });
});
visit(`${routerUrl}/v1/connect?channels=${channel}`);

function tell(told: Told): void {
  process.send?.(told);
}

function now(): number {
  return performance.now() - beganMs;
}

/** Services name the host that they know; this end of the link knows the server by another. */
function reachable(url: string): string {
  const at = new URL(url);
  at.hostname = host;
  return at.href;
}

/** Asks the router. */
function visit(url: string): void {
  const router = new WebSocket(reachable(url), ['weir.v1']);
  let redirected = false;
  router.on('message', (data) => {
    const { type, url: stream } = JSON.parse(String(data));
    if (type !== 'redirect') return;
    redirected = true;
    follow(String(stream));
  });
  router.on('error', () => undefined);
  router.on('close', (code) => {
    if (redirected) return;
    tell({ type: 'lost', why: `router ${code}`, atMs: now() });
    if (current === undefined)
      setTimeout(() => visit(`${routerUrl}/v1/connect?channels=${channel}`), AGAIN_MS);
  });
}

function follow(url: string): void {
  const resume = position === undefined ? '' : `&resume=${encodeURIComponent(position)}`;
  const stream = new WebSocket(reachable(url) + resume, ['weir.v1']);
  stream.on('pong', () => {
    padBytes += PAD_FRAME_BYTES;
  });
  stream.on('message', (data) => {
    const text = String(data);
    bytes += text.length;
    if (text.startsWith('{"type":"position"')) position = JSON.parse(text).pos;
    else if (text.startsWith('{"type":"welcome"')) {
      const before = current;
      current = stream;
      before?.close(1000);
      tell({ type: 'pool', pool: JSON.parse(text).pool, atMs: now() });
    } else if (text.startsWith('{"type":"move"')) {
      const { reason, url: router } = JSON.parse(text);
      tell({ type: 'move', reason, atMs: now() });
      visit(router);
    }
  });
  stream.on('error', () => undefined);
  stream.on('close', (code) => {
    if (current !== stream && current !== undefined) return;
    current = undefined;
    tell({ type: 'lost', why: `shard ${code}`, atMs: now() });
    setTimeout(() => visit(`${routerUrl}/v1/connect?channels=${channel}`), AGAIN_MS);
  });
}
