import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAD_FRAME_BYTES, padding, pingFrame, textFrame, utf8Frame } from './frame.ts';

// The parser that `ws` has for servers' frames; its types leave it out.
const ws: { readonly Receiver: new (options: object) => Writable } = createRequire(import.meta.url)('ws');

interface Heard {
  readonly kind: 'text' | 'binary' | 'ping' | 'pong' | 'close' | 'error';
  readonly data: Buffer;
}

/** What a client that is built on `ws` hears of these bytes. A masked frame is an error to it. */
function heard(...chunks: readonly Uint8Array[]): readonly Heard[] {
  const all: Heard[] = [];
  const receiver = new ws.Receiver({ isServer: false, maxPayload: 1_000_000 });
  receiver.on('message', (data: Buffer, binary: boolean) =>
    all.push({ kind: binary ? 'binary' : 'text', data }),
  );
  for (const kind of ['ping', 'pong'] as const) {
    receiver.on(kind, (data: Buffer) => all.push({ kind, data }));
  }
  receiver.on('conclude', () => all.push({ kind: 'close', data: Buffer.alloc(0) }));
  receiver.on('error', (error) => all.push({ kind: 'error', data: Buffer.from(error.message) }));
  for (const chunk of chunks) receiver.write(chunk);
  return all;
}

/** Lengths at which the header changes its shape, and any other up to 70,000. */
const length = fc.oneof(
  fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 70_000 }),
);

describe('text frames', () => {
  it.each([
    [0, '8100'],
    [125, '817d'],
    [126, '817e007e'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ])('of %d bytes begin with %s', (bytes, header) => {
    const frame = textFrame('x'.repeat(bytes));
    expect(frame.subarray(0, header.length / 2).toString('hex')).toBe(header);
    expect(frame.length).toBe(header.length / 2 + bytes);
  });

  it('reach the parser of ws as exactly the text that was put in, whole and unmasked', () => {
    fc.assert(
      fc.property(length, fc.stringMatching(/^[ -~]{1,7}$/), (bytes, pattern) => {
        const text = pattern.repeat(Math.ceil(bytes / pattern.length)).slice(0, bytes);
        const got = heard(textFrame(text));
        expect(got).toHaveLength(1);
        expect(got[0]?.kind).toBe('text');
        expect(got[0]?.data.toString('latin1') === text).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('reach it one by one where several are one write, however the bytes are cut', () => {
    const frames = fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 12 }), (texts, cuts) => {
        const bytes = Buffer.concat(texts.map(utf8Frame));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(bytes.subarray(at));
        expect(heard(...chunks).map(({ kind, data }) => [kind, data.toString()])).toEqual(
          texts.map((text) => ['text', text]),
        );
      }),
    );
  });

  it('take the chars of a latin1 text for the bytes of UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const latin1 = Buffer.from(text).toString('latin1');
        expect(textFrame(latin1)).toEqual(utf8Frame(text));
      }),
    );
  });

  it('hold no lone surrogate: it is replaced, since it is no UTF-8', () => {
    expect(heard(utf8Frame('a\ud800b')).map(({ kind, data }) => [kind, data.toString()])).toEqual([
      ['text', 'a\ufffdb'],
    ]);
  });

  it('own their memory: a frame that waits in a socket holds nothing but itself', () => {
    for (const frame of [textFrame('abc'), utf8Frame('é'), pingFrame(Buffer.from('abc'))]) {
      expect(frame.buffer.byteLength).toBe(frame.length);
    }
  });
});

describe('ping frames', () => {
  it('reach the parser of ws with any payload of up to 125 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 125 }), (payload) => {
        expect(heard(pingFrame(payload))).toEqual([{ kind: 'ping', data: Buffer.from(payload) }]);
      }),
    );
  });

  it('may stand between text frames of one write', () => {
    const write = Buffer.concat([utf8Frame('{"a":1}'), pingFrame(Buffer.from([1])), utf8Frame('{}')]);
    expect(heard(write).map(({ kind }) => kind)).toEqual(['text', 'ping', 'text']);
  });

  it('are refused where the payload is longer than a control frame may be', () => {
    expect(() => pingFrame(new Uint8Array(126))).toThrow(RangeError);
  });
});

describe('padding', () => {
  it('is pongs of 125 random bytes, which no application sees', () => {
    const pad = padding(3, (bytes) => Uint8Array.from({ length: bytes }, (_, i) => i % 251));
    expect(pad.length).toBe(3 * PAD_FRAME_BYTES);
    const frames = heard(pad);
    expect(frames.map(({ kind, data }) => [kind, data.length])).toEqual(Array(3).fill(['pong', 125]));
    expect(frames[1]?.data[0]).toBe(125);
  });
});
