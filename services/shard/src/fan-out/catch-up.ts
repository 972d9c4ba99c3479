// Brings a connection that is not live up to the head, in pieces that cannot overflow it: critical messages first,
// then state, the next piece only when the last has (nearly) arrived. The log is the queue; nothing waits in here.
import { controlText, utf8Frame } from '@weir/protocol';
import type { Connection, Cursor } from '../connection/connection.ts';
import type { CatchUpSource, Form } from './batch.ts';

/** Whom to bring up, from what, and in which form. */
export interface CatchUp {
  readonly connection: Connection;
  readonly source: CatchUpSource;
  readonly form: Form;
  /** No piece is larger than half of it, and none is sent while more than half is under way. */
  readonly softBytes: number;
}

/** Writes what the connection misses as far as its network allows. Answers true when it has become live. */
export function catchUp(to: CatchUp): boolean {
  const { connection, softBytes } = to;
  const room = (): boolean => !connection.closing && connection.backlogBytes <= softBytes / 2;
  if (!connection.criticalLive) {
    if (!connection.cursors.every((cursor) => catchUpCritical({ ...to, cursor, room }))) return false;
    connection.criticalLive = true;
  }
  if (!connection.cursors.every((cursor) => catchUpState({ ...to, cursor, room }))) return false;
  connection.stateLive = true;
  connection.flow = 'flowing';
  connection.cursors = [];
  return true;
}

interface Work extends CatchUp {
  readonly cursor: Cursor;
  readonly room: () => boolean;
}

function catchUpCritical(work: Work): boolean {
  const { connection, cursor, source, form, softBytes, room } = work;
  for (;;) {
    if (!room()) return false;
    announceGap(work);
    const piece = source.criticalSince({
      channel: cursor.channel,
      sinceSeq: cursor.criticalSeq,
      maxPieceBytes: softBytes / 2,
    });
    if (piece.bytes.length > 0) connection.write(form(piece.bytes));
    cursor.criticalSeq = piece.toSeq;
    if (piece.done) return true;
  }
}

/** What left the window before the connection could take it is announced, never skipped in silence. */
function announceGap({ connection, cursor, source, form }: Work): void {
  const { channel, criticalSeq } = cursor;
  const lostSeq = source.criticalLostSeq(channel);
  if (criticalSeq >= lostSeq) return;
  connection.write(
    form(utf8Frame(controlText({ type: 'gap', channel, lane: 'critical', after: criticalSeq }))),
  );
  cursor.criticalSeq = lostSeq;
}

function catchUpState(work: Work): boolean {
  const { connection, cursor, source, form, softBytes, room } = work;
  for (;;) {
    if (!room()) return false;
    prepareState(work);
    const piece = source.state({
      channel: cursor.channel,
      sinceSeq: cursor.stateSeq,
      snapshot: cursor.snapshot,
      maxPieceBytes: softBytes / 2,
    });
    if (piece.bytes.length > 0) connection.write(form(piece.bytes));
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
function prepareState({ connection, cursor, source, form }: Work): void {
  if (
    Math.max(cursor.stateSeq, cursor.snapshotSeq) < source.stateFloor(cursor.channel) &&
    cursor.stateSeq > 0
  ) {
    cursor.stateSeq = 0;
    cursor.snapshot = true;
  }
  if (!cursor.snapshot || cursor.stateSeq > 0) return;
  cursor.snapshotSeq = Math.max(source.stateSeq, source.stateFloor(cursor.channel));
  if (connection.halfSent.delete(cursor.channel))
    connection.write(form(source.emptySnapshot(cursor.channel)));
}
