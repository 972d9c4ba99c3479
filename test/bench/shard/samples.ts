// The view of sampled clients: the age of data on arrival, and whether critical messages are complete and in order.

const MAX_SAMPLES = 500_000;

/** Counted since the last reset. */
export interface SampleReport {
  /** Publish to receive, in milliseconds: of the newest value in a state frame, of each critical message. */
  readonly stateMs: readonly number[];
  readonly criticalMs: readonly number[];
  /** The age of a client's data just before newer data came. */
  readonly worstMs: readonly number[];
  readonly criticals: number;
  /** Critical messages that were skipped. `repeats` came twice or late. */
  readonly holes: number;
  readonly repeats: number;
  /** Messages that are not JSON. */
  readonly invalid: number;
}

interface CriticalMessage {
  readonly channel: string;
  readonly data: { readonly at: number; readonly seq: number };
}

const nowMs = (): number => performance.timeOrigin + performance.now();

export class Samples {
  #stateMs: number[] = [];
  #criticalMs: number[] = [];
  #worstMs: number[] = [];
  #criticals = 0;
  #holes = 0;
  #repeats = 0;
  #invalid = 0;

  reset(): void {
    this.#stateMs = [];
    this.#criticalMs = [];
    this.#worstMs = [];
    this.#criticals = 0;
    this.#holes = 0;
    this.#repeats = 0;
    this.#invalid = 0;
  }

  report(brief: boolean): SampleReport {
    return {
      stateMs: brief ? [] : this.#stateMs,
      criticalMs: brief ? [] : this.#criticalMs,
      worstMs: brief ? [] : this.#worstMs,
      criticals: this.#criticals,
      holes: this.#holes,
      repeats: this.#repeats,
      invalid: this.#invalid,
    };
  }

  /** A listener for one client. */
  client(): (payload: Buffer) => void {
    const lastSeq = new Map<string, number>();
    let newestAt = 0;
    return (payload) => {
      const text = payload.toString('latin1');
      if (text.startsWith('{"type":"critical"')) this.#critical(text, lastSeq);
      else if (text.startsWith('{"type":"state"') || !text.startsWith('{"type"'))
        newestAt = this.#state(text, newestAt);
    };
  }

  #state(text: string, newestAt: number): number {
    // The newest value is last. Socket.IO has the message as a JSON string, with escaped quotes.
    const at = Math.max(text.lastIndexOf('"at":') + 5, text.lastIndexOf('"at\\":') + 6);
    if (at < 6) return newestAt;
    if (text.startsWith('{"type"') && !isJson(text)) this.#invalid++;
    const publishedMs = Number.parseFloat(text.slice(at, at + 20));
    const now = nowMs();
    if (this.#stateMs.length < MAX_SAMPLES) this.#stateMs.push(now - publishedMs);
    if (publishedMs <= newestAt) return newestAt;
    if (newestAt > 0 && this.#worstMs.length < MAX_SAMPLES) this.#worstMs.push(now - newestAt);
    return publishedMs;
  }

  #critical(text: string, lastSeq: Map<string, number>): void {
    if (!isJson(text)) {
      this.#invalid++;
      return;
    }
    const { channel, data } = JSON.parse(text) as CriticalMessage;
    this.#criticals++;
    if (this.#criticalMs.length < MAX_SAMPLES) this.#criticalMs.push(nowMs() - data.at);
    const expected = (lastSeq.get(channel) ?? data.seq - 1) + 1;
    if (data.seq > expected) this.#holes += data.seq - expected;
    if (data.seq < expected) this.#repeats++;
    else lastSeq.set(channel, data.seq);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
