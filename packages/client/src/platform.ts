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

/**
 * `online`: the network is back. `shown`: the page is looked at again, or came out of the back/forward cache.
 * `left`: the page goes away, perhaps into that cache.
 */
export type Life = 'online' | 'shown' | 'left';

export interface Platform {
  webSocket(): SocketClass | Promise<SocketClass>;
  /** Milliseconds of a clock that never jumps, and stands still while the machine sleeps. */
  now(): number;
  /** Milliseconds of the clock on the wall, which goes on then. */
  wallMs(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Runs later, behind the messages that have already arrived, and not throttled in hidden pages. */
  turn(run: () => void): void;
  random(): number;
  /** Says what happens to the page and its network; returns how to stop that. */
  onLife(listener: (what: Life) => void): () => void;
  /** What relative URLs are relative to. */
  readonly base: string | undefined;
}

const LIFE = ['online', 'pageshow', 'pagehide', 'visibilitychange'];

/** Everything but `webSocket` and `turn`, which differ between browsers and Node. */
export function commonPlatform(): Omit<Platform, 'webSocket' | 'turn'> {
  return {
    now: () => performance.now(),
    wallMs: Date.now,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    random: Math.random,
    onLife: (listener) => {
      const heard = ({ type }: { readonly type: string }): void => {
        if (type === 'online') listener('online');
        else if (type === 'pagehide') listener('left');
        // `visibilitychange` also says that the page is hidden.
        else if (type === 'pageshow' || globalThis.document?.visibilityState === 'visible') listener('shown');
      };
      // Node and React Native have no such events; Node has no global to listen on either.
      const target: Partial<EventTarget> = globalThis;
      for (const name of LIFE) target.addEventListener?.(name, heard);
      return () => {
        for (const name of LIFE) target.removeEventListener?.(name, heard);
      };
    },
    base: globalThis.location?.href,
  };
}
