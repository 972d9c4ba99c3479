// What the SDK takes from where it runs: WebSocket, clock, timers, chance. Passed in, so that tests own all of it.

/** The part of the WebSocket interface that is used; browsers, Node, `ws` and others all have it. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
  /** `ws` only: ends what a silent peer keeps open. */
  terminate?(): void;
  /** `ws` only: shows the pings that other classes hide. */
  on?(name: 'ping', listener: () => void): unknown;
}
export type SocketClass = new (url: string, protocols: string[]) => Socket;

export interface Platform {
  webSocket(): SocketClass | Promise<SocketClass>;
  /** Milliseconds of a clock that never jumps. */
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Runs later, behind the messages that have already arrived, and not throttled in hidden pages. */
  turn(run: () => void): void;
  random(): number;
  /** Calls when the network is back; returns how to stop that. */
  onOnline(run: () => void): () => void;
  /** What relative URLs are relative to. */
  readonly base: string | undefined;
}

/** Everything but `webSocket` and `turn`, which differ between browsers and Node. */
export function commonPlatform(): Omit<Platform, 'webSocket' | 'turn'> {
  return {
    now: () => performance.now(),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    random: Math.random,
    onOnline: (run) => {
      // Node has no such event, nor a global to listen on.
      if (typeof globalThis.addEventListener !== 'function') return () => {};
      globalThis.addEventListener('online', run);
      return () => globalThis.removeEventListener('online', run);
    },
    base: globalThis.location?.href,
  };
}
