// A client without the SDK, on `ws`: follows the redirect itself and keeps every frame as it arrived.
import { WebSocket } from 'ws';
import { NeverBack } from './never-back.ts';

export interface Frame {
  readonly text: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

export class BareClient {
  readonly frames: Frame[] = [];
  readonly redirect: Readonly<Record<string, unknown>>;
  readonly ws: WebSocket;
  closed: number | undefined;
  readonly #neverBack = new NeverBack('a bare client');
  readonly #channels = new Map<string, Map<string, string>>();
  /** Snapshots that are not complete yet. */
  readonly #gathered = new Map<string, Map<string, string>>();

  private constructor(redirect: Readonly<Record<string, unknown>>, ws: WebSocket) {
    this.redirect = redirect;
    this.ws = ws;
    ws.on('message', (data) => this.#take(String(data)));
    ws.on('close', (code) => {
      this.closed = code;
    });
    ws.on('error', () => undefined);
  }

  /** Goes through the router. `resume` is appended to the URL of the redirect. */
  static async connect(routerUrl: string, query: string, resume?: string): Promise<BareClient> {
    const redirect = await askRouter(
      routerUrl.includes('/v1/') ? routerUrl : `${routerUrl}/v1/connect?${query}`,
    );
    const url = String(redirect['url']);
    return BareClient.open(url + (resume === undefined ? '' : `&resume=${resume}`), redirect);
  }

  /** Opens a stream URL directly. */
  static open(url: string, redirect: Readonly<Record<string, unknown>> = {}): BareClient {
    return new BareClient(redirect, new WebSocket(url, ['weir.v1']));
  }

  of(type: string): readonly Frame[] {
    return this.frames.filter((frame) => frame.message['type'] === type);
  }

  /** The critical ids in order of arrival. */
  get ids(): readonly number[] {
    return this.of('critical').map(({ message }) => Number(message['id']));
  }

  /** The newest values of all channels together. */
  get state(): ReadonlyMap<string, string> {
    return new Map([...this.#channels.values()].flatMap((keys) => [...keys]));
  }

  /** The newest values of these channels, one map a channel. */
  maps(channels: readonly string[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return new Map(channels.map((channel) => [channel, this.#channels.get(channel) ?? new Map()]));
  }

  /** Whether the first snapshot of a channel is complete. */
  has(channel: string): boolean {
    return this.#channels.has(channel) && !this.#gathered.has(channel);
  }

  get position(): string | undefined {
    const last = this.of('position').at(-1);
    return last === undefined ? undefined : String(last.message['pos']);
  }

  /** Whether everything of its beginning has come: a position speaks of the state, not of critical messages alone. */
  get served(): boolean {
    return this.position !== undefined && !/^\d\.-\./.test(this.position);
  }

  /** Takes over the state of an earlier connection, as one client that reconnects. */
  continues(earlier: BareClient): void {
    for (const [channel, keys] of earlier.#channels) this.#channels.set(channel, new Map(keys));
  }

  /** Versions up to this one may be lost with a stream: a snapshot may show older ones. */
  lost(upTo: number): void {
    this.#neverBack.lost(upTo);
  }

  close(): void {
    this.ws.close(1000);
  }

  #take(text: string): void {
    const message: Record<string, unknown> = JSON.parse(text);
    this.frames.push({ text, message, atMs: performance.now() });
    this.#neverBack.take(message);
    if (message['type'] === 'state') this.#keep(message);
  }

  /** Applies a state message as section 4 of docs/protocol.md says. */
  #keep(message: Readonly<Record<string, unknown>>): void {
    const name = String(message['channel']);
    const isSnapshot = message['snapshot'] === true;
    const kept = isSnapshot ? this.#gathered.get(name) : this.#channels.get(name);
    const keys = kept ?? new Map<string, string>();
    for (const [key, value] of Object.entries(message['set'] ?? {})) keys.set(key, JSON.stringify(value));
    const del = message['del'];
    if (Array.isArray(del)) for (const key of del) keys.delete(String(key));
    const ended = isSnapshot && message['more'] !== true;
    if (isSnapshot && !ended) this.#gathered.set(name, keys);
    else this.#channels.set(name, keys);
    if (ended) this.#gathered.delete(name);
  }
}

/** Visits the router once. Resolves with its redirect, rejects with the code that the router closed with. */
export function askRouter(url: string): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, ['weir.v1']);
    let redirect: Record<string, unknown> | undefined;
    ws.on('message', (data) => {
      redirect = JSON.parse(String(data));
    });
    ws.on('error', reject);
    ws.on('close', (code) => {
      if (redirect === undefined) reject(new Error(`the router closed with ${code}`));
      else resolve(redirect);
    });
  });
}
