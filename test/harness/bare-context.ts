// Runs a bundle in a context with neither DOM nor Node: only what every JavaScript platform has, and a WebSocket with the
// standard interface alone. React Native is such a platform.
import { type Context, createContext, runInContext } from 'node:vm';
import { vi } from 'vitest';
import { WebSocket } from 'ws';

/** Hides what `ws` has beyond the standard: above all, nobody sees pings. */
class PlainWebSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  readonly #socket: WebSocket;

  constructor(url: string, protocols: string[]) {
    this.#socket = new WebSocket(url, protocols);
    this.#socket.onopen = () => this.onopen?.();
    this.#socket.onmessage = ({ data }) => this.onmessage?.({ data });
    this.#socket.onclose = ({ code, reason }) => this.onclose?.({ code, reason });
    this.#socket.onerror = ({ message }) => this.onerror?.({ message });
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(code?: number): void {
    this.#socket.close(code);
  }
}

/** The URL of React Native as far as it matters: it reads only, and ends every URL with a slash. */
export class ReadOnlyUrl {
  readonly #text: string;
  constructor(text: string, base?: string) {
    if (base === undefined && !/^[a-z]+:/i.test(text)) throw new TypeError(`Invalid base URL: ${text}`);
    this.#text = text;
  }
  get href(): string {
    return this.#text.endsWith('/') ? this.#text : `${this.#text}/`;
  }
  get pathname(): string {
    return '/';
  }
  get protocol(): string {
    return `${this.#text.split(':')[0]}:`;
  }
}

/** A context with `globals` beside what every platform has. */
export function bareContext(globals: Readonly<Record<string, unknown>>): Context {
  const timers = { setTimeout, clearTimeout, queueMicrotask, performance };
  return createContext({ WebSocket: PlainWebSocket, ...timers, console, ...globals });
}

/** The first text that the script passed to the global `say`. It finds the router's URL in the global `router`. */
export async function saidIn(script: string, globals: { router: string; URL: unknown }): Promise<string> {
  const words: string[] = [];
  const say = (text: string): number => words.push(text);
  runInContext(script, bareContext({ ...globals, say }));
  return vi.waitFor(
    () => {
      const [word] = words;
      if (word === undefined) throw new Error('the script said nothing');
      return word;
    },
    { timeout: 20_000 },
  );
}
