import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';

describe('limits', () => {
  it('let the largest message, with the longest envelope, fit in one frame', () => {
    const channel = 'c'.repeat(limits.channelChars);
    const key = 'k'.repeat(limits.keyChars);
    const envelopes = [
      `{"type":"state","channel":"${channel}","snapshot":true,"more":true,"set":{"${key}":}}`,
      `{"type":"critical","channel":"${channel}","id":${Number.MAX_SAFE_INTEGER},"data":}`,
      `{"type":"cosmetic","channel":"${channel}","data":[]}`,
    ];
    for (const envelope of envelopes) {
      expect(limits.messageBytes + envelope.length).toBeLessThanOrEqual(limits.frameBytes);
    }
  });

  it('keep frames below the smallest default of a client library', () => {
    expect(limits.frameBytes).toBeLessThan(32 * 1024);
  });

  it('let a message of the client name all channels that it may have', () => {
    const names = limits.channelsChars + 2 * limits.channelsPerConnection;
    expect('{"type":"unsubscribe","channels":[]}'.length + names).toBeLessThan(limits.clientMessageBytes);
  });
});
