// Brings a connection that is not live up to the head, in pieces that cannot overflow it: critical messages first,
// then state, the next piece only when the last has (nearly) arrived. The log is the queue; nothing waits in here.
import { controlText, utf8Frame } from '@weir/protocol';
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
    announceGap(connection, cursor, source);
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

/** What left the window before the connection could take it is announced, never skipped in silence. */
function announceGap(connection: Connection, cursor: Cursor, source: CatchUpSource): void {
  const { channel, criticalSeq } = cursor;
  const lostSeq = source.criticalLostSeq(channel);
  if (criticalSeq >= lostSeq) return;
  connection.write(utf8Frame(controlText({ type: 'gap', channel, lane: 'critical', after: criticalSeq })));
  cursor.criticalSeq = lostSeq;
}

function catchUpState({ connection, cursor, source, softBytes, room }: Work): boolean {
  for (;;) {
    if (!room()) return false;
    prepareState(connection, cursor, source);
    const piece = source.state({
      channel: cursor.channel,
      sinceSeq: cursor.stateSeq,
      snapshot: cursor.snapshot,
      maxPieceBytes: softBytes / 2,
    });
    if (piece.bytes.length > 0) connection.write(piece.bytes);
    cursor.stateSeq = piece.toSeq;
    if (piece.done) {
      connection.halfSent.delete(cursor.channel);
      cursor.snapshot = false;
      return true;
    }
    if (cursor.snapshot) connection.halfSent.add(cursor.channel);
  }
}

/**
 * Makes the cursor fit for its next piece. One that is older than the deletions that are remembered begins anew with a
 * snapshot; and what was sent of an earlier snapshot is ended first, since clients would merge the two.
 */
function prepareState(connection: Connection, cursor: Cursor, source: CatchUpSource): void {
  if (
    Math.max(cursor.stateSeq, cursor.snapshotSeq) < source.stateFloor(cursor.channel) &&
    cursor.stateSeq > 0
  ) {
    cursor.stateSeq = 0;
    cursor.snapshot = true;
  }
  if (!cursor.snapshot || cursor.stateSeq > 0) return;
  cursor.snapshotSeq = Math.max(source.stateSeq, source.stateFloor(cursor.channel));
  if (connection.halfSent.delete(cursor.channel)) connection.write(source.emptySnapshot(cursor.channel));
}
