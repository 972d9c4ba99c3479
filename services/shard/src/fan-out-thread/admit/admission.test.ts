import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { CloseCode, Position, Ticket, Verified } from '@weir/protocol';
import { channelHash, closeCodes, encodePosition, limits } from '@weir/protocol';
import { CLIENT_SETTINGS, closeServer, createUpgradeServer, listenOn } from '@weir/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AdmissionOptions, Arrival } from './admission.ts';
import { Admission } from './admission.ts';

/** A client's socket: what the server writes is kept as text. */
class FakeSocket extends Duplex {
  text = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString('latin1');
    callback();
  }
}

const ticket: Ticket = {
  id: 't1',
  pool: 'desktop',
  channels: ['lobby'],
  allow: ['>'],
  denied: [],
  tls: false,
};

const position: Position = {
  stateEpoch: 'a-0',
  stateSeq: 7,
  criticalEpoch: 'b-0',
  criticalSeq: 8,
  channels: [channelHash('lobby')],
};

interface Bench {
  readonly admission: Admission;
  /** Handshakes under way, and seats that are taken. */
  readonly taken: { pending: number; seats: number };
  readonly counted: string[];
  readonly arrivals: Arrival[];
  readonly closed: { code: CloseCode; reason: string }[];
  readonly reached: Position[];
  /** Sends an upgrade and waits until its handshake is over. */
  open(url: string, change?: { method?: string; headers?: Record<string, string> }): Promise<FakeSocket>;
}

const starts = [{ channel: 'lobby', stateSeq: 0, snapshot: true, criticalSeq: 0, gap: undefined }];

function setUp(change: Partial<AdmissionOptions> & { readonly maxPending?: number } = {}): Bench {
  const { maxPending = 10, ...others } = change;
  const taken = { pending: 0, seats: 0 };
  const counted: string[] = [];
  const arrivals: Arrival[] = [];
  const closed: { code: CloseCode; reason: string }[] = [];
  const reached: Position[] = [];
  const admission = new Admission({
    compression: false,
    closingBytes: 1_024,
    lastMax: 50,
    verify: async (): Promise<Verified<Ticket>> => ({ ok: true, value: ticket, expiresInMs: 1_000 }),
    begin: () => {
      if (taken.pending >= maxPending) return false;
      taken.pending++;
      return true;
    },
    end: () => {
      taken.pending--;
    },
    takeSeat: () => {
      taken.seats++;
      return 'taken';
    },
    leaveSeat: () => {
      taken.seats--;
    },
    arrive: async ({ position: to }) => {
      if (to !== undefined) reached.push(to);
      return { use: 'first', starts };
    },
    close: ({ code, reason }) => closed.push({ code, reason }),
    admit: (arrival) => arrivals.push(arrival),
    count: (outcome) => counted.push(outcome),
    ...others,
  });
  return {
    admission,
    taken,
    counted,
    arrivals,
    closed,
    reached,
    async open(url, { method = 'GET', headers = {} } = {}) {
      const socket = new FakeSocket();
      admission.upgrade(request(url, method, headers), socket, Buffer.alloc(0));
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      return socket;
    },
  };
}

function request(url: string, method: string, headers: Record<string, string>): IncomingMessage {
  const usual = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  };
  return { url, method, headers: { ...usual, ...headers } } as unknown as IncomingMessage;
}

const refused = (problem: (Verified<Ticket> & { ok: false })['problem']): Partial<AdmissionOptions> => ({
  verify: async () => ({ ok: false, problem }),
});

