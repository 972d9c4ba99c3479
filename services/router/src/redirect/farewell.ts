// How a connection ends: last words, Close, a bounded wait for the answer while still reading, then FIN, and only
// after that the end of the socket. Never resets a connection that has unread bytes of the client: a reset would take
// the last words with it (case D6).
import type { Duplex } from 'node:stream';
import type { CloseName } from '@weir/protocol';
import { closeCodes, limits } from '@weir/protocol';
import type { WebSocket } from 'ws';

/** How a connection ended: the label of a metric. */
export type Ending = 'answered' | 'finished' | 'cut';

/** How long a client may take to go. */
export interface FarewellTimes {
  /** From Close to FIN, where the client answers neither. */
  readonly closeWaitMs: number;
  /** From FIN to the end of the socket, for what is still under way. */
  readonly closeGraceMs: number;
}

/** What is said, and on what. */
export interface Farewell extends FarewellTimes {
  readonly ws: WebSocket;
  /** The duplex that the upgrade gave. */
  readonly duplex: Duplex;
  readonly text?: string;
  readonly close: CloseName;
  /** In words; the table's own where there is nothing more precise. */
  readonly reason?: string;
}

/** Says it and resolves when the socket is gone, at most `closeWaitMs + closeGraceMs` later. */
export function sayFarewell(o: Farewell): Promise<Ending> {
  const { code, reason } = closeCodes[o.close];
  if (o.text !== undefined) o.ws.send(o.text, ignoreFailure);
  o.ws.close(code, shortened(o.reason ?? reason));
  return watchEnd(o);
}

/** Waits for the end of a connection whose Close has been written, with the same patience. */
export function watchEnd(o: Pick<Farewell, 'duplex' | 'ws'> & FarewellTimes): Promise<Ending> {
  const { duplex, ws } = o;
  return new Promise((resolve) => {
    let ending: Ending = 'answered';
    let cut: NodeJS.Timeout | undefined;
    const finish = setTimeout(() => {
      ending = 'finished';
      duplex.end();
      cut = setTimeout(() => {
        ending = 'cut';
        duplex.destroy();
      }, o.closeGraceMs);
    }, o.closeWaitMs);
    ws.once('close', () => {
      clearTimeout(finish);
      clearTimeout(cut);
      resolve(ending);
    });
    if (duplex.destroyed && ws.readyState === ws.CLOSED) {
      clearTimeout(finish);
      resolve('cut');
    }
  });
}

/** The socket's own error and close events say it all. */
function ignoreFailure(): void {}

/** A reason within the 123 bytes that a close frame has room for. */
export function shortened(reason: string): string {
  if (Buffer.byteLength(reason) <= limits.closeReasonBytes) return reason;
  const cut = Buffer.from(reason).subarray(0, limits.closeReasonBytes).toString('utf8');
  return cut.replace(/\uFFFD+$/u, '');
}
