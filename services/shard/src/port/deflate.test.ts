import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { pingFrame, utf8Frame } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deflater } from './deflate.ts';

const require = createRequire(import.meta.url);
const Receiver: new (options: object) => Writable = require('ws').Receiver;
const PerMessageDeflate = require('ws').PerMessageDeflate;

/** What a client of `ws` that has negotiated permessage-deflate hears. */
function heard(bytes: Buffer): Promise<readonly string[]> {
  const inflate = new PerMessageDeflate({ isServer: false });
  inflate.accept([{ server_no_context_takeover: [true], client_no_context_takeover: [true] }]);
  const receiver = new Receiver({ isServer: false, extensions: { 'permessage-deflate': inflate } });
  const texts: string[] = [];
  receiver.on('message', (data: Buffer) => texts.push(data.toString()));
  receiver.on('ping', (data: Buffer) => texts.push(`ping ${data.toString()}`));
  return new Promise((resolve, reject) => {
    receiver.on('error', reject);
    // A ping behind all: what comes after the last message has been inflated.
    receiver.on('ping', (data: Buffer) => {
      if (data.toString() === 'end') resolve(texts.slice(0, -1));
    });
    receiver.write(Buffer.concat([bytes, pingFrame(Buffer.from('end'))]));
  });
}

const text = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.nat({ max: 70_000 }).map((length) => 'wéir'.repeat(length / 4)),
);

describe('Deflater', () => {
  it('says the same to a client that inflates, message by message', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 5 }), fc.nat({ max: 500 }), async (texts, minBytes) => {
        const deflater = new Deflater({ minBytes });
        const run = Buffer.concat(texts.map(utf8Frame));
        expect(await heard(deflater.run(run))).toEqual(texts);
      }),
      { numRuns: 60 },
    );
  });

  it('marks every message as compressed and leaves pings alone, in order', async () => {
    const deflater = new Deflater({ minBytes: 100 });
    const run = Buffer.concat([
      utf8Frame('short'),
      pingFrame(Buffer.from('7')),
      utf8Frame('long'.repeat(100)),
    ]);
    const made = deflater.run(run);
    expect(made[0]).toBe(0xc1);
    expect(await heard(made)).toEqual(['short', 'ping 7', 'long'.repeat(100)]);
    expect(deflater.counts).toEqual({ inBytes: run.length, outBytes: made.length });
    expect(made.length).toBeLessThan(run.length / 4);
  });

  it('compresses a shared run once', () => {
    const deflater = new Deflater({ minBytes: 0 });
    const run = utf8Frame('x'.repeat(1_000));
    expect(deflater.run(run)).toBe(deflater.run(run));
    expect(deflater.counts.inBytes).toBe(run.length);
  });
});
