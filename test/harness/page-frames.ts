// What a page does in its animation frames, in Chromium: the processor time of its callbacks and the layouts, from a trace
// of the browser; what it draws and what it changes in the document, by counting. Judges nothing.
import type { Browser, Page } from 'playwright-core';

/** Of the frames of a while. */
export interface FrameCosts {
  readonly frames: number;
  /** From each frame to the next, as the browser dates them. */
  readonly intervalsMs: readonly number[];
  /** Processor time of all callbacks of a frame, in the mean: time in which the thread waited for a core is not in it. */
  readonly callbackMs: number;
  /** Layouts of the document, in a frame. */
  readonly layouts: number;
}

/** Of the frames of a while, in the mean of a frame. */
export interface FrameWork {
  /** Calls of methods of canvas contexts, by name. */
  readonly drawn: Readonly<Record<string, number>>;
  /** Nodes, attributes and texts that were changed, in a second: the feed changes them, whatever the rate of frames is. */
  readonly changesPerSecond: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  /** Processor time of the thread, in µs. */
  readonly tdur?: number;
}

const TRACED = ['devtools.timeline'];

/** The costs of so many frames. The page must be in the foreground. */
export async function frameCosts(browser: Browser, page: Page, frames: number): Promise<FrameCosts> {
  await browser.startTracing(page, { categories: TRACED });
  const times: number[] = await page.evaluate(`new Promise((resolve) => {
    const times = [];
    const frame = (now) => {
      times.push(now);
      if (times.length > ${frames}) resolve(times);
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
  const { traceEvents }: { readonly traceEvents: readonly TraceEvent[] } = JSON.parse(
    String(await browser.stopTracing()),
  );
  const callbacks = traceEvents.filter(({ name }) => name === 'FireAnimationFrame');
  // A callback that was running as the trace began has no end, and so no time.
  const micros = callbacks.reduce((sum, { tdur = 0 }) => sum + tdur, 0);
  const pages = new Set(callbacks.map(({ pid }) => pid));
  const layouts = traceEvents.filter(({ name, pid }) => name === 'Layout' && pages.has(pid)).length;
  return {
    frames,
    intervalsMs: times.slice(1).map((time, at) => time - (times[at] ?? time)),
    callbackMs: micros / 1_000 / frames,
    layouts: layouts / frames,
  };
}

/** The work of so many frames. To count costs time, so it is not done while costs are measured. */
export function frameWork(page: Page, frames: number): Promise<FrameWork> {
  return page.evaluate(`new Promise((resolve) => {
    const pen = CanvasRenderingContext2D.prototype;
    const own = Object.getOwnPropertyDescriptors(pen);
    const drawn = {};
    for (const [name, { value }] of Object.entries(own)) {
      if (typeof value !== 'function' || name === 'constructor') continue;
      pen[name] = function (...args) {
        drawn[name] = (drawn[name] ?? 0) + 1;
        return value.apply(this, args);
      };
    }
    let changes = 0;
    const observer = new MutationObserver((records) => { changes += records.length; });
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    let left = ${frames};
    let startMs;
    const frame = (now) => {
      if (startMs === undefined) {
        startMs = now;
        changes = 0;
        for (const name of Object.keys(drawn)) delete drawn[name];
      } else left -= 1;
      if (left > 0) return requestAnimationFrame(frame);
      const perFrame = Object.fromEntries(Object.entries(drawn).map(([name, calls]) => [name, calls / ${frames}]));
      Object.defineProperties(pen, own);
      observer.disconnect();
      resolve({ drawn: perFrame, changesPerSecond: changes / ((now - startMs) / 1000) });
    };
    requestAnimationFrame(frame);
  })`);
}
