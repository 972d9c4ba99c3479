// The router's last frames: a text message, then Close. packages/runtime ends the connection after that.
import type { CloseName } from '@weir/protocol';
import { closeCodes, limits } from '@weir/protocol';
import type { WebSocket } from 'ws';

/** The contents. */
export interface LastMessage {
  readonly text?: string;
  readonly close: CloseName;
  /** The reason as text; by default the table's own. */
  readonly reason?: string;
}

/** Writes the frames; earlier writes go out first. */
export function closeClient(ws: WebSocket, o: LastMessage): void {
  const { code, reason } = closeCodes[o.close];
  if (o.text !== undefined) ws.send(o.text, ignoreFailure);
  ws.close(code, shortened(o.reason ?? reason));
}

/** The socket's own error and close events report failures. */
function ignoreFailure(): void {}

/** A reason cut to the 123 bytes of a close frame. */
export function shortened(reason: string): string {
  if (Buffer.byteLength(reason) <= limits.closeReasonBytes) return reason;
  const cut = Buffer.from(reason).subarray(0, limits.closeReasonBytes).toString('utf8');
  return cut.replace(/\uFFFD+$/u, '');
}
