// Runs a bundle where there is neither a DOM nor Node: what every platform of JavaScript has, a WebSocket, and no more.
import { createContext, runInContext } from 'node:vm';
import { vi } from 'vitest';
import { WebSocket } from 'ws';

/** What the script said first, by the global `say`. It finds the router's URL as the global `router`. */
export async function saidIn(script: string, globals: { router: string; URL: unknown }): Promise<string> {
  const words: string[] = [];
  const say = (text: string): number => words.push(text);
  const common = { WebSocket, setTimeout, clearTimeout, queueMicrotask, performance, console };
  runInContext(script, createContext({ ...common, ...globals, say }));
  return vi.waitFor(
    () => {
      const [word] = words;
      if (word === undefined) throw new Error('the script said nothing');
      return word;
    },
    { timeout: 20_000 },
  );
}
