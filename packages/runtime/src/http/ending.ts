// The end of a client's socket behind a Close: a bounded wait for the client's answer, then FIN, and the end of the
// socket at last. Nothing but a Close is read meanwhile. It never resets a connection while the client may still read
// its Close, unless the client floods.
import type { Duplex } from 'node:stream';
import type { FrameGate } from './frame-gate.ts';

/**
 * How a connection ended: the label of a metric. left: the client ended it. answered: the client answered the Close.
 * finished: it took the end of the stream. cut: neither, or the connection broke. flooded: it sent so much that it was
 * not read any more.
 */
export const ENDINGS = ['left', 'answered', 'finished', 'cut', 'flooded'] as const;
export type Ending = (typeof ENDINGS)[number];

const MAX_WAIT_MS = 2_000;

export interface EndingOptions {
  readonly duplex: Duplex;
  readonly gate: FrameGate;
  /** How it ends where the client does its part in time. */
  readonly inTime: 'left' | 'answered';
  /** Longest time from the Close to FIN. */
  readonly waitMs: number;
  /** Longest time from FIN to the end of the socket, for what is still under way. */
  readonly graceMs: number;
}

/** Longest wait for the answer to a Close; what is left of `totalMs` is for the end. */
export function timesWithin(totalMs: number): Pick<EndingOptions, 'waitMs' | 'graceMs'> {
  const waitMs = Math.min(MAX_WAIT_MS, (totalMs * 2) / 3);
  return { waitMs, graceMs: totalMs - waitMs };
}

/** Resolves when the socket of a connection whose Close has been written is gone. */
export function watchEnding({ duplex, gate, inTime, waitMs, graceMs }: EndingOptions): Promise<Ending> {
  gate.shut();
  return new Promise((resolve) => {
    if (duplex.destroyed) return resolve('left');
    let how: Ending = inTime;
    const cut = (as: Ending): void => {
      how = as;
      duplex.destroy();
    };
    let timer = setTimeout(() => {
      how = 'finished';
      timer = setTimeout(() => cut('cut'), graceMs);
      duplex.end();
      gate.whenFlooded(() => cut('flooded'));
    }, waitMs);
    // A client that has said Close sends nothing more: its side need not be waited for once our FIN is on its way.
    if (inTime === 'left') duplex.once('finish', () => duplex.destroy());
    duplex.once('close', () => {
      clearTimeout(timer);
      // A client that floods is not read to its end.
      resolve(gate.closeSeen || duplex.readableEnded || how === 'flooded' ? how : 'cut');
    });
  });
}
