// Asks the clients of a thread to move to another shard through the router: one client whose network needs another pool,
// some clients to rebalance the pool, all clients in a drain. It closes no connection itself; a client that does not go
// is served on.
import type { ControlMessage, Hint, MoveReason } from '@weir/protocol';
import { moveUrl, secured } from '@weir/protocol';
import type { Clock } from '@weir/runtime';
import type { ShardConfig } from '../../config.ts';
import type { DrainPace, ShedOrder } from '../../port/messages.ts';
import type { Connection } from '../connection/connection.ts';
import { drain } from './drain.ts';
import { drawn } from './drawn.ts';
import { paced } from './paced.ts';

/** Slow clients need longer than others to get their `welcome` elsewhere. */
const NETWORK_WITHIN_MS = 10_000;
/** The moves of one request to shed are spread over a second. */
const SHED_MS = 1_000;
const SHED_STEPS = 10;

export interface MovesOptions {
  readonly config: Pick<
    ShardConfig,
    'pool' | 'shardId' | 'routerUrl' | 'minStayMs' | 'drainWindowMs' | 'drainWithinMs'
  >;
  readonly clock: Clock;
  readonly random: () => number;
  /** Signs a hint that is good as long as the URL of a move. */
  readonly signHint: (hint: Hint) => Promise<string>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly draining: () => boolean;
  readonly connections: () => Iterable<Connection>;
  readonly channelsOf: (connection: Connection) => readonly string[];
  readonly say: (connection: Connection, messages: readonly ControlMessage[]) => void;
  /** Closes a client that has not gone by the end of a drain. */
  readonly close: (connection: Connection) => void;
  readonly count: (reason: MoveReason) => void;
}

export class Moves {
  readonly #o: MovesOptions;
  #asked = 0;
  /** The present pace of a drain. */
  #movesPerSecond = 0;

  constructor(options: MovesOptions) {
    this.#o = options;
  }

  /** Asks one client to go to the router, which measures it again unless a second look was certain. */
  remeasure(connection: Connection, reason: 'tooSlow' | 'promote'): Promise<void> {
    return this.#ask(connection, reason, NETWORK_WITHIN_MS);
  }

  /** Moves all clients away. Resolves when none is left, or when the time to wait for them is over. */
  async drain({ movesPerSecond, movesMs }: DrainPace): Promise<void> {
    const { config, clock, connections, close, sleep, random } = this.#o;
    this.pace(movesPerSecond);
    await drain({
      limits: {
        windowMs: config.drainWindowMs,
        withinMs: config.drainWithinMs,
        movesMs,
        movesPerSecond: () => this.#movesPerSecond,
      },
      nowMs: () => clock.monotonicMs(),
      connections: () => [...connections()],
      move: (connection) => this.#ask(connection, 'drain', config.drainWithinMs),
      close,
      sleep,
      random,
    });
  }

  /** Other shards have begun or ended a drain: changes the pace of this one. */
  pace(movesPerSecond: number): void {
    this.#movesPerSecond = movesPerSecond;
  }

  /**
   * Draws at most `moves` clients and returns how many, at once. Each is asked once, within a second after `startInMs`.
   */
  shed(order: ShedOrder): number {
    const { connections, clock, random } = this.#o;
    const nowMs = clock.monotonicMs();
    const movable = [...connections()].filter((connection) => this.#mayBeShed(connection, nowMs));
    const chosen = drawn(movable, order.moves, random);
    for (const connection of chosen) connection.shed = true;
    void this.#shed(chosen, order);
    return chosen.length;
  }

  /** A client is shed once, while it is live and not leaving, and not soon after it came. */
  #mayBeShed(connection: Connection, nowMs: number): boolean {
    const { minStayMs } = this.#o.config;
    const { standing, openedMs } = connection;
    return (
      connection.delivery.state === 'live' &&
      !connection.shed &&
      !isLeaving(connection, nowMs) &&
      nowMs - openedMs >= minStayMs &&
      (standing === undefined || standing.stayMs(nowMs) >= minStayMs)
    );
  }

  async #shed(chosen: readonly Connection[], { withinMs, startInMs }: ShedOrder): Promise<void> {
    const { sleep, draining, clock } = this.#o;
    if (startInMs > 0) await sleep(startInMs);
    const perStep = Math.max(1, Math.ceil(chosen.length / SHED_STEPS));
    const stepMs = (SHED_MS * perStep) / chosen.length;
    const ask = async (connection: Connection): Promise<void> => {
      // A drain asks all clients anyway.
      if (draining() || isLeaving(connection, clock.monotonicMs())) return;
      await this.#ask(connection, 'rebalance', withinMs);
    };
    await paced(chosen, { perStep, stepMs }, { ask, sleep });
  }

  /** Asks a client to move. It keeps this connection until it has its `welcome` elsewhere. */
  async #ask(connection: Connection, reason: MoveReason, withinMs: number): Promise<void> {
    const { config, clock, signHint, channelsOf, say, count } = this.#o;
    if (connection.delivery.over) return;
    const { allow, tls, ceiling, network, tokenExpiresS } = connection.ticket;
    const nowMs = clock.monotonicMs();
    const history = connection.standing?.history(nowMs);
    const finding = connection.look?.verdict === undefined ? undefined : connection.look.finding;
    const hint = await signHint({
      // One id for each request to move: the router takes a hint once.
      id: `${connection.session}.${++this.#asked}`,
      pool: config.pool,
      allow,
      measure: reason === 'tooSlow' || reason === 'promote',
      // A shard on which a client was well is a good place to come back to.
      ...(reason === 'promote' ? {} : { avoid: config.shardId }),
      ...(ceiling === undefined ? {} : { ceiling }),
      ...(network === undefined ? {} : { network }),
      ...(tokenExpiresS === undefined ? {} : { tokenExpiresS }),
      ...(history === undefined ? {} : { history }),
      ...(finding === undefined ? {} : { finding }),
    });
    if (connection.delivery.over) return;
    const url = moveUrl(secured(config.routerUrl, tls), channelsOf(connection), hint);
    // A client that stays may be asked again later, except in a drain.
    connection.leavingUntilMs = reason === 'drain' ? Number.POSITIVE_INFINITY : nowMs + withinMs;
    count(reason);
    say(connection, [{ type: 'move', url, withinMs, reason }]);
  }
}

/** Whether the client is gone, is closing, or may be on its way because it was asked. */
function isLeaving(connection: Connection, nowMs: number): boolean {
  return connection.delivery.over || nowMs < connection.leavingUntilMs;
}
