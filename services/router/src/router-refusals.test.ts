// What the router refuses, on real sockets: before the upgrade by HTTP, after it by a close.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { RawOptions } from './fakes/raw-client.ts';
import { RawClient } from './fakes/raw-client.ts';
import { impatient, offering, routers, userToken, visit, withTokens } from './fakes/running-router.ts';

const start = routers();

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

  it('a request without an upgrade gets an answer that says what to do', async () => {
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

  it('a client with bad channels that offers weir.v1 is closed with 4501 and a reason', async () => {
    const client = await visit(await start(), { ...offering('weir.v1'), path: '/v1/connect?channels=a..b' });
    expect([client.status, client.closeCode, client.header('sec-websocket-protocol')]).toEqual([
      101,
      4501,
      'weir.v1',
    ]);
    expect(client.closeReason).toMatch(/a channel is/);
  });

  it('the router accepts exactly the configured origins (case G9)', async () => {
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
    const refused = await visit(router, { headers: ['Origin: null'] });
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'ORIGIN_NOT_ALLOWED' } });
    const told = await visit(router, { headers: ['Origin: null', 'Sec-WebSocket-Protocol: weir.v1'] });
    expect([told.status, told.closeCode]).toEqual([101, 4503]);
    expect(await router.series('weir_router_refusals_total{reason="origin"}')).toBe(bad.length + 3);
  });

  it('an address beyond its rate, as a trusted proxy names it, gets 429 with Retry-After', async () => {
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

  it('a client beyond the limit of simultaneous probes gets 503 with Retry-After', async () => {
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

  it('the router closes sockets that send nothing, too much, or no HTTP', async () => {
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
  it('are read from the query or from the subprotocols, in any order and over two lines (case D4)', async () => {
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

  it('decide which channels the ticket contains, and which are denied', async () => {
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

  it('that are refused write nothing to the log, however many (case G5)', async () => {
    const router = await start(withTokens);
    const before = router.logged.length;
    await Promise.all(
      Array.from({ length: 100 }, () => visit(router, { path: '/v1/connect?channels=lobby&token=a.b.c' })),
    );
    expect(router.logged.length).toBe(before);
  });

  it('that are tickets are refused, and so is a ticket in place of a hint', async () => {
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

describe('the metrics', () => {
  it('have a bounded number of series for any input of clients (case E8)', async () => {
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
