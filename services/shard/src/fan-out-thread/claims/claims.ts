// Clients of a thread whose positions are beyond what this shard has read. While NATS is away that may be true, so the
// shard believes them. Once the shard knows how far the streams go, a client that claimed more begins anew. One entry a
// client.
import type { Heads } from '../../port/messages.ts';
import type { Connection } from '../connection/connection.ts';

/** The lanes in which a connection begins anew. */
export interface Restart {
  readonly state: boolean;
  /** Critical messages after `sinceSeq`; the client is told that nothing up to `afterSeq` counts any more. */
  readonly critical: { readonly afterSeq: number; readonly sinceSeq: number } | undefined;
}

interface Claim {
  readonly claimed: Heads;
  /** Where the thread stood when the client came. The client drops messages that it believes to have: they are sent again. */
  readonly criticalSeq: number;
}

export interface ClaimsOptions {
  /** Asks for `judge`. */
  readonly doubt: () => void;
  readonly restart: (connection: Connection, restart: Restart) => void;
}

export class Claims {
  readonly #o: ClaimsOptions;
  readonly #claims = new Map<Connection, Claim>();

  constructor(options: ClaimsOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#claims.size;
  }

  /** Compares where a new connection begins with the heads of its thread. */
  arrived(connection: Connection, heads: Heads): void {
    const { stateSeq, criticalSeq } = furthest(connection);
    if (stateSeq <= heads.stateSeq && criticalSeq <= heads.criticalSeq) return;
    this.#claims.set(connection, {
      claimed: { ...heads, stateSeq, criticalSeq },
      criticalSeq: heads.criticalSeq,
    });
    this.#o.doubt();
  }

  left(connection: Connection): void {
    this.#claims.delete(connection);
  }

  /** Judges all claims by how far the streams go. In a lane with another epoch, all clients have begun anew already. */
  judge(heads: Heads): void {
    for (const [connection, { claimed, criticalSeq }] of this.#claims) {
      const state = claimed.stateEpoch === heads.stateEpoch && claimed.stateSeq > heads.stateSeq;
      const critical =
        claimed.criticalEpoch === heads.criticalEpoch && claimed.criticalSeq > heads.criticalSeq
          ? { afterSeq: claimed.criticalSeq, sinceSeq: criticalSeq }
          : undefined;
      if (state || critical !== undefined) this.#o.restart(connection, { state, critical });
    }
    this.#claims.clear();
  }
}

function furthest({ delivery: { cursors } }: Connection): { stateSeq: number; criticalSeq: number } {
  let [stateSeq, criticalSeq] = [0, 0];
  for (const cursor of cursors) {
    stateSeq = Math.max(stateSeq, cursor.stateSeq);
    criticalSeq = Math.max(criticalSeq, cursor.criticalSeq);
  }
  return { stateSeq, criticalSeq };
}
