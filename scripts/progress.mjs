// Owns the lines that a long step of the set-up says about itself, so that nobody takes it for hung.

const EVERY_MS = 5000;

/** Says `<what>: <seconds> s` every 5 s until `task` is settled; gives its result. `what` is asked for each line. */
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
