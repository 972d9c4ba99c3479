// The whole router on real sockets, with a table of shards that the test fills by hand instead of NATS.
import type { Hint, Ticket } from '@weir/protocol';
import { issueHint, limits, verifyHint } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RawOptions } from './fakes/raw-client.ts';
import { opcodes } from './fakes/raw-client.ts';
import type { RunningRouter } from './fakes/running-router.ts';
import {
  bothPools,
  impatient,
  keys,
  offering,
  routers,
  userToken,
  visit,
  withTokens,
} from './fakes/running-router.ts';
import { entry } from './fakes/shard-entry.ts';

const start = routers();

describe('an ordinary client', () => {
  it('is measured, redirected, and closed with 4001', async () => {
    const router = await start();
    const ws = new WebSocket(`ws://127.0.0.1:${router.port}/v1/connect?channels=lobby,sports.42`, [
      'weir.v1',
    ]);
    const texts: string[] = [];
    ws.on('message', (data) => texts.push(String(data)));
    const code = await new Promise<number>((resolve) => ws.on('close', resolve));
    expect(code).toBe(4001);
    expect(ws.protocol).toBe('weir.v1');
    expect(ws.extensions).toBe('');
    const message = JSON.parse(texts[0] ?? '');
    expect(message).toMatchObject({
      type: 'redirect',
      pool: 'desktop',
      url: expect.stringMatching(/^ws:\/\/d1\.example:8081\/v1\/stream\?ticket=eyJ/),
      rttMs: expect.any(Number),
      kbps: expect.any(Number),
      hint: expect.any(String),
    });
    const ticket = await router.ticket(message.url);
    expect(ticket).toMatchObject({
      ok: true,
      value: {
        pool: 'desktop',
        shard: 'd1',
        channels: ['lobby', 'sports.42'],
        allow: ['>'],
        denied: [],
        tls: false,
      },
    });
    expect(router.shards.given).toEqual(['d1']);
    expect(await router.series('weir_router_connects_total{outcome="redirected"}')).toBe(1);
    expect(await router.series('weir_router_placements_total{reason="best"}')).toBe(1);
    expect(router.router.pending).toBe(0);
    expect(router.logged.join()).not.toContain('eyJ');
  });

  it('gets no subprotocol if it offers none', async () => {
    const client = await visit(await start());
    expect([client.closeCode, client.header('sec-websocket-protocol')]).toEqual([4001, undefined]);
  });

  it('also connects below the path of the public URL', async () => {
    const router = await start({ WEIR_PUBLIC_URL: 'wss://host.example/base/' });
    for (const path of ['/base/v1/connect?channels=a', '/v1/connect?channels=a']) {
      expect((await visit(router, { path })).redirect['url']).toMatch(/^wss:\/\/d1/);
    }
    expect((await visit(router, { path: '/other/v1/connect?channels=a' })).status).toBe(404);
  });

  it('is served as one of 1,000 that connect together', async () => {
    const router = await start();
    const clients = await Promise.all(Array.from({ length: 1_000 }, () => visit(router)));
    expect(clients.filter((client) => client.closeCode === 4001 && client.texts.length === 1)).toHaveLength(
      1_000,
    );
    expect(clients.filter((client) => client.error !== undefined)).toHaveLength(0);
    const urls = new Set(clients.map((client) => client.redirect['url']));
    expect(urls.size).toBe(1_000);
    expect(router.router.pending).toBe(0);
  }, 60_000);
});

