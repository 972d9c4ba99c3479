// For tests: one state stream that shards read as far as the test lets them, and clients that keep what they show from
// connection to connection. The oracle: versions of a key never go back, and a position is a promise.
import type { Connection } from '../fan-out-thread/connection/connection.ts';
import type { ModelClient, ModelThread } from './two-threads.ts';
import { ModelMain } from './two-threads.ts';

const PADDING = 'x'.repeat(150);

interface Change {
  readonly channel: string;
  readonly key: string;
  readonly version: number;
  readonly deletes: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: parsed frames.
type StateFrame = any;
type Keys = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

export class ModelCluster {
  readonly shards: readonly ModelMain[];
  /** What went back, in words. */
  readonly faults: string[] = [];
  readonly stream: Change[] = [];
  readonly #read: number[];
  readonly #reaching: { readonly shard: number; readonly length: number; readonly run: () => void }[] = [];

  constructor(shards: number) {
    this.shards = Array.from({ length: shards }, () => new ModelMain(2));
    this.#read = this.shards.map(() => 0);
    for (const [shard, main] of this.shards.entries()) {
      main.reach = (run) => {
        this.#reaching.push({ shard, length: this.stream.length, run });
        this.#release();
      };
    }
  }

  publish(channel: string, key: string, deletes: boolean): void {
    this.stream.push({ channel, key, version: this.stream.length + 1, deletes });
  }

