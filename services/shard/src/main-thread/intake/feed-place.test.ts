import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeBefore } from './feed.ts';

/** What nats.js hands out: the data of a message, a view behind its headers in the bytes that came. */
function dataBehind(before: string, data = '{"on":true}'): Uint8Array {
  const bytes = Buffer.from(`${before}${data}`, 'latin1');
  return new Uint8Array(bytes.buffer, bytes.byteOffset + before.length, data.length);
}

const place = { stream: 'WEIR_STATE', seq: '31', time: '2026-11-25T17:00:00.123456789Z' };
const server = `Nats-Stream: ${place.stream}\r\nNats-Subject: weir.state.a.b\r\nNats-Sequence: ${place.seq}\r\nNats-Time-Stamp: ${place.time}\r\nNats-Last-Sequence: 7\r\n`;
const own = fc
  .array(fc.tuple(fc.stringMatching(/^[A-Za-z-]{1,12}$/), fc.stringMatching(/^[ -~]{0,20}$/)), {
    maxLength: 6,
  })
  .map((lines) => lines.map(([name, value]) => `${name}: ${value}\r\n`).join(''));

describe('the place of a message', () => {
  it('is the one that the server wrote, for any headers of the publisher and any bytes before the message', () => {
    fc.assert(
      fc.property(
        own,
        fc.string({ unit: 'binary-ascii', maxLength: 600 }),
        fc.string(),
        (lines, earlier, data) => {
          const block = `NATS/1.0\r\n${lines}${server}\r\n`;
          expect(placeBefore(dataBehind(`${earlier}${block}`, data))).toEqual(place);
        },
      ),
    );
  });

  it('is not taken from a header of the publisher that has the same name', () => {
    const forged = 'Nats-Sequence: 99\r\nNats-Stream: OTHER\r\n';
    expect(placeBefore(dataBehind(`NATS/1.0\r\n${forged}${server}\r\n`))).toEqual(place);
  });

  it('is not taken from the message before', () => {
    const earlier = `NATS/1.0\r\n${server}\r\n{}\r\n`;
    expect(placeBefore(dataBehind(`${earlier}MSG weir.live.state.a.b 1 11\r\n`))).toBeUndefined();
    expect(placeBefore(dataBehind(`${earlier}HMSG x 1 30 41\r\nNATS/1.0\r\nA: b\r\n\r\n`))).toBeUndefined();
  });

  it('is read by nats.js if the headers are long, or not in front of the data', () => {
    const long = `A: ${'b'.repeat(600)}\r\n`;
    expect(placeBefore(dataBehind(`NATS/1.0\r\n${long}${server}\r\n`))).toBeUndefined();
    expect(placeBefore(Uint8Array.from([1]))).toBeUndefined();
    expect(placeBefore(new Uint8Array(0))).toBeUndefined();
  });
});
