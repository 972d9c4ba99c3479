// What the crowd's process and its owner say to each other.

export interface CrowdOrder {
  /** How many clients there shall be. */
  readonly clients?: number;
  /** Longest silence and losses count from here on. */
  readonly mark?: boolean;
}

export interface CrowdReport {
  /** Asked for, and connected now. */
  readonly clients: number;
  readonly open: number;
  /** Critical messages that all clients together have received, and missed, since the mark. */
  readonly critical: number;
  readonly lost: number;
  readonly moves: number;
  /** The longest time in which a client that was open at the mark heard nothing. */
  readonly silenceMs: number;
}