describe('hints', () => {
  const [key] = keys;
  const shardHint = (more: Partial<Hint> = {}): Promise<string> => {
    if (key === undefined) throw new Error('no key');
    const hint = { id: 'h', pool: 'desktop', allow: ['lobby'], rttMs: 12, kbps: 9_000, ...more };
    return issueHint(hint, { key, nowMs: Date.now(), ttlMs: 60_000 });
  };

  it('of a shard replace the token and the probe, and name the shard to avoid', async () => {
    const router = await start(withTokens);
    router.shards.list = [entry(), entry({ shard: 'd2' })];
    for (let i = 0; i < 10; i++) {
      const hint = await shardHint({ id: `h${i}`, avoid: 'd1' });
      const client = await visit(router, { path: `/v1/connect?channels=lobby&hint=${hint}` });
      expect(client.redirect).toMatchObject({ pool: 'desktop', rttMs: 12, kbps: 9_000 });
      expect(client.redirect['url']).toMatch(/^ws:\/\/d2/);
      expect(client.redirect).not.toHaveProperty('hint');
      expect(client.opcodesSeen).not.toContain(opcodes.ping);
    }
    expect(await router.series('weir_router_hints_total{outcome="used"}')).toBe(10);
  });

  it('of a shard replace the token once, from the same network, until the token expires', async () => {
    const router = await start({ ...withTokens, WEIR_TRUSTED_PROXIES: '127.0.0.1' });
    const from = (address: string, query: string): ReturnType<typeof visit> => {
      const headers = [...offering('weir.v1').headers, `X-Forwarded-For: ${address}`];
      return visit(router, { path: `/v1/connect?channels=lobby&${query}`, headers });
    };
    const first = await from('2001:db8::1', `token=${userToken()}`);
    const ticket = await router.ticket(first.redirect['url']);
    if (!ticket.ok) throw new Error(ticket.problem);
    const { network, tokenExpiresS } = ticket.value;
    expect(tokenExpiresS).toBeGreaterThan(Date.now() / 1_000);
    const moved = { ...(network === undefined ? {} : { network }), tokenExpiresS: Number(tokenExpiresS) };
    const hint = await shardHint(moved);
    expect((await from('2001:db8:0:1::1', `hint=${hint}`)).closeCode).toBe(4003);
    const welcome = await from('2001:db8::2', `hint=${hint}`);
    expect(welcome.closeCode).toBe(4001);
    expect(await router.ticket(welcome.redirect['url'])).toMatchObject({ value: moved });
    expect((await from('2001:db8::1', `hint=${hint}`)).closeCode).toBe(4003);
    const late = await shardHint({ ...moved, id: 'late', tokenExpiresS: 1_700_000_000 });
    expect((await from('2001:db8::1', `hint=${late}`)).closeCode).toBe(4003);
    expect(await router.series('weir_router_used_hints')).toBe(1);
  });

  it('lead to the shard to avoid if there is no other shard', async () => {
    const router = await start();
    router.shards.list = [entry()];
    const path = `/v1/connect?channels=lobby&hint=${await shardHint({ avoid: 'd1' })}`;
    expect((await visit(router, { path })).closeCode).toBe(4001);
  });

  it('of the router replace the next probe, but not the token', async () => {
    const router = await start(withTokens);
    const query = `channels=lobby&token=${userToken()}`;
    const first = await visit(router, { path: `/v1/connect?${query}` });
    const again = await visit(router, { path: `/v1/connect?${query}&hint=${first.redirect['hint']}` });
    expect(again.opcodesSeen).not.toContain(opcodes.ping);
    expect(again.redirect).toMatchObject({ pool: 'desktop', rttMs: first.redirect['rttMs'] });
  });

  it('of another network are ignored', async () => {
    const router = await start({ WEIR_TRUSTED_PROXIES: '127.0.0.1' });
    const first = await visit(router, { headers: ['X-Forwarded-For: 192.0.2.1'] });
    const path = `/v1/connect?channels=lobby&hint=${first.redirect['hint']}`;
    const elsewhere = await visit(router, { path, headers: ['X-Forwarded-For: 192.0.2.2'] });
    expect(elsewhere.opcodesSeen).toContain(opcodes.ping);
    const there = await visit(router, { path, headers: ['X-Forwarded-For: 192.0.2.1'] });
    expect(there.opcodesSeen).not.toContain(opcodes.ping);
    expect(await router.series('weir_router_hints_total{outcome="elsewhere"}')).toBe(1);
  });

  it('can ask for a new measurement', async () => {
    const router = await start();
    const path = `/v1/connect?channels=lobby&hint=${await shardHint({ measure: true, pool: 'mobile' })}`;
    expect((await visit(router, { path })).opcodesSeen).toContain(opcodes.ping);
  });

  describe('of a shard that asks for a new measurement', () => {
    const history = { stayedMs: 0, moves: 1, kept: true };
    const again = async (
      router: RunningRouter,
      more: Partial<Hint>,
      query = '',
      raw: Omit<RawOptions, 'port' | 'path'> = {},
    ): Promise<{ readonly ticket: Ticket; readonly hint: Hint | undefined; readonly probed: boolean }> => {
      const hint = await shardHint({ pool: 'mobile', measure: true, history, ...more });
      const client = await visit(router, { path: `/v1/connect?channels=lobby&hint=${hint}${query}`, ...raw });
      const to = bothPools.find(({ pool }) => pool === client.redirect['pool']);
      const ticket = await router.ticket(client.redirect['url'], to);
      if (!ticket.ok) throw new Error(ticket.problem);
      const next = await verifyHint(String(client.redirect['hint']), { keys, nowMs: Date.now() });
      const probed = client.opcodesSeen.includes(opcodes.ping);
      return { ticket: ticket.value, hint: next.ok ? next.value : undefined, probed };
    };

    it('promote a fast client, and its ticket and its hint contain the move', async () => {
      const router = await start();
      const { ticket, hint, probed } = await again(router, {});
      expect(probed).toBe(true);
      expect(ticket).toMatchObject({ pool: 'desktop', history: { stayedMs: 0, moves: 1, kept: false } });
      expect(hint).toMatchObject({ pool: 'desktop', history: { moves: 1 } });
      expect(await router.series('weir_router_remeasured_total{result="faster"}')).toBe(1);
    });

    it('leave a slow client in its pool, and tell the shard that the pool did not change', async () => {
      const router = await start(impatient);
      const { ticket, hint } = await again(router, {}, '', { deaf: true });
      expect(ticket).toMatchObject({ pool: 'mobile', history: { stayedMs: 0, moves: 1, kept: true } });
      // A client that comes back soon is not taken for a new one, although nothing was measured.
      expect(hint).toMatchObject({ pool: 'mobile', history: { moves: 1 } });
      expect(await router.series('weir_router_remeasured_total{result="same"}')).toBe(1);
    });

    it('demote a slow client, and keep its history', async () => {
      const router = await start(impatient);
      const { ticket } = await again(router, { pool: 'desktop' }, '', { deaf: true });
      expect(ticket).toMatchObject({ pool: 'mobile', history: { moves: 1, kept: false } });
      expect(await router.series('weir_router_remeasured_total{result="slower"}')).toBe(1);
    });

    it('keep a client in its pool whose second look the measurement denies, and on its shard if that is the only one', async () => {
      const router = await start();
      const thresholds = { kbps: 2_000, rttMs: 270 };
      const slow = { class: 'slow', confidence: 'medium', rttMs: 46, kbps: 1_459, thresholds } as const;
      const { ticket, probed } = await again(router, { pool: 'desktop', avoid: 'd1', finding: slow });
      expect(probed).toBe(true);
      expect(ticket).toMatchObject({ pool: 'desktop', shard: 'd1', history: { moves: 1, kept: true } });
      // A client whose deliveries are late is better off anywhere else.
      const { ticket: late } = await again(router, { id: 'late', pool: 'desktop', avoid: 'd1' });
      expect(late).toMatchObject({ pool: 'mobile', shard: 'm1' });
    });

    it('promote no client if the faster pool is full: the ticket says that the pool did not change', async () => {
      const router = await start();
      router.shards.list = bothPools.map((each) =>
        each.pool === 'mobile' ? each : { ...each, ready: false },
      );
      const { ticket } = await again(router, {});
      expect(ticket).toMatchObject({ pool: 'mobile', history: { moves: 1, kept: true } });
    });

    it('neither measure nor promote a client above the pool that it asked for, before the move or now', async () => {
      const router = await start();
      const ways = [
        again(router, { ceiling: 'mobile' }),
        again(router, {}, '&class=mobile'),
        again(router, {}, '', { headers: ['Save-Data: on'] }),
      ];
      for (const { ticket, probed } of await Promise.all(ways)) {
        expect(ticket).toMatchObject({ pool: 'mobile', ceiling: 'mobile' });
        expect(probed).toBe(false);
      }
    });

    it('of an earlier release, without moves, are understood', async () => {
      const hint = await shardHint({ pool: 'mobile', measure: true });
      const router = await start();
      const client = await visit(router, { path: `/v1/connect?channels=lobby&hint=${hint}` });
      const ticket = await router.ticket(client.redirect['url']);
      expect(ticket).toMatchObject({ ok: true, value: { pool: 'desktop' } });
      expect(ticket).not.toHaveProperty('value.history');
    });
  });

  it('of a drain keep the time in the pool', async () => {
    const router = await start();
    const history = { stayedMs: 42_000, moves: 3, kept: false };
    const path = `/v1/connect?channels=lobby&hint=${await shardHint({ history })}`;
    const client = await visit(router, { path });
    expect(await router.ticket(client.redirect['url'])).toMatchObject({ value: { history } });
  });

  it('that are malformed are ignored if no token is required: the router measures', async () => {
    const client = await visit(await start(), { path: '/v1/connect?channels=lobby&hint=rubbish' });
    expect([client.closeCode, client.opcodesSeen.includes(opcodes.ping)]).toEqual([4001, true]);
  });
});

