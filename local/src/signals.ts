// Handles SIGINT, SIGTERM, SIGHUP and the loss of npm: the first ends the cluster in order, the second ends it at once.

/** Ctrl-C reaches this process from the terminal and again through npm, within milliseconds: that is one request. */
const SAME_REQUEST_MS = 500;

export interface EndListeners {
  /** The first request. */
  readonly first: (signal: string) => void;
  /** The second request. */
  readonly again: (signal: string) => void;
}

/** The part of `process` that this file uses. */
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

/** If npm started this process and is killed, a user can no longer stop this process through npm: it ends, too. */
export function onParentLost(lost: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return; // a shell may leave this process behind on purpose
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    lost();
  }, LOOK_MS);
  look.unref();
}
