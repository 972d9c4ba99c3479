// A platform whose time passes and whose sockets speak only when a test says so.
import type { Life, Platform, Socket, SocketClass } from '../platform.ts';

export class FakeSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  readonly sent: unknown[] = [];
  readonly url: URL;
  readonly protocols: readonly string[];
  closedWith: number | undefined;
  terminated = false;
  #ping: (() => void) | undefined;

  constructor(url: string, protocols: readonly string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }
  on(_name: 'ping', listener: () => void): void {
    this.#ping = listener;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(code?: number): void {
    this.closedWith = code;
  }
  terminate(): void {
    this.terminated = true;
  }
  /** The server says something: a value, or text as it is. */
  says(message: object | string): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }
  pings(): void {
    this.#ping?.();
  }
  fails(message: string): void {
    this.onerror?.({ message });
  }
  ends(code: number, reason = ''): void {
    this.onclose?.({ code, reason });
  }
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

export class FakePlatform implements Platform {
  readonly sockets: FakeSocket[] = [];
  readonly base: string | undefined = undefined;
  /** What `random` answers. */
  chance = 0.5;
  timesLifeIsListenedTo = 0;
  #nowMs = 1_000_000;
  #sleptMs = 0;
  #timers = new Set<Timer>();
  #turns: (() => void)[] = [];
  #life: ((what: Life) => void) | undefined;

  now(): number {
    return this.#nowMs;
  }
  wallMs(): number {
    return this.#nowMs + this.#sleptMs;
  }
  random(): number {
    return this.chance;
  }
  setTimeout(run: () => void, ms: number): unknown {
    const timer = { run, atMs: this.#nowMs + ms };
    this.#timers.add(timer);
    return timer;
  }
  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }
  turn(run: () => void): void {
    this.#turns.push(run);
  }
  onLife(listener: (what: Life) => void): () => void {
    this.timesLifeIsListenedTo++;
    this.#life = listener;
    return () => {
      this.timesLifeIsListenedTo--;
      this.#life = undefined;
    };
  }
  webSocket(): SocketClass {
    const { sockets } = this;
    return class extends FakeSocket {
      constructor(url: string, protocols: readonly string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
  }

  get timers(): number {
    return this.#timers.size;
  }
  lives(what: Life): void {
    this.#life?.(what);
  }
  /** The messages that had arrived are through: what waited behind them runs. */
  turns(): void {
    for (const run of this.#turns.splice(0)) run();
  }
  /** Lets time pass; timers run at their times, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run();
    }
    this.#nowMs = untilMs;
  }
  /** The machine sleeps: only the clock on the wall goes on. */
  sleep(ms: number): void {
    this.#sleptMs += ms;
  }
  /** Time passes and no timer runs, as in a frozen page. */
  freeze(ms: number): void {
    this.#nowMs += ms;
  }
}

/** Lets promises that are settled already go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
