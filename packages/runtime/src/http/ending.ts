// Ends a client's socket after a Close was written: waits for the client's Close for a bounded time, sends FIN, waits
// again, and destroys the socket. Meanwhile only a Close is read. It does not reset a connection while the client may
// still read its Close, unless the client floods.
import type { Duplex } from 'node:stream';
import type { FrameGate } from './frame-gate.ts';

/**
 * How a connection ended: the label of a metric. left: the client closed it. answered: the client answered the Close.
 * finished: the client closed its side after FIN. cut: neither, or the connection broke. flooded: the client sent so
 * much that its socket was no longer read.
 */
export const ENDINGS = ['left', 'answered', 'finished', 'cut', 'flooded'] as const;
export type Ending = (typeof ENDINGS)[number];

const MAX_WAIT_MS = 2_000;

export interface EndingOptions {
  readonly duplex: Duplex;
  readonly gate: FrameGate;
  /** How the connection ends if the client answers in time. */
  readonly inTime: 'left' | 'answered';
  /** Longest time from the Close to FIN. */
  readonly waitMs: number;
  /** Longest time from FIN to the end of the socket, for bytes that are still under way. */
  readonly graceMs: number;
}

/** Divides `totalMs`: at most 2 s for the answer to a Close, the rest for the end after FIN. */
export function timesWithin(totalMs: number): Pick<EndingOptions, 'waitMs' | 'graceMs'> {
  const waitMs = Math.min(MAX_WAIT_MS, (totalMs * 2) / 3);
  return { waitMs, graceMs: totalMs - waitMs };
}

/** Call it after the Close was written; resolves when the socket is gone. */
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
    // A client sends nothing after its Close, so nothing is lost if its side is not awaited once our FIN is sent.
    if (inTime === 'left') duplex.once('finish', () => duplex.destroy());
    duplex.once('close', () => {
      clearTimeout(timer);
      // The socket of a client that floods is not read to its end.
      resolve(gate.closeSeen || duplex.readableEnded || how === 'flooded' ? how : 'cut');
    });
  });
}
