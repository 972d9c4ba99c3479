// The last words of the router: a text, then Close. How the connection ends after that is the runtime's.
import type { CloseName } from '@weir/protocol';
import { closeCodes, limits } from '@weir/protocol';
import type { WebSocket } from 'ws';

/** What is said. */
export interface Farewell {
  readonly text?: string;
  readonly close: CloseName;
  /** In words; the table's own where there is nothing more precise. */
  readonly reason?: string;
}

/** Writes it all; what was written before goes out first. */
export function sayFarewell(ws: WebSocket, o: Farewell): void {
  const { code, reason } = closeCodes[o.close];
  if (o.text !== undefined) ws.send(o.text, ignoreFailure);
  ws.close(code, shortened(o.reason ?? reason));
}

/** The socket's own error and close events say it all. */
function ignoreFailure(): void {}

/** A reason within the 123 bytes that a close frame has room for. */
export function shortened(reason: string): string {
  if (Buffer.byteLength(reason) <= limits.closeReasonBytes) return reason;
  const cut = Buffer.from(reason).subarray(0, limits.closeReasonBytes).toString('utf8');
  return cut.replace(/\uFFFD+$/u, '');
}
