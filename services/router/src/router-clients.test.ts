// Clients that behave badly or are far away, on real sockets.
import { describe, expect, it } from 'vitest';
import { clientFrame, opcodes, RawClient } from './fakes/raw-client.ts';
import { impatient, routers, startRouter, visit } from './fakes/running-router.ts';

const start = routers();

describe('a badly behaved client', () => {
  it('that answers no ping is redirected to the slowest pool by the deadline', async () => {
    const router = await start(impatient);
    const client = await visit(router, { deaf: true });
    expect(client.redirect).toMatchObject({ pool: 'mobile', confidence: 'low' });
    expect(await router.series('weir_router_probes_total{outcome="silent"}')).toBe(1);
  });

  it('that disconnects during the probe frees its place at once', async () => {
    const router = await start();
    const client = new RawClient({ port: router.port, deaf: true });
    await expect.poll(() => router.router.pending).toBe(1);
    client.socket.destroy();
    await expect.poll(() => router.router.pending).toBe(0);
    expect(await router.series('weir_router_connects_total{outcome="left"}')).toBe(1);
    expect(await router.series('weir_router_probes_total{outcome="closed"}')).toBe(1);
    await expect.poll(() => router.series('weir_router_open_sockets')).toBe(0);
  });

  it('that sends Close during the probe gets a Close back', async () => {
    const router = await start(impatient);
    const client = new RawClient({ port: router.port, deaf: true });
    await expect.poll(() => client.opcodesSeen.length).toBeGreaterThan(0);
    client.send(opcodes.close, Buffer.from([0x03, 0xe8]));
    await client.closed;
    expect([client.closeCode, client.texts]).toEqual([1000, []]);
  });

  it('may send its first frames with the request (case D7)', async () => {
    const router = await start();
    const early = clientFrame(opcodes.text, Buffer.from('{"type":"subscribe","channels":["a"]}'));
    const client = await visit(router, { early });
    expect(client.closeCode).toBe(4001);
  });

  it('that loses the first ping is measured by the next one (case D7)', async () => {
    const router = await start();
    const client = await visit(router, { losePings: 1 });
    expect([client.closeCode, client.redirect['pool']]).toEqual([4001, 'desktop']);
  });

  it('that floods uses up the connects of its network', async () => {
    const router = await start({
      WEIR_MAX_CLIENT_FRAMES: '32',
      WEIR_CONNECT_BURST_PER_ADDRESS: '10',
      WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: '0.01',
      WEIR_FLOOD_CONNECTS: '8',
    });
    const client = new RawClient({
      port: router.port,
      deaf: true,
      onFrame: (self, opcode) => {
        if (opcode !== opcodes.ping) return;
        for (let i = 0; i < 40; i++) self.send(opcodes.ping);
      },
    });
    await client.closed;
    expect(client.closeCode).toBe(4029);
    expect([(await visit(router)).closeCode, (await visit(router)).closeCode]).toEqual([4001, 4001]);
    const refused = new RawClient({ port: router.port });
    await refused.closed;
    expect(await router.series('weir_router_refusals_total{reason="rate"}')).toBe(1);
  });

  it('that sends byte by byte is closed with 4029', async () => {
    const router = await start({ WEIR_MAX_CLIENT_FRAMES: '32', WEIR_PROBE_DEADLINE_MS: '10000' });
    const client = new RawClient({ port: router.port, deaf: true });
    await expect.poll(() => client.opcodesSeen.length).toBeGreaterThan(0);
    client.socket.setNoDelay(true);
    const bytes = clientFrame(opcodes.text, Buffer.alloc(1_000, 'x'));
    let at = 0;
    const timer = setInterval(() => {
      client.socket.write(bytes.subarray(at % bytes.length, (at % bytes.length) + 1));
      at++;
    }, 1);
    await client.closed;
    clearInterval(timer);
    expect(client.closeCode).toBe(4029);
  });

  it('that sends too many bytes is closed with 4029', async () => {
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
    ['text that is no UTF-8', clientFrame(opcodes.text, Buffer.from([0xff])), 1007],
  ])('that breaks the protocol with %s is closed', async (_, bytes, code) => {
    const router = await start(impatient);
    const client = await visit(router, { early: bytes, deaf: true });
    expect([client.closeCode, client.texts]).toEqual([code, []]);
    expect(await router.series('weir_router_connects_total{outcome="protocolError"}')).toBe(1);
    expect(router.router.pending).toBe(0);
  });

  it('that ignores the redirect is cut at the end of the grace period', async () => {
    const router = await start(impatient);
    const client = new RawClient({ port: router.port, ignoreClose: true });
    await client.said;
    await expect.poll(() => client.ended, { timeout: 3_000 }).toBe(true);
    expect(client.error).toBeUndefined();
    await expect
      .poll(() => router.series('weir_router_endings_total{how="cut"}'), { timeout: 3_000 })
      .toBe(1);
    client.socket.destroy();
  });
});

describe('a Close', () => {
  it('reaches a distant client that is still sending (case D6)', async () => {
    const router = await start();
    const clients = Array.from({ length: 200 }, () => {
      return new RawClient({
        port: router.port,
        delayMs: 100,
        path: '/v1/connect?channels=lobby&class=mobile',
        // What it says is on its way while redirect and Close are.
        early: Buffer.concat(
          Array.from({ length: 8 }, () => clientFrame(opcodes.binary, Buffer.alloc(4_000))),
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

  it('reaches every open client when the router stops', async () => {
    const router = await startRouter();
    const clients = Array.from({ length: 20 }, () => new RawClient({ port: router.port, delayMs: 30 }));
    await expect.poll(() => router.router.pending).toBe(20);
    await router.stop();
    expect(clients.map((client) => client.closeCode)).toEqual(clients.map(() => 4001));
    await expect(fetch(`http://127.0.0.1:${router.port}/`)).rejects.toThrow();
  });

  it('delays a stop by a limited time; the router cuts and counts the remaining clients', async () => {
    const router = await startRouter(impatient);
    const client = new RawClient({ port: router.port, deaf: true, ignoreClose: true });
    await expect.poll(() => router.router.pending).toBe(1);
    await router.stop();
    await expect.poll(() => router.series('weir_router_closing_clients')).toBe(0);
    const sums = [
      await router.series('weir_router_upgrades_total'),
      await router.series('weir_router_connects_total{outcome="redirected"}'),
      await router.series('weir_router_endings_total{how="cut"}'),
    ];
    expect(sums).toEqual([1, 1, 1]);
    client.socket.destroy();
  });
});