  /** A shard reads its next `count` messages. */
  read(shard: number, count: number): void {
    const main = this.shards[shard];
    for (let i = 0; i < count; i++) {
      const change = this.stream[this.#read[shard] ?? 0];
      if (change === undefined || main === undefined) break;
      main.set(change.channel, change.key, change.deletes ? undefined : [change.version, PADDING]);
      this.#read[shard] = (this.#read[shard] ?? 0) + 1;
    }
    this.#release();
  }

  readAll(): void {
    for (const shard of this.shards.keys()) this.read(shard, this.stream.length);
  }

  /** What is published by now. */
  keys(channel: string): Readonly<Record<string, unknown>> {
    const keys = new Map<string, unknown>();
    for (const change of this.stream) {
      if (change.channel !== channel) continue;
      if (change.deletes) keys.delete(change.key);
      else keys.set(change.key, [change.version, PADDING]);
    }
    return Object.fromEntries([...keys].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  thread(shard: number, thread: number): ModelThread {
    const of = this.shards[shard]?.threads[thread];
    if (of === undefined) throw new Error('there is no such thread');
    return of;
  }

  #release(): void {
    for (const waiting of this.#reaching.splice(0)) {
      if ((this.#read[waiting.shard] ?? 0) >= waiting.length) waiting.run();
      else this.#reaching.push(waiting);
    }
  }
}

interface Line {
  readonly thread: ModelThread;
  readonly connection: Connection;
  readonly client: ModelClient;
}

/** A client through all of its connections. */
export class ModelUser {
  /** Every position that it was ever given, and what it had then. */
  readonly given: { readonly position: string; readonly channels: readonly string[]; readonly keys: Keys }[] =
    [];
  readonly #cluster: ModelCluster;
  readonly #last = new Map<string, number>();
  #line: Line;
  /** A connection that has not said `welcome` yet, and the frames that lie behind that. */
  #next: { readonly line: Line; readonly frames: StateFrame[] } | undefined;
  /** Nothing while an older one may speak for a channel that was left and taken again. */
  #position = '';

  constructor(cluster: ModelCluster, thread: ModelThread, channels: readonly string[]) {
    this.#cluster = cluster;
    this.#line = this.#open(thread, channels);
    this.#listen();
  }

  get channels(): readonly string[] {
    return this.#line.thread.fanOut.channelsOf(this.#line.connection);
  }

  keys(channel: string): Readonly<Record<string, unknown>> {
    return this.#line.client.keys(channel);
  }

  join(channel: string): void {
    if (this.#next !== undefined || this.channels.includes(channel)) return;
    this.#position = '';
    this.#line.thread.fanOut.subscribe(this.#line.connection, [channel]);
  }

  leave(channel: string): void {
    if (this.#next !== undefined || !this.channels.includes(channel)) return;
    this.#line.thread.fanOut.unsubscribe(this.#line.connection, [channel]);
    this.#line.client.state.delete(channel);
    for (const of of [...this.#last.keys()]) if (of.startsWith(`${channel} `)) this.#last.delete(of);
  }

  /** The connection breaks, and the client comes back. */
  comeBack(thread: ModelThread): void {
    this.#cancel();
    const { channels } = this;
    this.#line.thread.disconnect(this.#line.connection);
    this.#take(this.#open(thread, channels));
  }

  /** It goes elsewhere; the connection that it has counts until the other says `welcome`. */
  move(thread: ModelThread): void {
    if (this.#next !== undefined || this.#position === '') return;
    const line = this.#open(thread, this.channels);
    const frames: StateFrame[] = [];
    line.client.onState = (frame) => frames.push(frame);
    this.#next = { line, frames };
  }

  /** It reads what has come and answers pings; those of a new connection come behind its `welcome`. */
  hear(): boolean {
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) {
      this.#line.thread.disconnect(this.#line.connection);
      this.#take(next.line);
      for (const frame of next.frames) this.#show(frame);
    }
    return this.#line.thread.pong(this.#line.connection) || next !== undefined;
  }

  /** Everything on its way arrives. */
  settle(): void {
    do this.#line.thread.flow();
    while (this.hear());
  }

  #open(thread: ModelThread, channels: readonly string[]): Line {
    const connection = thread.connect(channels, false, this.#position);
    const client = thread.clients.get(connection);
    if (client === undefined) throw new Error('there is no client');
    return { thread, connection, client };
  }

  #take(line: Line): void {
    // One that comes back without a position begins anew.
    if (this.#position === '') this.#last.clear();
    else for (const [channel, keys] of this.#line.client.state) merge(line.client, channel, keys);
    this.#line = line;
    this.#listen();
  }

  #listen(): void {
    const { client } = this.#line;
    client.onState = (frame) => this.#show(frame);
    client.onPosition = () => {
      this.#position = client.position;
      const { channels } = this;
      const keys = new Map([...client.state].map(([name, of]) => [name, new Map(of)]));
      this.given.push({ position: client.position, channels, keys });
    };
  }

  #cancel(): void {
    if (this.#next !== undefined) this.#next.line.thread.disconnect(this.#next.line.connection);
    this.#next = undefined;
  }

  #show({ channel, set, del = [] }: StateFrame): void {
    for (const [key, [version]] of Object.entries<[number]>(set)) {
      const last = this.#last.get(`${channel} ${key}`) ?? 0;
      if (version < last) this.#cluster.faults.push(`${channel} ${key}: ${last} -> ${version}`);
      this.#last.set(`${channel} ${key}`, version);
    }
    for (const key of del) this.#showDeleted(channel, key);
  }

  /** Any deletion that is not older than what was shown. */
  #showDeleted(channel: string, key: string): void {
    const last = this.#last.get(`${channel} ${key}`) ?? 0;
    const deletion = this.#cluster.stream.find(
      (one) => one.deletes && one.channel === channel && one.key === key && one.version >= last,
    );
    if (deletion === undefined) this.#cluster.faults.push(`${channel} ${key}: ${last} -> deleted`);
    else this.#last.set(`${channel} ${key}`, deletion.version);
  }
}

/** What a client has from before; what the new connection has said already is newer. */
function merge(client: ModelClient, channel: string, keys: ReadonlyMap<string, unknown>): void {
  client.state.set(channel, new Map([...keys, ...(client.state.get(channel) ?? [])]));
}
