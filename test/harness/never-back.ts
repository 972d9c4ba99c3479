// The oracle of order: a client's view never goes back, whatever happens to its connections. Gets the frames that the
// client applies; returns faults as sentences. Compares values by their `version`, critical messages by id.

type Message = Readonly<Record<string, unknown>>;

/** The version of a published value; undefined if it has none. */
export function versionOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('version' in value)) return undefined;
  return typeof value.version === 'number' ? value.version : undefined;
}

/** The last version of a key. `gone`: the key was deleted since, so the same version may not come again. */
interface Seen {
  readonly version: number;
  readonly gone: boolean;
}

const all: NeverBack[] = [];

export class NeverBack {
  readonly faults: string[] = [];
  readonly #name: string;
  readonly #keys = new Map<string, Map<string, Seen>>();
  /** Snapshots that are not complete yet. */
  readonly #gathered = new Map<string, Map<string, unknown>>();
  readonly #ids = new Map<string, number>();
  readonly #mayReturn = new Set<string>();
  #lostUpTo = 0;

  constructor(name: string) {
    this.#name = name;
    all.push(this);
  }

  /** A new connection begins. `anew`: the client sends no position, so the shard may show it anything. */
  begin(how: 'anew' | 'resumed'): void {
    this.#gathered.clear();
    // After a resume the shard may repeat critical messages: the client drops them by their ids.
    this.#ids.clear();
    if (how === 'anew') this.#keys.clear();
  }

  /** Versions up to this one may be lost with a stream: only a snapshot may show older ones. */
  lost(upTo: number): void {
    this.#lostUpTo = Math.max(this.#lostUpTo, upTo);
  }

  /**
   * A key got a message that cannot be broadcast: a shard that starts after it lacks the key until another shard has
   * written its last valid value again.
   */
  mayReturn(channel: string, key: string): void {
    this.#mayReturn.add(`${channel} ${key}`);
  }

  /** The client unsubscribes: its ids of these channels no longer count, because no gap will tell it of another epoch. */
  left(channels: readonly string[]): void {
    for (const channel of channels) this.#ids.delete(channel);
  }

  /** Checks one message that the client applies. */
  take(message: Message): void {
    const channel = String(message['channel']);
    if (message['type'] === 'state') this.#state(channel, message);
    else if (message['type'] === 'critical') this.#critical(channel, Number(message['id']));
    else if (message['type'] === 'gap' && message['reset'] === true) this.#ids.delete(channel);
  }

  #critical(channel: string, id: number): void {
    const last = this.#ids.get(channel) ?? -1;
    if (id <= last) this.#fault(`critical id ${id} of ${channel} came after ${last}`);
    this.#ids.set(channel, id);
  }

  #state(channel: string, message: Message): void {
    const set = Object.entries(message['set'] ?? {});
    const del = Array.isArray(message['del']) ? message['del'].map(String) : [];
    if (message['snapshot'] !== true) {
      for (const [key, value] of set) this.#show(channel, { key, value, inSnapshot: false });
      for (const key of del) this.#remove(channel, key);
      return;
    }
    const gathered = this.#gathered.get(channel) ?? new Map<string, unknown>();
    for (const [key, value] of set) gathered.set(key, value);
    for (const key of del) gathered.delete(key);
    if (message['more'] === true) this.#gathered.set(channel, gathered);
    else this.#replace(channel, gathered);
  }

  #replace(channel: string, snapshot: ReadonlyMap<string, unknown>): void {
    this.#gathered.delete(channel);
    for (const key of this.#keys.get(channel)?.keys() ?? []) {
      if (!snapshot.has(key)) this.#remove(channel, key);
    }
    for (const [key, value] of snapshot) this.#show(channel, { key, value, inSnapshot: true });
  }

  #show(
    channel: string,
    shown: { readonly key: string; readonly value: unknown; readonly inSnapshot: boolean },
  ) {
    const { key, value, inSnapshot } = shown;
    const version = versionOf(value);
    if (version === undefined) return;
    const keys = this.#keys.get(channel) ?? new Map<string, Seen>();
    this.#keys.set(channel, keys);
    const last = keys.get(key);
    const isAgain =
      last?.gone === true && version === last.version && !this.#mayReturn.has(`${channel} ${key}`);
    const isOlder = last !== undefined && (version < last.version || isAgain);
    if (isOlder && !(inSnapshot && last.version <= this.#lostUpTo)) {
      const where = inSnapshot ? ' in a snapshot' : '';
      this.#fault(
        `${channel} ${key} went from ${last.version}${last.gone ? ' (deleted)' : ''} to ${version}${where}`,
      );
    }
    keys.set(key, { version, gone: false });
  }

  #remove(channel: string, key: string): void {
    const keys = this.#keys.get(channel);
    const last = keys?.get(key);
    if (last !== undefined) keys?.set(key, { ...last, gone: true });
  }

  #fault(what: string): void {
    this.faults.push(`${this.#name}: ${what}`);
  }
}

/** Fails if any client of this process was shown something older than before; forgets all clients. */
export function expectNeverBack(): void {
  const faults = all.splice(0).flatMap((one) => one.faults);
  if (faults.length > 0)
    throw new Error(`clients were shown older things:\n${faults.slice(0, 20).join('\n')}`);
}