describe('admission', () => {
  it('admits a client with a valid ticket', async () => {
    const { open, arrivals, counted, taken } = setUp();
    const socket = await open('/v1/stream?ticket=good');
    expect(socket.text).toMatch(/^HTTP\/1\.1 101 /);
    expect(arrivals).toMatchObject([{ ticket, position: undefined }]);
    expect([counted, taken]).toEqual([['admitted'], { pending: 0, seats: 1 }]);
  });

  it('passes the ticket of the URL to the check, and undefined if there is none', async () => {
    const seen: string[] = [];
    const { open } = setUp({
      verify: async (text) => {
        seen.push(text);
        return { ok: false, problem: 'TICKET_FORGED' };
      },
    });
    await open('/v1/stream?ticket=a.b-c_d&ticket=second');
    await open('/v1/stream');
    await open('/v1/stream?ticket=');
    expect(seen).toEqual(['a.b-c_d', '', '']);
  });

  it.each([
    ['permessage-deflate; client_max_window_bits', true, true],
    ['permessage-deflate', false, false],
    ['permessage-deflate; server_max_window_bits=10', true, false],
    ['x-webkit-deflate-frame', true, false],
  ])('compresses where %s is offered and the pool wants it (%s): %s', async (offer, compression, agreed) => {
    const { open, arrivals } = setUp({ compression });
    const { text } = await open('/v1/stream?ticket=good', {
      headers: { 'sec-websocket-extensions': offer },
    });
    const extensions = /Sec-WebSocket-Extensions: (.*)\r/.exec(text)?.[1];
    if (agreed) expect(extensions).toMatch(/server_no_context_takeover; client_no_context_takeover/);
    else expect(extensions).toBeUndefined();
    expect(arrivals[0]?.compressed).toBe(agreed);
  });

  it('chooses weir.v1 if it is offered, also before a close', async () => {
    const offered = { headers: { 'sec-websocket-protocol': 'chat, weir.v1' } };
    const good = await setUp().open('/v1/stream?ticket=good', offered);
    expect(good.text.match(/Sec-WebSocket-Protocol: .*/g)).toEqual(['Sec-WebSocket-Protocol: weir.v1']);
    const bad = await setUp(refused('TICKET_FORGED')).open('/v1/stream?ticket=bad', offered);
    expect(bad.text).toContain('Sec-WebSocket-Protocol: weir.v1');
    const none = await setUp().open('/v1/stream?ticket=good', {
      headers: { 'sec-websocket-protocol': 'chat' },
    });
    expect(none.text).not.toContain('Sec-WebSocket-Protocol');
  });

  describe('refuses by a close code', () => {
    it.each([
      ['TICKET_FORGED', 'forged', closeCodes.notAuthorised],
      ['TICKET_WRONG_POOL', 'wrongPool', closeCodes.notAuthorised],
      ['TICKET_WRONG_SHARD', 'wrongShard', closeCodes.ticketRefused],
      ['TICKET_EXPIRED', 'expired', closeCodes.ticketRefused],
      ['TICKET_CLOCK_SKEW', 'clockSkew', closeCodes.ticketRefused],
    ] as const)('%s', async (problem, outcome, code) => {
      const { open, closed, counted, arrivals } = setUp(refused(problem));
      expect((await open('/v1/stream?ticket=bad')).text).toMatch(/^HTTP\/1\.1 101 /);
      expect(closed).toEqual([{ code, reason: code.reason }]);
      expect([counted, arrivals]).toEqual([[outcome], []]);
    });

    it.each([
      ['full', closeCodes.noCapacity],
      ['draining', closeCodes.restarting],
      ['notReady', closeCodes.noCapacity],
    ] as const)('%s, and does not use the ticket up', async (why, code) => {
      let uses = 0;
      const { open, closed, counted } = setUp({
        takeSeat: () => why,
        arrive: async () => {
          uses++;
          return { use: 'first', starts };
        },
      });
      await open('/v1/stream?ticket=good');
      expect([closed.map((end) => end.code), counted, uses]).toEqual([[code], [why], 0]);
    });

    it('a used ticket, and a ticket that could not be remembered', async () => {
      const again = setUp({ arrive: async () => ({ use: 'again' }) });
      await again.open('/v1/stream?ticket=good');
      expect(again.closed).toEqual([{ code: closeCodes.ticketRefused, reason: 'ticket used' }]);
      const full = setUp({ arrive: async () => ({ use: 'full' }) });
      await full.open('/v1/stream?ticket=good');
      expect([full.closed.map((end) => end.code), full.counted]).toEqual([[closeCodes.noCapacity], ['full']]);
      expect([again.taken.seats, full.taken.seats]).toEqual([0, 0]);
    });
  });

  describe('a position', () => {
    it('is judged before the client is admitted', async () => {
      let arrive: () => void = () => undefined;
      const { open, arrivals, taken } = setUp({
        arrive: () =>
          new Promise((resolve) => {
            arrive = () => resolve({ use: 'first', starts });
          }),
      });
      await open(`/v1/stream?ticket=good&resume=${encodePosition(position)}`);
      expect([arrivals.length, taken.pending]).toEqual([0, 1]);
      arrive();
      await new Promise((resolve) => setImmediate(resolve));
      expect(arrivals[0]?.position).toEqual(position);
    });

    it('of a client without state counts for critical messages alone', async () => {
      const { open, arrivals } = setUp();
      await open(`/v1/stream?ticket=good&resume=${encodePosition(position)}&snapshot=1`);
      expect(arrivals[0]?.position).toEqual({ ...position, stateEpoch: '-', stateSeq: 0 });
      await open('/v1/stream?ticket=good&snapshot=1');
      expect(arrivals[1]?.position).toBeUndefined();
    });

    it('is passed on with the requested number of critical messages, within the limit', async () => {
      const asked: unknown[] = [];
      const { open } = setUp({
        arrive: async ({ position: shown, last }) => {
          asked.push([shown !== undefined, last]);
          return { use: 'first', starts };
        },
      });
      const lasts = async (query: string): Promise<unknown> => {
        await open(`/v1/stream?ticket=good${query}`);
        return asked.at(-1);
      };
      const resume = `&resume=${encodePosition(position)}`;
      expect(await lasts(`${resume}&last=7`)).toEqual([true, 7]);
      expect(await lasts('&last=7')).toEqual([false, 7]);
      expect(await lasts('&last=1000')).toEqual([false, 50]);
      for (const none of ['', '&last=0', '&last=-1', '&last=1e3', '&last=99999999999'])
        expect(await lasts(none)).toEqual([false, undefined]);
    });

    it('that is malformed counts as no position', async () => {
      const { open, arrivals, reached } = setUp();
      for (const bad of ['', 'x', '1.a.b.c', '%00', '1'.repeat(1_000)]) {
        await open(`/v1/stream?ticket=good&resume=${bad}`);
      }
      expect(arrivals.map((arrival) => arrival.position)).toEqual(Array(5).fill(undefined));
      expect(reached).toEqual([]);
    });

    it('of a client without a ticket is not judged', async () => {
      const { open, reached } = setUp(refused('TICKET_FORGED'));
      await open(`/v1/stream?ticket=bad&resume=${encodePosition(position)}`);
      expect(reached).toEqual([]);
    });
  });

  describe('refuses before the upgrade', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it('without a reset, also if the client goes on sending', async () => {
      const { admission } = setUp();
      const server = createUpgradeServer({
        headersTimeoutMs: 1_000,
        onPlain: () => expect.unreachable(),
        onUpgrade: (request, duplex, head) => admission.upgrade(request, duplex, head),
        onFault: () => expect.unreachable(),
      });
      const { port } = await listenOn(server, {
        ...{ host: '127.0.0.1', port: 0, what: 'it', settings: CLIENT_SETTINGS },
        onFault: () => expect.unreachable(),
      });
      const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const errors: Error[] = [];
      client.on('error', (error) => errors.push(error));
      let text = '';
      client.on('data', (chunk) => {
        text += String(chunk);
      });
      client.write('GET /no HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      await once(client, 'end');
      // Each write would meet the reset that the one before it caused.
      for (let i = 0; i < 3; i++) await new Promise((resolve) => client.write('x'.repeat(1_024), resolve));
      client.end();
      await once(client, 'close');
      await closeServer(server, 0);
      expect([errors, text.split('\r\n')[0]]).toEqual([[], 'HTTP/1.1 404 Not Found']);
    });

    it.each([
      ['another path', '/v1/other?ticket=good', {}, 404],
      ['a path below', '/v1/stream/x?ticket=good', {}, 404],
      ['an URL that is no path', 'http://evil/v1/stream', {}, 404],
      ['another method', '/v1/stream?ticket=good', { method: 'POST' }, 404],
      ['an URL that is too long', `/v1/stream?ticket=${'x'.repeat(limits.urlBytes * 2)}`, {}, 414],
    ] as const)('%s', async (_name, url, change, status) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const { open, counted, arrivals } = setUp();
      const socket = await open(url, change);
      expect(socket.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*Connection: close`, 's'));
      expect([counted, arrivals]).toEqual([['path'], []]);
      // Also if the client never ends its side.
      vi.advanceTimersByTime(2_000);
      expect(socket.destroyed).toBe(true);
    });

    it('handshakes beyond the limit, until one ends', async () => {
      const verdicts: ((verified: Verified<Ticket>) => void)[] = [];
      const { open, counted, arrivals, taken } = setUp({
        maxPending: 2,
        verify: () => new Promise((resolve) => verdicts.push(resolve)),
      });
      await open('/v1/stream?ticket=1');
      await open('/v1/stream?ticket=2');
      const third = await open('/v1/stream?ticket=3');
      expect(third.text).toMatch(/^HTTP\/1\.1 503 .*Retry-After: 1/s);
      expect([counted, taken.pending]).toEqual([['busy'], 2]);
      verdicts[0]?.({ ok: true, value: ticket, expiresInMs: 1 });
      await new Promise((resolve) => setImmediate(resolve));
      expect([arrivals.length, taken.pending]).toEqual([1, 1]);
    });

    it('a malformed handshake', async () => {
      const { open, counted, arrivals, taken } = setUp();
      const socket = await open('/v1/stream?ticket=good', { headers: { 'sec-websocket-key': 'short' } });
      expect(socket.text).toMatch(/^HTTP\/1\.1 400 /);
      expect([counted, arrivals, taken.seats]).toEqual([['notUpgrade'], [], 0]);
    });
  });

  it('forgets a client that disconnects before the check of its ticket', async () => {
    let decide: (verified: Verified<Ticket>) => void = () => undefined;
    const { open, counted, arrivals, taken } = setUp({
      verify: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const socket = await open('/v1/stream?ticket=good');
    socket.destroy(new Error('reset by peer'));
    decide({ ok: true, value: ticket, expiresInMs: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    expect([counted, arrivals, taken]).toEqual([['gone'], [], { pending: 0, seats: 0 }]);
  });

  it.each([
    ['the check of a ticket', { verify: () => Promise.reject(new Error('broken')) }],
    [
      'admitting',
      {
        admit: () => {
          throw new Error('broken');
        },
      },
    ],
  ])('survives a fault of %s: that client is cut off, and counted', async (_name, change) => {
    const { open, counted, taken } = setUp(change);
    const socket = await open('/v1/stream?ticket=good');
    expect([socket.destroyed, counted.at(-1), taken]).toEqual([true, 'failed', { pending: 0, seats: 0 }]);
  });
});

describe('a request that is no upgrade', () => {
  it('gets advice at the stream path, and 404 elsewhere', () => {
    const { admission, counted } = setUp();
    const answer = (url: string | undefined): number =>
      admission.answer({ url } as unknown as IncomingMessage).status;
    expect(['/v1/stream', '/v1/stream?ticket=x', '/', undefined].map(answer)).toEqual([426, 426, 404, 404]);
    expect(counted).toEqual(['notUpgrade', 'notUpgrade']);
  });
});
