import { limits } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import type { Destination } from './redirect.ts';
import { redirectText } from './redirect.ts';

const destination: Destination = {
  url: 'ws://[2001:db8::7]:8081',
  pool: 'desktop',
  ticket: 'T.T.T',
  tls: false,
  rttMs: 12.3456,
  kbps: 18_200.4,
  confidence: 'high',
};
const parsed = (more: Partial<Destination> = {}): Readonly<Record<string, unknown>> =>
  JSON.parse(redirectText({ ...destination, ...more }) ?? 'null');

describe('the redirect', () => {
  it('contains the URL and the rounded measurement', () => {
    expect(parsed({ hint: 'H' })).toEqual({
      type: 'redirect',
      url: 'ws://[2001:db8::7]:8081/v1/stream?ticket=T.T.T',
      pool: 'desktop',
      rttMs: 12.3,
      kbps: 18_200,
      confidence: 'high',
      hint: 'H',
    });
  });

  it('leaves out numbers that were not measured', () => {
    expect(Object.keys(parsed({ rttMs: undefined, kbps: undefined }))).toEqual([
      'type',
      'url',
      'pool',
      'confidence',
    ]);
  });

  it('uses TLS if the client does', () => {
    expect(parsed({ tls: true })).toMatchObject({ url: expect.stringMatching(/^wss:\/\/\[2001/) });
    expect(parsed({ tls: false, url: 'wss://a' })).toMatchObject({ url: expect.stringMatching(/^wss:/) });
  });

  it('does not exist if the URL with a position would be too long', () => {
    expect(redirectText({ ...destination, ticket: 't'.repeat(limits.urlBytes) })).toBeUndefined();
  });
});
