// Brings a connection that is not live up to the head, in pieces that cannot overflow it: critical messages first,
// then state, the next piece only when the last has (nearly) arrived. The log is the queue; nothing waits in here.
import type { Connection, Cursor } from '../connection/connection.ts';
import type { CatchUpSource } from './batch.ts';

/** Writes what the connection misses as far as its network allows. Answers true when it has become live. */
export function catchUp(connection: Connection, source: CatchUpSource, softBytes: number): boolean {
  const room = (): boolean => !connection.closing && connection.backlogBytes <= softBytes / 2;
  if (!connection.criticalLive) {
    if (
      !connection.cursors.every((cursor) => catchUpCritical({ connection, cursor, source, softBytes, room }))
    )
      return false;
    connection.criticalLive = true;
  }
  if (!connection.cursors.every((cursor) => catchUpState({ connection, cursor, source, softBytes, room })))
    return false;
  connection.stateLive = true;
  connection.flow = 'flowing';
  connection.cursors = [];
  return true;
}

interface Work {
  readonly connection: Connection;
  readonly cursor: Cursor;
  readonly source: CatchUpSource;
  readonly softBytes: number;
  readonly room: () => boolean;
}

function catchUpCritical({ connection, cursor, source, softBytes, room }: Work): boolean {
  for (;;) {
    if (!room()) return false;
    const piece = source.criticalSince({
      channel: cursor.channel,
      sinceSeq: cursor.criticalSeq,
      maxPieceBytes: softBytes / 2,
    });
    if (piece.bytes.length > 0) connection.write(piece.bytes);
    cursor.criticalSeq = piece.toSeq;
    if (piece.done) return true;
  }
}

function catchUpState({ connection, cursor, source, softBytes, room }: Work): boolean {
  for (;;) {
    if (!room()) return false;
    const piece = source.state({
      channel: cursor.channel,
      sinceSeq: cursor.stateSeq,
      snapshot: cursor.snapshot,
      maxPieceBytes: softBytes / 2,
    });
    if (piece.bytes.length > 0) connection.write(piece.bytes);
    cursor.stateSeq = piece.toSeq;
    if (piece.done) {
      cursor.snapshot = false;
      return true;
    }
  }
}
