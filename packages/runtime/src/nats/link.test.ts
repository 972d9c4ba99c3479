import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import type { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { FakeConnection } from '../fakes/fake-connection.ts';
import { createLogger } from '../logging/logger.ts';
import { createMetricsRegistry } from '../metrics/registry.ts';
import type { NatsLink } from './link.ts';
import { openNats } from './link.ts';

/** A link on a library that connects on command. */
function open(failures: readonly Error[] = [], registry?: Registry) {
  const connection = new FakeConnection();
  const attempts: NodeConnectionOptions[] = [];
  const lines: string[] = [];
  const heard: string[] = [];
  const clock = { wall: 1_000_000, monotonic: 0 };
  const left = [...failures];
  const link: NatsLink = openNats(
    {
      servers: ['nats://user:hunter2@a', 'nats://b:1'],
      name: 'test',
      logger: createLogger({ service: 't', level: 'info', sink: { write: (line) => lines.push(line) } }),
      ...(registry === undefined ? {} : { registry }),
    },
    {
      connect: (options): Promise<NatsConnection> => {
        attempts.push(options);
        const failure = left.shift();
        return failure === undefined ? Promise.resolve(connection.asConnection()) : Promise.reject(failure);
      },
      clock: { monotonicMs: () => clock.monotonic, wallMs: () => clock.wall },
      random: () => 0,
    },
  );
  link.onStatus((status) => heard.push(status));
  return { link, connection, attempts, lines, heard, clock };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const away = { type: 'disconnect', server: 'a:4222' } as const;
const back = { type: 'reconnect', server: 'a:4222' } as const;

describe('openNats', () => {
  it('makes the library retry without end, and use only the configured addresses', async () => {
    const { link, attempts } = open();
    await link.ready();
    expect(attempts[0]).toMatchObject({
      servers: ['a:4222', 'b:1'],
      reconnect: true,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      ignoreClusterUpdates: true,
      name: 'test',
    });
  });

  it('retries until it is connected, and logs little of it and no secret', async () => {
    const { link, connection, heard, lines, attempts } = open([
      new Error('connection refused'),
      new Error('again'),
    ]);
    expect([link.connected, link.connection, link.publish('a', 'x')]).toEqual([
      false,
      undefined,
      'disconnected',
    ]);
    expect(await link.ready()).toBe(connection);
    expect([link.connected, attempts.length, heard]).toEqual([true, 3, ['connected']]);
    expect(lines.filter((line) => line.includes('not reachable yet'))).toHaveLength(1);
    expect(lines.join('')).not.toContain('hunter2');
  });

  it('reports each loss and each return once, however often the library does, and counts returns', async () => {
    const registry = createMetricsRegistry({ service: 't', version: '0' });
    const { link, connection, heard } = open([], registry);
    await link.ready();
    connection.push(away);
    connection.push(away);
    await settled();
    expect([link.connected, link.publish('a', 'x')]).toEqual([false, 'disconnected']);
    expect(await registry.metrics()).toContain('weir_nats_connected 0');
    connection.push(back);
    connection.push(back);
    await settled();
    expect([link.connected, link.publish('a', 'x')]).toEqual([true, 'sent']);
    expect(heard).toEqual(['connected', 'disconnected', 'reconnected']);
    expect(await registry.metrics()).toMatch(/weir_nats_connected 1\n[\s\S]*weir_nats_reconnects_total 1\n/);
  });

  it('retries at once after the wall clock was set back (case C8)', async () => {
    const { link, connection, attempts, clock } = open();
    await link.ready();
    const pace = attempts[0]?.reconnectDelayHandler;
    expect(pace?.()).toBe(250);
    expect(connection.pools).toEqual([]);
    clock.wall -= 3_600_000;
    pace?.();
    expect(connection.pools.at(-1)).toEqual(['a:4222', 'b:1']);
    expect(connection.pools).toHaveLength(2);
  });

  it('drains when it closes, and rejects pending waits', async () => {
    const { link, connection } = open();
    await link.ready();
    const [first, second] = [link.close(), link.close()];
    expect(first).toBe(second);
    await first;
    expect([connection.drains, connection.isClosed(), link.publish('a', 'x')]).toEqual([
      1,
      true,
      'disconnected',
    ]);
  });

  it('closes at once while it is not connected', async () => {
    const { link } = open(Array.from({ length: 100 }, () => new Error('connection refused')));
    const waiting = link.ready().catch((error: unknown) => error);
    await settled();
    await link.close();
    expect(await waiting).toMatchObject({ code: 'NATS_CLOSED' });
  });

  it('closes without draining while the server is away', async () => {
    const { link, connection } = open();
    await link.ready();
    connection.push(away);
    await settled();
    await link.close();
    expect([connection.drains, connection.isClosed()]).toEqual([0, true]);
  });

  it('refuses unusable servers', () => {
    const logger = createLogger({ service: 't', level: 'silent' });
    expect(() => openNats({ servers: [], name: 'x', logger })).toThrow('no NATS server');
  });
});
