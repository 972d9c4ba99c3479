// Prints progress lines during a long step of the set-up, so that it does not look hung.

const EVERY_MS = 5000;

/** Prints `<what>: <seconds> s` every 5 s until `task` is settled; returns its result. Calls `what` for each line. */
export async function withProgress(what, task, { say = console.log, timers = globalThis, nowMs = now } = {}) {
  const startMs = nowMs();
  const timer = timers.setInterval(() => {
    say(`${what()}: ${Math.round((nowMs() - startMs) / 1000)} s`);
  }, EVERY_MS);
  try {
    return await task;
  } finally {
    timers.clearInterval(timer);
  }
}

const now = () => performance.now();