describe('the class', () => {
  it('is lowered by the query or by Save-Data, and then the router measures nothing (case C2)', async () => {
    const router = await start();
    const ways: Omit<RawOptions, 'port'>[] = [
      { path: '/v1/connect?channels=a&class=mobile', closeOnPong: true },
      { headers: ['Save-Data: on'], closeOnPong: true },
    ];
    for (const way of ways) {
      const client = await visit(router, way);
      expect([client.closeCode, client.redirect['pool']]).toEqual([4001, 'mobile']);
      expect(client.redirect).not.toHaveProperty('rttMs');
      const ticket = await router.ticket(client.redirect['url'], { pool: 'mobile', shard: 'm1' });
      expect(ticket).toMatchObject({ value: { ceiling: 'mobile' } });
    }
  });

  it('is never raised', async () => {
    const router = await start(impatient);
    const client = await visit(router, { path: '/v1/connect?channels=a&class=desktop', deaf: true });
    expect(client.redirect['pool']).toBe('mobile');
  });

  it('of a client that disconnects at a pad is counted as such (case C2)', async () => {
    const router = await start();
    for (let i = 0; i < 10; i++) await visit(router, { closeOnPong: true });
    await expect.poll(() => router.series('weir_router_probes_total{outcome="closedOnPad"}')).toBe(10);
    expect(await router.series('weir_router_connects_total{outcome="left"}')).toBe(10);
    expect(router.logged).toEqual([]);
  });
});

