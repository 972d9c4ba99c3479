// Keeps the live line up to date, once a second, until the run ends.
import { setTimeout as delay } from 'node:timers/promises';
import { readView } from '../top/read-view.ts';
import type { LiveLine } from './live-line.ts';
import { liveText } from './live-text.ts';

const EVERY_MS = 1000;

export async function keepLive(line: LiveLine, console: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const seen = await readView(console);
    if (signal.aborted) break;
    const { view } = seen;
    // Control was ended, and is started again: the last numbers would look as if they were those of now.
    if (view === undefined) line.hide();
    else line.show((columns) => liveText(view, columns));
    await delay(EVERY_MS, undefined, { signal }).catch(() => {});
  }
  line.hide();
}
