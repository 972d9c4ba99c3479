// Runs a bundle in a context with neither DOM nor Node: only what every JavaScript platform has, and a WebSocket.
import { createContext, runInContext } from 'node:vm';
import { vi } from 'vitest';
import { WebSocket } from 'ws';

/** The first text that the script passed to the global `say`. It finds the router's URL in the global `router`. */
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
