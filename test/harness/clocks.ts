// Environments for processes with a different clock: a wall clock that is wrong, or time that runs faster.

/** Makes a process run `script` before its own code. */
function preload(script: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(script).toString('base64')}` };
}

/** The process's wall clock is off by `offMs`: from the start, or on and off with each SIGUSR2. */
export function wrongClock(
  offMs: number,
  when: 'always' | 'onSignal' = 'always',
): Readonly<Record<string, string>> {
  return preload(`
    const right = Date.now;
    let off = ${when === 'always' ? offMs : 0};
    Date.now = () => right() + off;
    process.on('SIGUSR2', () => { off = off === 0 ? ${offMs} : 0; });`);
}

/** Clocks and timers run `pace` times as fast, in step with every other process of the same `startMs` (wall time). */
export function fastClock(pace: number, startMs: number): Readonly<Record<string, string>> {
  return preload(`
    const wall = Date.now, since = performance.now.bind(performance), soon = setTimeout, often = setInterval;
    Date.now = () => ${startMs} + (wall() - ${startMs}) * ${pace};
    performance.now = () => since() * ${pace};
    globalThis.setTimeout = (run, ms, ...args) => soon(run, (ms ?? 0) / ${pace}, ...args);
    globalThis.setInterval = (run, ms, ...args) => often(run, (ms ?? 0) / ${pace}, ...args);`);
}
