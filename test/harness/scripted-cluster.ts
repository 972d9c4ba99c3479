// A router and a shard in one process that a test scripts. It speaks docs/protocol.md and keeps just enough (newest
// state, all critical messages, one sequence) to answer a resume. Never measures anything.
import type { AddressInfo } from 'node:net';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';

interface Entry {
  readonly value: unknown;
  readonly seq: number;
}

export interface Visit {
  readonly url: URL;
  readonly protocols: readonly string[];
}

interface Stream {
  readonly socket: WebSocket;
  readonly shard: string;
  readonly channels: Set<string>;
}

export class ScriptedCluster {
  readonly visits: Visit[] = [];
  readonly resumes: (string | null)[] = [];
  readonly said: unknown[] = [];
  readonly streams = new Set<Stream>();
  /** Close codes for the next visits to the router, and to the shard, instead of a redirect or a stream. */
  readonly refuseAtRouter: number[] = [];
  readonly refuseAtShard: number[] = [];
  /** Number of frames in a snapshot. */
  snapshotFrames = 1;
  shard = 'a';
  #server: WebSocketServer;
  #epoch = 1;
  #seq = 0;
  #tickets = new Map<string, readonly string[]>();
  readonly #state = new Map<string, Map<string, Entry>>();
  readonly #critical: { readonly channel: string; readonly id: number; readonly data: unknown }[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      socket.on('error', () => {});
      const url = new URL(request.url ?? '/', this.url);
      const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(/, */);
      if (url.pathname === '/v1/connect') this.#route(socket, { url, protocols });
      else if (url.pathname === '/v1/stream') this.#serve(socket, url);
      else socket.close(4501, 'no such path');
    });
  }

  static async start(): Promise<ScriptedCluster> {
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: (offered) => (offered.has('weir.v1') ? 'weir.v1' : false),
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return new ScriptedCluster(server);
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${address.port}`;
  }

  set(channel: string, values: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(values))
      this.#channel(channel).set(key, { value, seq: ++this.#seq });
    this.#publish(channel, { type: 'state', channel, set: values });
  }

  delete(channel: string, key: string): void {
    this.#channel(channel).set(key, { value: undefined, seq: ++this.#seq });
    this.#publish(channel, { type: 'state', channel, set: {}, del: [key] });
  }

  critical(channel: string, data: unknown): void {
    const message = { channel, id: ++this.#seq, data };
    this.#critical.push(message);
    this.#publish(channel, { type: 'critical', ...message });
  }

  cosmetic(channel: string, data: readonly unknown[]): void {
    this.#publish(channel, { type: 'cosmetic', channel, data });
  }

  /** Sends a message to every stream unchanged. */
  say(message: object | string): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    for (const { socket } of this.streams) socket.send(text);
  }

  /** Recreates the streams: earlier positions and ids are void. */
  beginEpoch(): void {
    this.#epoch++;
    this.#seq = 0;
    this.#critical.length = 0;
    for (const channel of this.#state.values()) channel.clear();
  }

  /** Sends every client a move to a shard of that name. */
  move(shard: string, reason = 'drain'): void {
    this.shard = shard;
    for (const { socket, channels } of this.streams) {
      const url = `${this.url}/v1/connect?channels=${[...channels].join(',')}&hint=H`;
      socket.send(JSON.stringify({ type: 'move', url, withinMs: 5_000, reason }));
    }
  }

  closeStreams(code: number, reason = ''): void {
    for (const { socket } of this.streams) socket.close(code, reason);
  }

  /** Breaks all connections without a Close. */
  cutStreams(): void {
    for (const { socket } of this.streams) socket.terminate();
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #route(socket: WebSocket, visit: Visit): void {
    // The number is taken now, since another visit may come before this one is answered.
    const ticket = `T${this.visits.push(visit)}`;
    const refusal = this.refuseAtRouter.shift();
    if (refusal !== undefined) {
      socket.close(refusal, 'scripted');
      return;
    }
    // The pings of a real router's measurement: a ping, unsolicited pongs, a ping.
    socket.ping('1');
    socket.pong(Buffer.alloc(100));
    socket.ping('2');
    socket.once('pong', () => {
      this.#tickets.set(ticket, (visit.url.searchParams.get('channels') ?? '').split(','));
      const measured = visit.url.searchParams.has('hint') ? {} : { rttMs: 1.5, kbps: 90_000 };
      const url = `${this.url}/v1/stream?ticket=${ticket}`;
      socket.send(
        JSON.stringify({ type: 'redirect', url, pool: 'desktop', ...measured, confidence: 'high' }),
      );
      socket.close(4001, 'redirected');
    });
  }

  #serve(socket: WebSocket, url: URL): void {
    const ticket = url.searchParams.get('ticket') ?? '';
    const resume = url.searchParams.get('resume');
    const channels = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    const refusal = this.refuseAtShard.shift() ?? (channels === undefined ? 4003 : undefined);
    if (refusal !== undefined) {
      socket.close(refusal, 'scripted');
      return;
    }
    const stream = { socket, shard: this.shard, channels: new Set(channels) };
    this.resumes.push(resume);
    this.streams.add(stream);
    socket.on('close', () => this.streams.delete(stream));
    socket.on('message', (data) => this.#hear(stream, String(data)));
    const [epoch, seq] = (resume ?? '').split('.').map(Number);
    const resumed = epoch === this.#epoch && seq !== undefined && seq <= this.#seq;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    const { shard } = stream;
    send({ type: 'welcome', session: ticket, pool: 'desktop', shard, tickMs: 100, channels, resumed });
    for (const channel of stream.channels) {
      if (resumed) this.#catchUp(send, channel, seq);
      else {
        this.#snapshot(send, channel);
        if (resume !== null) send({ type: 'gap', channel, lane: 'critical', after: 0, reset: true });
      }
    }
    send({ type: 'position', pos: this.#position });
  }

  #hear(stream: Stream, text: string): void {
    const message: { readonly type: string; readonly channels: readonly string[] } = JSON.parse(text);
    this.said.push(message);
    for (const channel of message.channels) {
      const send = (frame: object): void => stream.socket.send(JSON.stringify(frame));
      if (channel === 'secret') send({ type: 'error', code: 'CHANNEL_FORBIDDEN', channel });
      else if (message.type === 'unsubscribe') stream.channels.delete(channel);
      else {
        stream.channels.add(channel);
        this.#snapshot(send, channel);
      }
    }
  }

  #snapshot(send: (message: object) => void, channel: string): void {
    const entries = [...this.#channel(channel)].filter(([, { value }]) => value !== undefined);
    const size = Math.max(1, Math.ceil(entries.length / this.snapshotFrames));
    for (let from = 0; from === 0 || from < entries.length; from += size) {
      const set = Object.fromEntries(
        entries.slice(from, from + size).map(([key, { value }]) => [key, value]),
      );
      const more = from + size < entries.length ? { more: true } : {};
      send({ type: 'state', channel, snapshot: true, set, ...more });
    }
  }

  #catchUp(send: (message: object) => void, channel: string, since: number): void {
    const entries = [...this.#channel(channel)].filter(([, { seq }]) => seq > since);
    const set = Object.fromEntries(
      entries.flatMap(([k, { value }]) => (value === undefined ? [] : [[k, value]])),
    );
    const del = entries.flatMap(([key, { value }]) => (value === undefined ? [key] : []));
    if (entries.length > 0) send({ type: 'state', channel, set, del });
    for (const message of this.#critical) {
      if (message.channel === channel && message.id > since) send({ type: 'critical', ...message });
    }
  }

  #publish(channel: string, message: object): void {
    for (const { socket, channels } of this.streams) {
      if (!channels.has(channel)) continue;
      socket.send(JSON.stringify(message));
    }
  }

  /** Sends the current position: clients can resume from here. */
  sayPosition(): void {
    this.say({ type: 'position', pos: this.#position });
  }

  get #position(): string {
    return `${this.#epoch}.${this.#seq}`;
  }

  #channel(name: string): Map<string, Entry> {
    const channel = this.#state.get(name) ?? new Map<string, Entry>();
    this.#state.set(name, channel);
    return channel;
  }
}
