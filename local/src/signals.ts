// Owns what SIGINT, SIGTERM, SIGHUP and the loss of npm mean here: once = end in order, once more = end now.

/** Ctrl-C reaches us from the terminal and again through npm, within milliseconds: one request. */
const SAME_REQUEST_MS = 500;

export interface EndListeners {
  /** The first request. */
  readonly first: (signal: string) => void;
  /** Somebody is impatient. */
  readonly again: (signal: string) => void;
}

/** What is needed of `process`. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
}

export function onEndRequested(
  listeners: EndListeners,
  source: SignalSource = process,
  nowMs: () => number = () => performance.now(),
): void {
  let firstMs: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    source.on(signal, () => {
      if (firstMs === undefined) {
        firstMs = nowMs();
        listeners.first(signal);
      } else if (nowMs() - firstMs >= SAME_REQUEST_MS) {
        listeners.again(signal);
      }
    });
  }
}

const LOOK_MS = 500;

/** Where npm runs us and is killed, nobody can stop us any more by stopping it: then that is a request to end. */
export function onParentLost(lost: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return; // a shell may well leave us behind on purpose
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    lost();
  }, LOOK_MS);
  look.unref();
}