describe('addresses of shards', () => {
  it('are wss only if the client used TLS to a trusted proxy (case G1)', async () => {
    const schemeOf = async (router: RunningRouter, ...values: string[]): Promise<string> => {
      const headers = values.map((value) => `X-Forwarded-Proto: ${value}`);
      return String((await visit(router, { headers })).redirect['url']).split(':')[0] ?? '';
    };
    const behind = await start({ WEIR_TRUSTED_PROXIES: '127.0.0.0/8' });
    for (const value of ['https', 'wss', 'http, https', 'https, http']) {
      expect([value, await schemeOf(behind, value)]).toEqual([value, 'wss']);
    }
    for (const value of ['http', 'ws']) expect([value, await schemeOf(behind, value)]).toEqual([value, 'ws']);
    expect(await schemeOf(behind)).toBe('ws');
    expect(await schemeOf(await start(), 'https')).toBe('ws');
    const client = await visit(behind, {
      headers: ['X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.test'],
    });
    expect(await behind.ticket(client.redirect['url'])).toMatchObject({ value: { tls: true } });
    expect(client.redirect['url']).toMatch(/^wss:\/\/d1\.example:8081\/v1\/stream/);
  });

  it('keep the brackets of IPv6 (case G4)', async () => {
    const router = await start({ WEIR_HOST: '::' });
    router.shards.list = [entry({ url: 'ws://[2001:db8::7]:8081' })];
    const six = await visit(router, { host: '::1' });
    expect(six.redirect['url']).toMatch(/^ws:\/\/\[2001:db8::7\]:8081\/v1\/stream\?ticket=/);
    expect((await visit(router, { host: '127.0.0.1' })).closeCode).toBe(4001);
  });

  it('with ticket and position fit into 4 KB, for any channels and token', async () => {
    const router = await start(withTokens);
    router.shards.list = [entry({ url: `ws://${'h'.repeat(limits.baseUrlChars - 10)}:8081` })];
    const names = Array.from({ length: 100 }, (_, i) => `c${String(i).padStart(8, '0')}`);
    const patterns = names.flatMap((name) => [name, `${name}.more.and.more.>`]);
    const client = await visit(router, {
      path: `/v1/connect?channels=${names.join(',')}&token=${userToken({ channels: patterns })}`,
    });
    expect(client.closeCode).toBe(4001);
    const url = String(client.redirect['url']);
    expect(url.length + '&resume='.length + limits.positionChars).toBeLessThanOrEqual(limits.urlBytes);
  });
});

describe('without a shard for the client', () => {
  it.each([
    ['none at all', [], 'empty'],
    ['full ones', bothPools.map((each) => ({ ...each, capacity: 1, connections: 1 })), 'full'],
    ['draining ones', bothPools.map((each) => ({ ...each, draining: true })), 'draining'],
    ['some that are not ready', bothPools.map((each) => ({ ...each, ready: false })), 'notReady'],
  ])('%s: 4013 at once, without a probe', async (_, list, reason) => {
    const router = await start();
    router.shards.list = list;
    const client = await visit(router, offering('weir.v1'));
    expect([client.closeCode, client.texts, client.opcodesSeen]).toEqual([4013, [], [opcodes.close]]);
    expect(await router.series(`weir_router_placements_total{reason="${reason}"}`)).toBe(1);
  });

  it('another pool takes the client', async () => {
    const router = await start();
    router.shards.list = [entry({ pool: 'mobile', shard: 'm1' })];
    expect((await visit(router)).redirect['pool']).toBe('mobile');
    expect(await router.series('weir_router_placements_total{reason="otherPool"}')).toBe(1);
  });
});
