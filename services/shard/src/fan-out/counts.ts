// What the fan-out counts: plain numbers that the hot loop adds to and a scrape reads.

export interface Counts {
  /** State frames of a channel offered to a connection; = sent + withheld. */
  stateOffered: number;
  stateSent: number;
  stateWithheld: number;
  cosmeticOffered: number;
  cosmeticSent: number;
  cosmeticDropped: number;
  criticalSent: number;
  writes: number;
  bytes: number;
  pings: number;
  pongs: number;
  pongsForeign: number;
  catchUpPieces: number;
  congested: number;
  recovered: number;
}

export function emptyCounts(): Counts {
  return {
    stateOffered: 0,
    stateSent: 0,
    stateWithheld: 0,
    cosmeticOffered: 0,
    cosmeticSent: 0,
    cosmeticDropped: 0,
    criticalSent: 0,
    writes: 0,
    bytes: 0,
    pings: 0,
    pongs: 0,
    pongsForeign: 0,
    catchUpPieces: 0,
    congested: 0,
    recovered: 0,
  };
}
