// One channel: frames of it in, live map and events out. Drops critical ids that it has had. Knows no connection.
import type { CosmeticMessage, CriticalMessage, GapMessage, StateMessage } from '@weir/protocol';
import { Cosmetics, EventQueue } from './event-queue.ts';
import { Listeners } from './listeners.ts';
import type { Channel, ChannelEvent, ChannelEvents, Unsubscribe } from './public.ts';
import { ChannelState } from './state.ts';

/** Below every id: ids are the sequences of a stream. */
const NO_ID = -1;

/** What a channel needs of the client that owns it. */
export interface FeedOwner {
  readonly queueLimit: number;
  wants(channel: string): boolean;
  subscribe(channel: string): void;
  unsubscribe(channel: string): void;
  /** Something waits to be announced. */
  changed(feed: Feed): void;
}

export type FeedMessage = StateMessage | CriticalMessage | CosmeticMessage | GapMessage;

export class Feed extends Listeners<ChannelEvents> implements Channel {
  readonly name: string;
  readonly #owner: FeedOwner;
  readonly #state = new ChannelState();
  readonly #cosmetics = new Cosmetics();
  readonly #stores = new Listeners<{ run: ReadonlyMap<string, unknown> }>(['run']);
  readonly #queues = new Set<EventQueue>();
  #lastId = NO_ID;
  #forgotten = false;
  #end: { readonly error: unknown } | undefined;

  constructor(name: string, owner: FeedOwner) {
    super(['state', 'critical', 'cosmetic', 'gap']);
    this.name = name;
    this.#owner = owner;
  }

  get state(): ReadonlyMap<string, unknown> {
    return this.#state.map;
  }

  get snapshot(): ReadonlyMap<string, unknown> {
    return this.#state.snapshot;
  }

  get subscribed(): boolean {
    return this.#owner.wants(this.name);
  }

  /** It was received once, then dropped, and no snapshot has come since. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** The last critical id; nothing before the first. */
  get lastId(): number | undefined {
    return this.#lastId === NO_ID ? undefined : this.#lastId;
  }

  /** The page before had critical messages up to this one. */
  recall(id: number): void {
    this.#lastId = Math.max(this.#lastId, id);
  }

  subscribe(): void;
  subscribe(run: (snapshot: ReadonlyMap<string, unknown>) => void): Unsubscribe;
  subscribe(run?: (snapshot: ReadonlyMap<string, unknown>) => void): Unsubscribe | undefined {
    // A component that shows the channel must not fail because the client was told to stay away.
    if (run === undefined || this.#end === undefined) this.#owner.subscribe(this.name);
    if (run === undefined) return undefined;
    const stop = this.#stores.on('run', run);
    run(this.snapshot);
    return stop;
  }

  unsubscribe(): void {
    this.#owner.unsubscribe(this.name);
  }

  [Symbol.asyncIterator](): AsyncIterator<ChannelEvent> {
    // What the map has already is announced to this iterator as a whole, so nothing of it may come again.
    this.announce();
    const queue = new EventQueue(this.#owner.queueLimit, () => this.#queues.delete(queue));
    if (this.#state.map.size > 0) {
      queue.push({ type: 'state', set: new Map(this.#state.map), del: [], snapshot: true });
    }
    if (this.#end === undefined) this.#queues.add(queue);
    else queue.end(this.#end.error);
    return queue;
  }

  receive(message: FeedMessage): void {
    switch (message.type) {
      case 'state':
        if (this.#state.apply(message) === 'complete') this.#forgotten = false;
        if (!this.#state.changes.empty) this.#owner.changed(this);
        break;
      case 'cosmetic':
        this.#cosmetics.add(message.data ?? []);
        this.#owner.changed(this);
        break;
      case 'critical':
        if (!(message.id > this.#lastId)) break;
        this.#lastId = message.id;
        this.#emit({ type: 'critical', id: message.id, data: message.data });
        break;
      case 'gap':
        if (message.reset === true) this.#lastId = NO_ID;
        this.#emit({ type: 'gap', after: message.after, reset: message.reset === true, cause: 'server' });
    }
  }

  /** A new stream took over: half a snapshot of the old one is void. */
  streamBegan(): void {
    this.#state.forgetHalf();
  }

  /**
   * The stream went on without a position, so critical messages may be missing. `ids`: they are kept while the old
   * stream was open until now, and begin anew where it was not, since the epoch may be another one.
   */
  declareLoss(ids: 'keep' | 'forget'): void {
    const after = Math.max(0, this.#lastId);
    if (ids === 'forget') this.#lastId = NO_ID;
    this.#emit({ type: 'gap', after, reset: ids === 'forget', cause: 'position' });
  }

  /** Hands out what was conflated since the last time. */
  announce(): void {
    if (!this.#state.changes.empty) {
      this.#emit(this.#state.changes.take());
      this.#tellStores();
    }
    if (!this.#cosmetics.empty) this.#emit(this.#cosmetics.take());
  }

  /** No longer subscribed to. `served`: the shard sends it, so a position may speak for what is dropped on its way. */
  clear(served = false): void {
    const had = this.#state.map.size > 0;
    this.#forgotten ||= served || this.#lastId !== NO_ID || had;
    this.#state.clear();
    this.#cosmetics.take();
    if (had) this.#tellStores();
  }

  /** Another subscription begins: half a snapshot is of the one before, and ids may be those of another epoch. */
  begins(): void {
    this.#state.forgetHalf();
    this.#lastId = NO_ID;
  }

  endIterations(error?: unknown): void {
    for (const queue of this.#queues) queue.end(error);
    this.#queues.clear();
  }

  /** The client connects. */
  begin(): void {
    this.#end = undefined;
  }

  /** The client is closed; `error` where it was a refusal. */
  end(error: unknown): void {
    this.#end = { error };
    this.endIterations(error);
  }

  /** Making a snapshot copies the map: it is made only for stores that are there. */
  #tellStores(): void {
    if (this.#stores.has('run')) this.#stores.emit('run', this.snapshot);
  }

  #emit(event: ChannelEvent): void {
    // The tag of the union is the name of its listeners.
    this.emit(event.type, event as never);
    for (const queue of this.#queues) queue.push(event);
  }
}
