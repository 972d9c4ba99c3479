import fc from 'fast-check';
import { base64url, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import type { Hint, Ticket, TicketVerifier } from './ticket.ts';
import { issueHint, issueTicket, parseTicketKeys, verifyHint, verifyTicket } from './ticket.ts';

const secretOf = (byte: number): string => Buffer.alloc(32, byte).toString('base64url');
const [key, next] = parseTicketKeys(`k1:${secretOf(1)},k2:${secretOf(2)}`);
if (key === undefined || next === undefined) throw new Error('no keys');

const NOW = 1_764_000_000_000;
const TTL = 30_000;
const TOLERANCE = limits.clockToleranceMs;
const signing = { key, nowMs: NOW, ttlMs: TTL };
const verifier: TicketVerifier = { keys: [key], nowMs: NOW, pool: 'desktop', shard: 'd1' };
const ticket: Ticket = {
  id: 'ticket-1',
  pool: 'desktop',
  shard: 'd1',
  channels: ['lobby', '__proto__'],
  allow: ['lobby', 'sports.>'],
  denied: ['secret'],
  tls: true,
};
const hint: Hint = { id: 'hint-1', pool: 'mobile', allow: ['>'], avoid: 'd1', rttMs: 23.5, kbps: 900 };

async function problemOf(token: string, by: Partial<TicketVerifier> = {}): Promise<string> {
  const verified = await verifyTicket(token, { ...verifier, ...by });
  return verified.ok ? 'ok' : verified.problem;
}

describe('tickets', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/);
  const names = fc.array(token, { maxLength: 10 });

  it('come back as they were', async () => {
    const tickets = fc.record(
      {
        id: token,
        pool: token,
        shard: token,
        incarnation: token,
        channels: names,
        allow: fc.array(fc.oneof(token, fc.constantFrom('>', '*', 'a.*', '__proto__.>')), { maxLength: 10 }),
        denied: names,
        tls: fc.boolean(),
        ceiling: token,
        network: token,
        tokenExpiresS: fc.nat(),
        history: fc.record({
          stayedMs: fc.nat({ max: 86_400 }).map((seconds) => seconds * 1_000),
          moves: fc.nat({ max: 99 }),
          kept: fc.boolean(),
        }),
      },
      { requiredKeys: ['id', 'pool', 'channels', 'allow', 'denied', 'tls'] },
    );
    await fc.assert(
      fc.asyncProperty(tickets, async (given) => {
        const text = await issueTicket(given, signing);
        const { shard = 'any', incarnation = 'any' } = given;
        const by = { ...verifier, pool: given.pool, shard, incarnation };
        const verified = await verifyTicket(text, by);
        expect(verified).toEqual({ ok: true, value: given, expiresInMs: TTL + TOLERANCE });
      }),
    );
  });

  it('hold for their pool and their shard alone', async () => {
    const text = await issueTicket(ticket, signing);
    expect(await problemOf(text)).toBe('ok');
    expect(await problemOf(text, { pool: 'mobile' })).toBe('TICKET_WRONG_POOL');
    expect(await problemOf(text, { shard: 'd2' })).toBe('TICKET_WRONG_SHARD');
    const { shard: _, ...anyShard } = ticket;
    expect(await problemOf(await issueTicket(anyShard, signing), { shard: 'd2' })).toBe('ok');
  });

  it('hold for one start of their shard, where router and shard tell it', async () => {
    const text = await issueTicket({ ...ticket, incarnation: 'i1' }, signing);
    expect(await problemOf(text, { incarnation: 'i1' })).toBe('ok');
    expect(await problemOf(text, { incarnation: 'i2' })).toBe('TICKET_WRONG_SHARD');
    expect(await problemOf(text)).toBe('ok');
    expect(await problemOf(await issueTicket(ticket, signing), { incarnation: 'i2' })).toBe('ok');
  });

  it('hold until they expire, with a tolerance for clocks that differ', async () => {
    const text = await issueTicket(ticket, signing);
    const end = NOW + TTL + TOLERANCE;
    expect(await problemOf(text, { nowMs: end - 1 })).toBe('ok');
    expect(await problemOf(text, { nowMs: end })).toBe('TICKET_EXPIRED');
    expect(await problemOf(text, { nowMs: end + 3_600_000 })).toBe('TICKET_EXPIRED');
    expect(await problemOf(text, { nowMs: NOW - 5_000 })).toBe('ok');
    expect(await problemOf(text, { nowMs: NOW - TOLERANCE })).toBe('ok');
    expect(await problemOf(text, { nowMs: NOW - TOLERANCE - 1 })).toBe('TICKET_CLOCK_SKEW');
    expect(await problemOf(text, { nowMs: NOW - 3_600_000 })).toBe('TICKET_CLOCK_SKEW');
  });

  it('are not given for longer than allowed, nor longer than a URL can hold', async () => {
    const tooLong = issueTicket(ticket, { ...signing, ttlMs: limits.ticketTtlMs + 1 });
    await expect(tooLong).rejects.toThrow(RangeError);
    const channels = Array.from({ length: 100 }, (_, i) => `${i}`.padStart(100, 'c'));
    await expect(issueTicket({ ...ticket, channels }, signing)).rejects.toThrow(RangeError);
  });

  it('have room for the longest names of everything, a history too', async () => {
    const long = (text: string): string => text.padEnd(64, 'x');
    const longest: Ticket = {
      id: long('id'),
      pool: long('pool'),
      shard: long('shard'),
      incarnation: 'i'.repeat(32),
      channels: [
        ...Array.from({ length: 9 }, (_, i) => `${i}`.padEnd(119, 'c')),
        'c'.repeat(59),
        'd'.repeat(59),
      ],
      allow: Array.from({ length: 4 }, (_, i) => `${i}`.padEnd(124, 'a')),
      denied: [],
      tls: true,
      ceiling: long('ceiling'),
      network: 'n'.repeat(12),
      tokenExpiresS: 8_640_000_000_000,
      history: { stayedMs: 86_400_000, moves: 99, kept: true },
    };
    const finding = {
      ...({ class: 'slow', confidence: 'medium', rttMs: 1_500, kbps: 9_999_999 } as const),
      thresholds: { kbps: 9_999_999, rttMs: 10_000 },
    };
    expect(longest.channels.join().length + 1).toBe(limits.channelsChars);
    expect(longest.allow.join().length + 1).toBe(limits.allowChars);
    const longKey = { ...key, id: long('kid') };
    // What the router found is left out where it has no room.
    const text = await issueTicket({ ...longest, finding }, { ...signing, key: longKey });
    const by = { keys: [longKey], nowMs: NOW, pool: longest.pool, shard: long('shard') };
    expect(await verifyTicket(text, by)).toMatchObject({ ok: true, value: longest });
    const short = await issueTicket({ ...ticket, finding }, signing);
    const shortBy = { keys: [key], nowMs: NOW, pool: ticket.pool, shard: 'd1' };
    expect(await verifyTicket(short, shortBy)).toMatchObject({ ok: true, value: { finding } });
  });

  it('are refused with any one character changed, added or left out', async () => {
    const text = await issueTicket(ticket, signing);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let i = 0; i < text.length; i += 1) {
      const at = alphabet.indexOf(text[i] ?? '');
      // The neighbour in the alphabet differs in the lowest bit: what a lenient decoder overlooks at the end.
      const others = [alphabet[at ^ 1] ?? 'A', alphabet[(at + 32) % 64] ?? 'A', '', '=', ' ', '.', 'é'];
      for (const other of others) {
        if (other === text[i]) continue;
        const tampered = text.slice(0, i) + other + text.slice(i + 1);
        expect(await problemOf(tampered), `${i} ${JSON.stringify(other)}`).toBe('TICKET_FORGED');
      }
    }
    for (const around of [` ${text}`, `${text} `, `${text}\n`, `${text}=`, `${text}.`, text.repeat(2)]) {
      expect(await problemOf(around)).toBe('TICKET_FORGED');
    }
  });

  it('are refused with every possible end of the signature but the right one', async () => {
    const text = await issueTicket(ticket, signing);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const ends = [...alphabet].filter((end) => end !== text.at(-1));
    for (const end of ends) expect(await problemOf(text.slice(0, -1) + end)).toBe('TICKET_FORGED');
  });

  it('never make the verifier throw', async () => {
    const part = fc.oneof(
      fc.string().map((text) => base64url.encode(text)),
      fc.json().map((text) => base64url.encode(text)),
      fc.string(),
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await problemOf(text)).toBe('TICKET_FORGED');
        expect((await verifyHint(text, verifier)).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what others sign', () => {
  const claims = {
    ch: 'lobby',
    al: '>',
    jti: 'x',
    aud: 'desktop',
    iat: NOW / 1000,
    exp: NOW / 1000 + 30,
  };
  const header = { alg: 'HS256', kid: 'k1', typ: 'weir-ticket+jwt' };

  async function signed(
    head: Readonly<Record<string, unknown>>,
    body: string = JSON.stringify(claims),
    secret: Uint8Array = key?.secret ?? new Uint8Array(),
    hash = 'SHA-256',
  ): Promise<string> {
    const input = `${base64url.encode(JSON.stringify(head))}.${base64url.encode(body)}`;
    const hmac = await crypto.subtle.importKey('raw', new Uint8Array(secret), { name: 'HMAC', hash }, false, [
      'sign',
    ]);
    const signature = await crypto.subtle.sign('HMAC', hmac, new TextEncoder().encode(input));
    return `${input}.${base64url.encode(new Uint8Array(signature))}`;
  }

  it('is taken where it is exactly what we sign ourselves', async () => {
    expect(await problemOf(await signed(header))).toBe('ok');
    expect(await problemOf(await new SignJWT(claims).setProtectedHeader(header).sign(key.secret))).toBe('ok');
  });

  it.each([
    ['no algorithm', { alg: 'none' }],
    ['no algorithm, in another spelling', { alg: 'nOnE' }],
    ['another algorithm of the same family', { alg: 'HS384' }],
    ['the algorithm in small letters', { alg: 'hs256' }],
    ['a public-key algorithm', { alg: 'RS256' }],
    ['an algorithm that is no text', { alg: ['HS256'] }],
    ['no kid', { kid: undefined }],
    ['an unknown kid', { kid: 'k2' }],
    ['a kid that is a path', { kid: '../../dev/null' }],
    ['a kid of 10 KB', { kid: 'k'.repeat(10_240) }],
    ['a kid that is an object', { kid: { id: 'k1' } }],
    ['a kid like a member of objects', { kid: '__proto__' }],
    ['another type', { typ: 'JWT' }],
    ['no type', { typ: undefined }],
    ['a type that is no text', { typ: 5 }],
    ['the type of hints', { typ: 'weir-hint+jwt' }],
    ['an unknown critical extension', { crit: ['exp'], exp: 1 }],
    ['an unencoded payload', { crit: ['b64'], b64: false }],
    ['an empty list of critical extensions', { crit: [] }],
  ])('is refused with %s', async (_what, change) => {
    expect(await problemOf(await signed({ ...header, ...change }))).toBe('TICKET_FORGED');
  });

  it('is refused with a key that comes along in the header', async () => {
    const secret = Buffer.alloc(32, 9);
    const jwk = { kty: 'oct', k: secret.toString('base64url'), alg: 'HS256' };
    const offers = [
      { jwk },
      { jwk, kid: undefined },
      { jku: 'http://127.0.0.1:1/keys' },
      { x5u: 'http://127.0.0.1:1' },
    ];
    for (const offer of offers) {
      const text = await signed({ ...header, ...offer }, undefined, secret);
      expect(await problemOf(text)).toBe('TICKET_FORGED');
    }
  });

  it('is refused with an empty signature, an empty secret, or a longer hash', async () => {
    const text = await signed(header);
    expect(await problemOf(text.slice(0, text.lastIndexOf('.') + 1))).toBe('TICKET_FORGED');
    expect(await problemOf(text.slice(0, text.lastIndexOf('.')))).toBe('TICKET_FORGED');
    expect(await problemOf(await signed(header, undefined, Buffer.alloc(32)))).toBe('TICKET_FORGED');
    expect(await problemOf(await signed(header, undefined, key.secret, 'SHA-384'))).toBe('TICKET_FORGED');
  });

  it.each([
    ['no expiry', { exp: undefined }],
    ['an expiry in words', { exp: `${NOW / 1000 + 30}` }],
    ['an expiry that is null', { exp: null }],
    ['an expiry with a fraction', { exp: NOW / 1000 + 0.5 }],
    ['a life longer than ours', { exp: NOW / 1000 + 61 }],
    ['no time of issue', { iat: undefined }],
    ['a time of issue in words', { iat: `${NOW / 1000}` }],
    ['no id', { jti: undefined }],
    ['an id that is no text', { jti: 7 }],
    ['an id that is long', { jti: 'x'.repeat(65) }],
    ['no audience', { aud: undefined }],
    ['several audiences', { aud: ['desktop', 'mobile'] }],
    ['not yet valid', { nbf: NOW / 1000 + 3600 }],
    ['no channels', { ch: undefined }],
    ['channels that are a list', { ch: ['lobby'] }],
    ['channels that are none', { ch: 'lobby,a b' }],
    ['channels with an end of nothing', { ch: 'lobby,' }],
    ['more channels than allowed', { ch: Array.from({ length: 101 }, (_, i) => `${i}`).join() }],
    ['no patterns', { al: undefined }],
    ['patterns that are none', { al: '>.a' }],
    ['denied channels that are none', { dn: 'a,,b' }],
  ])('is refused with %s', async (_what, change) => {
    const body = JSON.stringify({ ...claims, ...change });
    expect(await problemOf(await signed(header, body))).toBe('TICKET_FORGED');
  });

  it.each([
    ['a ceiling that is no name', { ce: 'a b' }],
    ['a ceiling that is a number', { ce: 5 }],
    ['a ceiling of 10 KB', { ce: 'c'.repeat(10_240) }],
    ['a history in another form', { mh: { moves: 3 } }],
    ['a claim of a later version', { zz: 1 }],
  ])('counts without %s', async (_what, change) => {
    const text = await signed(header, JSON.stringify({ ...claims, ...change }));
    const verified = await verifyTicket(text, verifier);
    if (text.length > limits.ticketChars) return expect(verified.ok).toBe(false);
    expect(verified).toMatchObject({ ok: true });
    expect(verified).not.toHaveProperty('value.ceiling');
    expect(verified).not.toHaveProperty('value.history');
  });

  it('is refused with an endless life', async () => {
    for (const endless of ['1e400', '1e308', '9007199254740993']) {
      const body = JSON.stringify(claims).replace(/"exp":\d+/, `"exp":${endless}`);
      expect(await problemOf(await signed(header, body))).toBe('TICKET_FORGED');
    }
  });

  it('is refused where it is not an object in JSON', async () => {
    for (const body of ['', '[]', 'null', '"a"', '{', '\ufeff{}']) {
      expect(await problemOf(await signed(header, body))).toBe('TICKET_FORGED');
    }
  });
});

describe('keys', () => {
  it('rotate: the first signs, all verify', async () => {
    const old = await issueTicket(ticket, signing);
    const fresh = await issueTicket(ticket, { ...signing, key: next });
    expect(await problemOf(old, { keys: [next, key] })).toBe('ok');
    expect(await problemOf(fresh, { keys: [next, key] })).toBe('ok');
    expect(await problemOf(old, { keys: [next] })).toBe('TICKET_FORGED');
    const swapped = { id: key.id, secret: next.secret };
    expect(await problemOf(old, { keys: [swapped] })).toBe('TICKET_FORGED');
    expect(await problemOf(old, { keys: [] })).toBe('TICKET_FORGED');
  });

  it('are read from one line', () => {
    const keys = parseTicketKeys(` a:${secretOf(1)} , b:${secretOf(2)}`);
    expect(keys.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(keys[1]?.secret).toEqual(new Uint8Array(32).fill(2));
  });

  it.each([
    '',
    ',',
    'k1',
    'k1:',
    ':abc',
    `k1:${secretOf(1)},`,
    `k1:${secretOf(1).slice(0, 40)}`,
    `k1:${secretOf(1)}:x`,
    `k1:${secretOf(1)}=`,
    `k 1:${secretOf(1)}`,
    `k1:${'+/'.repeat(30)}`,
    `k1:${secretOf(1)},k1:${secretOf(2)}`,
    `${'k'.repeat(65)}:${secretOf(1)}`,
  ])('are refused in words that do not tell them: %s', (text) => {
    const secrets = text.split(/[:,]/).filter((part) => part.length > 20);
    expect(() => parseTicketKeys(text)).toThrow(Error);
    try {
      parseTicketKeys(text);
    } catch (error) {
      for (const secret of secrets) expect(String(error)).not.toContain(secret);
    }
  });
});

describe('hints', () => {
  it('come back as they were', async () => {
    const verified = await verifyHint(await issueHint(hint, signing), verifier);
    expect(verified).toEqual({ ok: true, value: hint, expiresInMs: TTL + TOLERANCE });
    const bare = { id: 'h', pool: 'mobile', allow: [] };
    expect(await verifyHint(await issueHint(bare, signing), verifier)).toMatchObject({ value: bare });
  });

  it('are no tickets, and tickets are no hints', async () => {
    const asTicket = { ...verifier, pool: hint.pool };
    expect(await verifyTicket(await issueHint(hint, signing), asTicket)).toMatchObject({ ok: false });
    expect(await verifyHint(await issueTicket(ticket, signing), verifier)).toEqual({
      ok: false,
      problem: 'TICKET_FORGED',
    });
  });

  it('expire', async () => {
    const text = await issueHint(hint, signing);
    const late = await verifyHint(text, { keys: [key], nowMs: NOW + TTL + TOLERANCE });
    expect(late).toEqual({ ok: false, problem: 'TICKET_EXPIRED' });
    await expect(issueHint(hint, { ...signing, ttlMs: limits.hintTtlMs + 1 })).rejects.toThrow(RangeError);
  });

  it('are refused with any one character changed', async () => {
    const text = await issueHint(hint, signing);
    for (let i = 0; i < text.length; i += 1) {
      const tampered = text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
      expect((await verifyHint(tampered, verifier)).ok, `${i}`).toBe(false);
    }
  });
});
