// For tests: what a client that is built on `ws` hears of bytes from a server. Parses frames; never opens a socket.
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';

const ws: { readonly Receiver: new (options: object) => Writable } = createRequire(import.meta.url)('ws');

/** One frame; an error of the parser is one too. */
export interface Heard {
  readonly kind: 'text' | 'binary' | 'ping' | 'pong' | 'close' | 'error';
  readonly data: Buffer;
}

/** The frames in `bytes`, as the parser of `ws` finds them. A frame that a server may not send is an error. */
export function heard(bytes: Uint8Array): readonly Heard[] {
  const all: Heard[] = [];
  const receiver = new ws.Receiver({ isServer: false, maxPayload: 1_000_000 });
  receiver.on('message', (data: Buffer, binary: boolean) =>
    all.push({ kind: binary ? 'binary' : 'text', data }),
  );
  for (const kind of ['ping', 'pong'] as const) receiver.on(kind, (data: Buffer) => all.push({ kind, data }));
  receiver.on('conclude', () => all.push({ kind: 'close', data: Buffer.alloc(0) }));
  receiver.on('error', (error) => all.push({ kind: 'error', data: Buffer.from(error.message) }));
  receiver.write(bytes);
  return all;
}

/** The texts in `bytes`, which must be nothing but text frames. */
export function heardTexts(bytes: Uint8Array): readonly string[] {
  return heard(bytes).map(({ kind, data }) => {
    if (kind !== 'text') throw new Error(`not a text frame: ${kind} ${data.toString()}`);
    return data.toString();
  });
}
