// Closing so that the client learns of it: Close behind what was written, a bounded wait for its answer while reading
// goes on, then FIN, and the end of the socket at last. Never an RST over unread data while the client may still read.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** How long the client may take to answer a Close, and to end its side after our FIN. */
const ANSWER_MS = 2_000;
const END_MS = 5_000;

/** Closes a connection in order. The socket is gone after seven seconds at the latest. */
export function closeGently(end: {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly code: number;
  readonly reason: string;
}): void {
  const { ws, socket } = end;
  ws.close(end.code, end.reason);
  const finish = setTimeout(() => {
    socket.end();
    const destroy = setTimeout(() => socket.destroy(), END_MS);
    socket.once('close', () => clearTimeout(destroy));
  }, ANSWER_MS);
  socket.once('close', () => clearTimeout(finish));
}
