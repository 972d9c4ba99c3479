// What the page's buttons do to this run, and what came of it in words. One at a time.
import { setTimeout as delay } from 'node:timers/promises';
import type { Crowd } from '../crowd/crowd.ts';
import type { Line } from '../lines/line.ts';
import type { Feed } from './feed.ts';
import type { ClusterView } from './observe.ts';
import type { ActionName } from './orders.ts';

/** The part of the cluster that the buttons act on. */
export interface Actors {
  /** Sends a signal to the process of a service; false where none runs. */
  readonly signal: (id: string, signal: NodeJS.Signals) => boolean;
  /** Undefined where the NATS server is not ours. */
  readonly nats: { kill(signal: NodeJS.Signals): Promise<void>; restart(): Promise<void> } | undefined;
  readonly feed: Feed;
  readonly crowd: Crowd;
  readonly lines: () => Iterable<Line>;
  readonly look: () => Promise<ClusterView>;
}

/** Why a button cannot do it now. */
export class CannotError extends Error {
  override readonly name = 'CannotError';
}

const CUT_MS = 20_000;
const NATS_AWAY_MS = 10_000;
const BURST_UPDATES = 6_000;
/** After the end of a disturbance: what was late has arrived then. */
const SETTLE_MS = 3_000;
const LOOK_MS = 150;
const PATIENCE_MS = 45_000;

export class Actions {
  readonly #actors: Actors;
  readonly #signal: AbortSignal;

  /** `signal` ends what is under way. */
  constructor(actors: Actors, signal: AbortSignal) {
    this.#actors = actors;
    this.#signal = signal;
  }

  /** Does it and resolves, when its effects are over, with what happened; rejects with CannotError. */
  async run(action: ActionName, shard: string | undefined): Promise<string> {
    this.#actors.crowd.mark();
    switch (action) {
      case 'kill':
        return this.#endShard('SIGKILL', shard);
      case 'drain':
        return this.#endShard('SIGTERM', shard);
      case 'cut':
        return this.#cut();
      case 'burst':
        return this.#burst();
      case 'goal':
        return this.#goal();
      case 'nats':
        return this.#stopNats();
    }
  }

  async #endShard(signal: 'SIGKILL' | 'SIGTERM', wanted: string | undefined): Promise<string> {
    const { look, feed, signal: send } = this.#actors;
    const { shards } = await look();
    const running = shards.filter(({ up }) => up).sort((a, b) => b.connections - a.connections);
    // Without a name it is the one with the most clients; a name that is gone must not end another one.
    const shard = wanted === undefined ? running[0] : running.find(({ id }) => id === wanted);
    if (shard === undefined)
      throw new CannotError(
        `${wanted === undefined ? 'no shard runs' : 'this shard does not run'} at this moment`,
      );
    const before = total(shards);
    const beganMs = performance.now();
    if (!send(shard.id, signal)) throw new CannotError(`${shard.id} does not run at this moment`);
    feed.goal(); // a message that must not be lost, while it matters
    await this.#wait(LOOK_MS);
    const areServed = await this.#until(({ shards: now }) => {
      const isEmpty = now.every(({ id, connections }) => id !== shard.id || connections === 0);
      return total(now) >= before && (signal === 'SIGKILL' || isEmpty);
    });
    const tookMs = performance.now() - beganMs;
    await this.#wait(SETTLE_MS);
    const had = people(shard.connections);
    const took = areServed ? ` after ${seconds(tookMs)}` : ' late';
    const what =
      signal === 'SIGKILL'
        ? `${shard.id} was killed with ${had} on it; all were served again${took}`
        : `${shard.id} was asked to stop and sent its ${had} to other shards; all were there${took}`;
    return `${what}.${this.#crowdSaw()}`;
  }

  async #cut(): Promise<string> {
    const lines = [...this.#actors.lines()];
    const { goals } = this.#actors.feed.counts();
    for (const line of lines) line.interrupt(true);
    try {
      await this.#wait(CUT_MS / 4);
      this.#actors.feed.goal();
      await this.#wait((CUT_MS * 3) / 4);
    } finally {
      for (const line of lines) line.interrupt(false);
    }
    const missed = this.#actors.feed.counts().goals - goals;
    await this.#wait(SETTLE_MS * 2);
    return `Nothing got through for ${CUT_MS / 1000} s, in which ${missed} critical ${missed === 1 ? 'message was' : 'messages were'} published.`;
  }

  async #burst(): Promise<string> {
    const beganMs = performance.now();
    const kept = await this.#actors.feed.burst(BURST_UPDATES);
    const tookMs = performance.now() - beganMs;
    await this.#wait(SETTLE_MS);
    return `${kept.toLocaleString('en')} updates were published in ${seconds(tookMs)}. Weir sent each client the newest value of each match, the naive server all of them.${this.#crowdSaw()}`;
  }

  async #goal(): Promise<string> {
    const { goals } = this.#actors.feed.counts();
    if (!this.#actors.feed.goal()) throw new CannotError('many goals wait for NATS already');
    await this.#waitUntil(() => this.#actors.feed.counts().goals > goals);
    await this.#wait(SETTLE_MS);
    return `Goal ${this.#actors.feed.counts().goals} was published.${this.#crowdSaw()}`;
  }

  async #stopNats(): Promise<string> {
    const { nats, feed } = this.#actors;
    if (nats === undefined) throw new CannotError('this NATS server is not one that npm start started');
    const { goals } = feed.counts();
    await nats.kill('SIGTERM');
    const beganMs = performance.now();
    try {
      feed.goal();
      await this.#wait(NATS_AWAY_MS);
    } finally {
      if (!this.#signal.aborted) await nats.restart();
    }
    const { updates } = feed.counts();
    await this.#waitUntil(() => feed.counts().updates > updates && feed.counts().goals > goals);
    const tookMs = performance.now() - beganMs;
    await this.#wait(SETTLE_MS);
    return `NATS was away for ${NATS_AWAY_MS / 1000} s; the shards kept their clients, and values flowed again after ${seconds(tookMs)}. The goal of that time was kept as soon as NATS was back.${this.#crowdSaw()}`;
  }

  #crowdSaw(): string {
    const { report } = this.#actors.crowd;
    if (report === undefined || report.clients === 0) return '';
    return ` Crowd of ${report.clients}: ${report.lost} critical lost, longest silence ${seconds(report.silenceMs)}.`;
  }

  /** Whether it came true. */
  async #until(holds: (view: ClusterView) => boolean): Promise<boolean> {
    const untilMs = performance.now() + PATIENCE_MS;
    while (performance.now() < untilMs) {
      if (holds(await this.#actors.look())) return true;
      await this.#wait(LOOK_MS);
    }
    return false;
  }

  async #waitUntil(holds: () => boolean): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS;
    while (!holds() && performance.now() < untilMs) await this.#wait(LOOK_MS);
  }

  #wait(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#signal });
  }
}

function total(shards: ClusterView['shards']): number {
  return shards.reduce((sum, { connections }) => sum + connections, 0);
}

function people(count: number): string {
  return `${count} ${count === 1 ? 'client' : 'clients'}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
