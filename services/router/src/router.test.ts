// The whole router on real sockets, with a table of shards that the test fills by hand instead of NATS.
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { issueHint, limits } from '@weir/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RawOptions } from './fakes/raw-client.ts';
import { maskedFrame, opcodes, RawClient } from './fakes/raw-client.ts';
import type { RunningRouter } from './fakes/running-router.ts';
import { bothPools, entry, keys, startRouter } from './fakes/running-router.ts';

const running: RunningRouter[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((router) => router.stop()));
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<RunningRouter> {
  const router = await startRouter(env);
  running.push(router);
  return router;
}

/** Short enough for tests that wait for the end of patience. */
const impatient = { WEIR_PROBE_DEADLINE_MS: '300', WEIR_CLOSE_WAIT_MS: '300', WEIR_CLOSE_GRACE_MS: '300' };
const jwtSecret = 'a shared secret of at least 32 bytes!';
const withTokens = { WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: jwtSecret };

function userToken(claims: Readonly<Record<string, unknown>> = {}, alg = 'HS256'): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${part({ alg })}.${part({ exp, channels: ['lobby', 'sports.*'], ...claims })}`;
  return `${signed}.${createHmac('sha256', jwtSecret).update(signed).digest('base64url')}`;
}

const visit = (router: RunningRouter, o: Omit<RawOptions, 'port'> = {}): Promise<RawClient> =>
  new RawClient({ ...o, port: router.port }).closed;

const offering = (...names: string[]): { headers: string[] } => ({
  headers: [`Sec-WebSocket-Protocol: ${names.join(', ')}`],
});

describe('an ordinary client', () => {
  it('is measured, told where to go, and closed with 4001', async () => {
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

  it('that offers no subprotocol gets none', async () => {
    const client = await visit(await start());
    expect([client.closeCode, client.header('sec-websocket-protocol')]).toEqual([4001, undefined]);
  });

  it('finds the router below the path of its public URL too', async () => {
    const router = await start({ WEIR_PUBLIC_URL: 'wss://host.example/base/' });
    for (const path of ['/base/v1/connect?channels=a', '/v1/connect?channels=a']) {
      expect((await visit(router, { path })).redirect['url']).toMatch(/^wss:\/\/d1/);
    }
    expect((await visit(router, { path: '/other/v1/connect?channels=a' })).status).toBe(404);
  });

  it('is one of 1,000 that come together', async () => {
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

describe('refusals before the upgrade', () => {
  it.each<[string, Omit<RawOptions, 'port'>, number, string]>([
    ['another path', { path: '/' }, 404, 'NOT_FOUND'],
    ['a path that only begins right', { path: '/v1/connect/?channels=a' }, 404, 'NOT_FOUND'],
    ['another method', { method: 'POST' }, 405, 'METHOD_NOT_ALLOWED'],
    ['no channels', { path: '/v1/connect' }, 400, 'BAD_REQUEST'],
    ['bad channels', { path: '/v1/connect?channels=a..b' }, 400, 'BAD_REQUEST'],
    ['an unknown class', { path: '/v1/connect?channels=a&class=fast' }, 400, 'BAD_REQUEST'],
    ['a token alone', offering('weir.token.SECRET'), 400, 'BAD_REQUEST'],
    ['a token with padding', offering('weir.v1', 'weir.token.SECRET=='), 400, 'BAD_REQUEST'],
    ['another version of WebSocket', { headers: ['Sec-WebSocket-Version: 8'] }, 426, 'BAD_REQUEST'],
  ])('%s', async (_, options, status, code) => {
    const router = await start();
    const client = await visit(router, options);
    expect(client.status).toBe(status);
    expect(client.header('content-type')).toBe('application/json; charset=utf-8');
    expect(JSON.parse(client.body)).toEqual({ error: { code, message: expect.any(String) } });
    expect(client.head + client.body + router.logged.join()).not.toContain('SECRET');
    expect(client.error).toBeUndefined();
  });

  it('a request without an upgrade is told what to do', async () => {
    const router = await start();
    const base = `http://127.0.0.1:${router.port}`;
    const answers = await Promise.all([
      fetch(`${base}/v1/connect?channels=a`),
      fetch(`${base}/`),
      fetch(`${base}/v1/connect`, { method: 'POST', body: 'x'.repeat(10_000) }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([426, 404, 405]);
    expect(answers[0]?.headers.get('upgrade')).toBe('websocket');
    expect(answers[2]?.headers.get('allow')).toBe('GET');
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    expect(bodies[0]).toMatchObject({ error: { message: expect.stringContaining('new WebSocket(') } });
    expect(bodies[1]).toMatchObject({ error: { message: expect.stringContaining('/v1/connect?channels=') } });
    expect(await router.series('weir_router_refusals_total{reason="upgrade"}')).toBe(1);
  });

  it('bad channels of a client that offers weir.v1 are a close with 4501 in words', async () => {
    const client = await visit(await start(), { ...offering('weir.v1'), path: '/v1/connect?channels=a..b' });
    expect([client.status, client.closeCode, client.header('sec-websocket-protocol')]).toEqual([
      101,
      4501,
      'weir.v1',
    ]);
    expect(client.closeReason).toMatch(/a channel is/);
  });

  it('origins: exactly the configured ones (case G9)', async () => {
    const router = await start({ WEIR_ALLOWED_ORIGINS: 'https://ok.example, capacitor://localhost' });
    const statuses = async (...lines: string[]): Promise<number> =>
      (await visit(router, { headers: lines.map((value) => `Origin: ${value}`) })).status;
    expect(await statuses()).toBe(101);
    expect(await statuses('https://ok.example')).toBe(101);
    expect(await statuses('HTTPS://OK.example:443')).toBe(101);
    expect(await statuses('capacitor://localhost')).toBe(101);
    const bad = [
      'null',
      'file://',
      'https://ok.example.evil.test',
      'https://ok.example:8443',
      'https://ok.example.',
    ];
    for (const origin of bad) expect([origin, await statuses(origin)]).toEqual([origin, 403]);
    expect(await statuses('https://ok.example', 'https://evil.test')).toBe(403);
    const refused = await visit(router, { headers: ['Origin: null', 'Sec-WebSocket-Protocol: weir.v1'] });
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'ORIGIN_NOT_ALLOWED' } });
    expect(await router.series('weir_router_refusals_total{reason="origin"}')).toBe(bad.length + 2);
  });

  it('rate: per address as a trusted proxy tells it, 429 with Retry-After', async () => {
    const router = await start({
      WEIR_TRUSTED_PROXIES: '127.0.0.1',
      WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: '0.1',
      WEIR_CONNECT_BURST_PER_ADDRESS: '2',
    });
    const from = (address: string): Promise<RawClient> =>
      visit(router, { headers: [`X-Forwarded-For: 203.0.113.5, ${address}`] });
    // The same client in four spellings, then one of the same /64, and one of another.
    const same = ['::ffff:192.0.2.1', '192.0.2.1', '::ffff:c000:201'];
    const first = [];
    for (const address of same) first.push((await from(address)).status);
    expect(first).toEqual([101, 101, 429]);
    const neighbours = [];
    for (const address of ['2001:db8::1', '2001:db8::2%eth0', '2001:db8::3', '2001:db8:0:1::1']) {
      neighbours.push((await from(address)).status);
    }
    expect(neighbours).toEqual([101, 101, 429, 101]);
    const refused = await from('192.0.2.1');
    expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await router.series('weir_router_rate_limit_networks')).toBe(3);
    expect(await router.registry.metrics()).not.toContain('192.0.2');
  });

  it('room: no more are measured at once than configured, 503 with Retry-After', async () => {
    const router = await start({ ...impatient, WEIR_MAX_PENDING: '3' });
    const deaf = Array.from({ length: 3 }, () => new RawClient({ port: router.port, deaf: true }));
    await expect.poll(() => router.router.pending).toBe(3);
    const refused = await visit(router);
    expect(refused.status).toBe(503);
    expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(5);
    await Promise.all(deaf.map((client) => client.closed));
    expect((await visit(router)).closeCode).toBe(4001);
  });

  it('sockets that say nothing, too much or rubbish do not stay', async () => {
    const router = await start({ WEIR_HEADERS_TIMEOUT_MS: '300' });
    const say = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect({ port: router.port, host: '127.0.0.1' });
        let answer = '';
        socket.on('data', (chunk) => {
          answer += chunk;
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(answer));
        socket.write(text);
      });
    const answers = await Promise.all([
      say('GET /v1/connect HTTP/1.1\r\nHost: a\r\n'),
      say(`GET /v1/connect HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
      say('rubbish\r\n\r\n'),
    ]);
    expect(answers.map((answer) => answer.split(' ')[1])).toEqual(['408', '431', '400']);
    for (const reason of ['timeout', 'headersTooLarge', 'malformed']) {
      expect(await router.series(`weir_router_connection_faults_total{reason="${reason}"}`)).toBe(1);
    }
    await expect.poll(() => router.series('weir_router_open_sockets')).toBe(0);
  });
});

describe('user tokens', () => {
  it('come in the query or as a subprotocol, in any order and over two lines (case D4)', async () => {
    const router = await start(withTokens);
    // 6 KB, as large as they come.
    const token = userToken({ filler: 'x'.repeat(4_400) });
    expect(token.length).toBeGreaterThan(6_000);
    const ways: Omit<RawOptions, 'port'>[] = [
      { path: `/v1/connect?channels=lobby&token=${token}` },
      offering('weir.v1', `weir.token.${token}`),
      offering(`weir.token.${token}`, 'weir.v1'),
      { headers: ['Sec-WebSocket-Protocol: weir.v1', `Sec-WebSocket-Protocol: weir.token.${token}`] },
    ];
    for (const way of ways) {
      const client = await visit(router, way);
      expect(client.closeCode).toBe(4001);
      const offered = way.headers !== undefined;
      expect(client.header('sec-websocket-protocol')).toBe(offered ? 'weir.v1' : undefined);
      const said =
        client.head + client.texts.join() + router.logged.join() + (await router.registry.metrics());
      expect(said).not.toContain(token.slice(-40));
    }
  });

  it('decide which channels go into the ticket, and which are denied', async () => {
    const router = await start(withTokens);
    const client = await visit(router, {
      path: `/v1/connect?channels=lobby,vip,sports.1&token=${userToken()}`,
    });
    expect(await router.ticket(client.redirect['url'])).toMatchObject({
      value: { channels: ['lobby', 'sports.1'], denied: ['vip'], allow: ['lobby', 'sports.*'] },
    });
  });

  it.each([
    ['none at all', () => ''],
    ['one that is not signed', () => userToken({}, 'none')],
    ['one that has expired', () => userToken({ exp: 1 })],
    ['one that allows nothing of it', () => userToken({ channels: ['vip'] })],
    ['one without channels', () => userToken({ channels: undefined })],
    ['rubbish', () => 'rubbish'],
  ])('%s: 401, or 4500 where the client offers weir.v1', async (_, make) => {
    const router = await start(withTokens);
    const token = make();
    const path = `/v1/connect?channels=lobby${token === '' ? '' : `&token=${token}`}`;
    const plain = await visit(router, { path });
    expect(plain.status).toBe(401);
    expect(JSON.parse(plain.body)).toMatchObject({ error: { code: 'NOT_AUTHORISED' } });
    const offered = await visit(router, { ...offering('weir.v1'), path });
    expect([offered.status, offered.closeCode]).toEqual([101, 4500]);
    expect(offered.closeReason.length).toBeGreaterThan(5);
    expect(await router.series('weir_router_connects_total{outcome="notAuthorised"}')).toBe(1);
    expect(await router.series('weir_router_refusals_total{reason="token"}')).toBe(2);
    expect(router.router.pending).toBe(0);
  });

  it('that are refused leave no trace in the log, however many (case G5)', async () => {
    const router = await start(withTokens);
    const before = router.logged.length;
    await Promise.all(
      Array.from({ length: 100 }, () => visit(router, { path: '/v1/connect?channels=lobby&token=a.b.c' })),
    );
    expect(router.logged.length).toBe(before);
  });

  it('that are tickets are refused, and so is a ticket as hint', async () => {
    const router = await start(withTokens);
    const good = await visit(router, { path: `/v1/connect?channels=lobby&token=${userToken()}` });
    const ticket = new URL(String(good.redirect['url'])).searchParams.get('ticket') ?? '';
    const hint = String(good.redirect['hint']);
    for (const query of [
      `token=${ticket}`,
      `token=${hint}`,
      `hint=${ticket}`,
      `hint=${hint}`,
      `hint=${userToken()}`,
    ]) {
      expect((await visit(router, { path: `/v1/connect?channels=lobby&${query}` })).status).toBe(401);
    }
  });
});

describe('hints', () => {
  const [key] = keys;
  const shardHint = (more: { avoid?: string; measure?: boolean; pool?: string } = {}): Promise<string> => {
    if (key === undefined) throw new Error('no key');
    const hint = { id: 'h', pool: 'desktop', allow: ['lobby'], rttMs: 12, kbps: 9_000, ...more };
    return issueHint(hint, { key, nowMs: Date.now(), ttlMs: 60_000 });
  };

  it('of a shard replace token and probe, and name the shard to avoid', async () => {
    const router = await start(withTokens);
    router.shards.list = [entry(), entry({ shard: 'd2' })];
    for (let i = 0; i < 10; i++) {
      const path = `/v1/connect?channels=lobby&hint=${await shardHint({ avoid: 'd1' })}`;
      const client = await visit(router, { path });
      expect(client.redirect).toMatchObject({ pool: 'desktop', rttMs: 12, kbps: 9_000 });
      expect(client.redirect['url']).toMatch(/^ws:\/\/d2/);
      expect(client.redirect).not.toHaveProperty('hint');
      expect(client.opcodesSeen).not.toContain(opcodes.ping);
    }
    expect(await router.series('weir_router_hints_total{outcome="used"}')).toBe(10);
  });

  it('go to the shard to avoid where there is no other', async () => {
    const router = await start();
    router.shards.list = [entry()];
    const path = `/v1/connect?channels=lobby&hint=${await shardHint({ avoid: 'd1' })}`;
    expect((await visit(router, { path })).closeCode).toBe(4001);
  });

  it('of the router spare the next probe, beside a token', async () => {
    const router = await start(withTokens);
    const query = `channels=lobby&token=${userToken()}`;
    const first = await visit(router, { path: `/v1/connect?${query}` });
    const again = await visit(router, { path: `/v1/connect?${query}&hint=${first.redirect['hint']}` });
    expect(again.opcodesSeen).not.toContain(opcodes.ping);
    expect(again.redirect).toMatchObject({ pool: 'desktop', rttMs: first.redirect['rttMs'] });
  });

  it('of another network do not count', async () => {
    const router = await start({ WEIR_TRUSTED_PROXIES: '127.0.0.1' });
    const first = await visit(router, { headers: ['X-Forwarded-For: 192.0.2.1'] });
    const path = `/v1/connect?channels=lobby&hint=${first.redirect['hint']}`;
    const elsewhere = await visit(router, { path, headers: ['X-Forwarded-For: 192.0.2.2'] });
    expect(elsewhere.opcodesSeen).toContain(opcodes.ping);
    const there = await visit(router, { path, headers: ['X-Forwarded-For: 192.0.2.1'] });
    expect(there.opcodesSeen).not.toContain(opcodes.ping);
    expect(await router.series('weir_router_hints_total{outcome="elsewhere"}')).toBe(1);
  });

  it('may ask for a new measurement', async () => {
    const router = await start();
    const path = `/v1/connect?channels=lobby&hint=${await shardHint({ measure: true, pool: 'mobile' })}`;
    expect((await visit(router, { path })).opcodesSeen).toContain(opcodes.ping);
  });

  it('that are rubbish are measured like anybody where no token is needed', async () => {
    const client = await visit(await start(), { path: '/v1/connect?channels=lobby&hint=rubbish' });
    expect([client.closeCode, client.opcodesSeen.includes(opcodes.ping)]).toEqual([4001, true]);
  });
});

describe('the class', () => {
  it('that a client asks for or its Save-Data may lower it, and then nothing is measured (case C2)', async () => {
    const router = await start();
    const ways: Omit<RawOptions, 'port'>[] = [
      { path: '/v1/connect?channels=a&class=mobile', closeOnPong: true },
      { headers: ['Save-Data: on'], closeOnPong: true },
    ];
    for (const way of ways) {
      const client = await visit(router, way);
      expect([client.closeCode, client.redirect['pool']]).toEqual([4001, 'mobile']);
      expect(client.redirect).not.toHaveProperty('rttMs');
    }
  });

  it('is never raised', async () => {
    const router = await start(impatient);
    const client = await visit(router, { path: '/v1/connect?channels=a&class=desktop', deaf: true });
    expect(client.redirect['pool']).toBe('mobile');
  });

  it('a client that leaves at a pad is counted by name (case C2)', async () => {
    const router = await start();
    for (let i = 0; i < 10; i++) await visit(router, { closeOnPong: true });
    await expect.poll(() => router.series('weir_router_probes_total{outcome="closedOnPad"}')).toBe(10);
    expect(await router.series('weir_router_connects_total{outcome="left"}')).toBe(10);
    expect(router.logged).toEqual([]);
  });
});

describe('addresses of shards', () => {
  it('are wss where the client came by TLS to a trusted proxy, and only there (case G1)', async () => {
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

  it('with ticket and position fit into 4 KB, whatever channels and token say', async () => {
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

describe('where there is no shard to go to', () => {
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

describe('clients that behave badly', () => {
  it('one that never answers is sent to the slowest pool by the deadline', async () => {
    const router = await start(impatient);
    const startedMs = performance.now();
    const client = await visit(router, { deaf: true });
    expect(client.redirect).toMatchObject({ pool: 'mobile', confidence: 'low' });
    expect(performance.now() - startedMs).toBeLessThan(300 + 500);
    expect(await router.series('weir_router_probes_total{outcome="silent"}')).toBe(1);
  });

  it('one that goes away halfway through is freed at once', async () => {
    const router = await start();
    const client = new RawClient({ port: router.port, deaf: true });
    await expect.poll(() => router.router.pending).toBe(1);
    client.socket.destroy();
    await expect.poll(() => router.router.pending).toBe(0);
    expect(await router.series('weir_router_connects_total{outcome="left"}')).toBe(1);
    expect(await router.series('weir_router_probes_total{outcome="closed"}')).toBe(1);
    await expect.poll(() => router.series('weir_router_open_sockets')).toBe(0);
  });

  it('one that says Close in the middle gets its answer', async () => {
    const router = await start(impatient);
    const client = new RawClient({ port: router.port, deaf: true });
    await expect.poll(() => client.opcodesSeen.length).toBeGreaterThan(0);
    client.send(opcodes.close, Buffer.from([0x03, 0xe8]));
    await client.closed;
    expect([client.closeCode, client.texts]).toEqual([1000, []]);
  });

  it('one whose first frames come with the request is heard (case D7)', async () => {
    const router = await start();
    const early = maskedFrame(opcodes.text, Buffer.from('{"type":"subscribe","channels":["a"]}'));
    const client = await visit(router, { early });
    expect(client.closeCode).toBe(4001);
  });

  it('one that loses the first ping is measured all the same (case D7)', async () => {
    const router = await start();
    const startedMs = performance.now();
    const client = await visit(router, { losePings: 1 });
    expect([client.closeCode, client.redirect['pool']]).toEqual([4001, 'desktop']);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('one that talks too much is closed with 4029', async () => {
    const router = await start({ WEIR_MAX_CLIENT_BYTES: '4096' });
    const client = new RawClient({
      port: router.port,
      deaf: true,
      onFrame: (self, opcode) => {
        if (opcode !== opcodes.ping) return;
        for (let i = 0; i < 10; i++) self.send(opcodes.text, Buffer.alloc(1_000, 'x'));
      },
    });
    await client.closed;
    expect(client.closeCode).toBe(4029);
    expect(await router.series('weir_router_connects_total{outcome="tooManyMessages"}')).toBe(1);
  });

  it.each([
    ['a frame that is not masked', Buffer.from([0x81, 0x01, 0x61]), 1002],
    ['a frame that is too large', Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 1009],
    ['text that is no UTF-8', maskedFrame(opcodes.text, Buffer.from([0xff])), 1007],
  ])('one that breaks the protocol with %s is closed', async (_, bytes, code) => {
    const router = await start(impatient);
    const client = await visit(router, { early: bytes, deaf: true });
    expect([client.closeCode, client.texts]).toEqual([code, []]);
    expect(await router.series('weir_router_connects_total{outcome="protocolError"}')).toBe(1);
    expect(router.router.pending).toBe(0);
  });

  it('one that ignores the redirect stays for the grace and no longer', async () => {
    const router = await start(impatient);
    const startedMs = performance.now();
    const client = new RawClient({ port: router.port, ignoreClose: true });
    await client.said;
    await expect.poll(() => client.ended, { timeout: 3_000 }).toBe(true);
    expect(client.error).toBeUndefined();
    await expect
      .poll(() => router.series('weir_router_endings_total{how="cut"}'), { timeout: 3_000 })
      .toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    client.socket.destroy();
  });
});

describe('the last words', () => {
  it('reach clients that are far away and still talking (case D6)', async () => {
    const router = await start();
    const clients = Array.from({ length: 200 }, () => {
      return new RawClient({
        port: router.port,
        delayMs: 100,
        path: '/v1/connect?channels=lobby&class=mobile',
        // What it says is on its way while redirect and Close are.
        early: Buffer.concat(
          Array.from({ length: 8 }, () => maskedFrame(opcodes.binary, Buffer.alloc(4_000))),
        ),
        onFrame: (self) => {
          for (let i = 0; i < 8; i++) self.send(opcodes.binary, Buffer.alloc(2_000));
        },
      });
    });
    await Promise.all(clients.map((client) => client.closed));
    expect(clients.filter((client) => client.texts.length === 1 && client.closeCode === 4001)).toHaveLength(
      200,
    );
    expect(clients.filter((client) => client.error !== undefined)).toHaveLength(0);
  }, 30_000);

  it('are said to who is there when the router stops', async () => {
    const router = await startRouter();
    const clients = Array.from({ length: 20 }, () => new RawClient({ port: router.port, delayMs: 30 }));
    await expect.poll(() => router.router.pending).toBe(20);
    await router.stop();
    expect(clients.map((client) => client.closeCode)).toEqual(clients.map(() => 4001));
    await expect(fetch(`http://127.0.0.1:${router.port}/`)).rejects.toThrow();
  });
});

describe('the metrics', () => {
  it('have a bounded number of series, whatever clients send (case E8)', async () => {
    const router = await start(withTokens);
    const count = async (): Promise<number> =>
      (await router.registry.metrics()).split('\n').filter((line) => line.startsWith('weir_')).length;
    const odd = async (i: number): Promise<unknown> => {
      const headers = [`Origin: https://o${i}.example`, `User-Agent: a${i}`];
      const path = [
        `/p${i}`,
        `/v1/connect?channels=c${i}&token=${i}.b.c`,
        `/v1/connect?channels=a&class=x${i}`,
      ];
      await visit(router, { path: path[i % 3] ?? '/', headers });
      return visit(router, { path: `/v1/connect?channels=lobby&token=${userToken()}`, headers });
    };
    for (let i = 0; i < 6; i++) await odd(i);
    const before = await count();
    for (let i = 6; i < 40; i++) await odd(i);
    expect(await count()).toBe(before);
  });
});
