// Every way in which a client's connection can end, on real sockets: one cause, one end, and the numbers add up.
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Numbers } from '../../harness/numbers.ts';
import { expectOneCause } from '../../harness/one-cause.ts';
import { clientFrame, opcodes, RawClient, usualHeaders } from '../../harness/raw-client.ts';
import { useScene } from '../../harness/scene.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { until } from '../../harness/small-cluster.ts';
import { obedient, orderThread } from '../../harness/thread-orders.ts';

/** An action of a client, and its name in the metrics of shard and router. */
interface Way {
  readonly how: string;
  readonly act: (client: RawClient) => void;
  readonly code?: number;
  readonly shard: string;
  readonly router: string;
}

const flood = (client: RawClient, frame: Buffer): void => {
  client.socket.write(Buffer.concat(Array.from({ length: 5_000 }, () => frame)));
};
const WAYS: readonly Way[] = [
  {
    how: 'says Close',
    act: (client) => client.send(opcodes.close, Buffer.from([3, 232])),
    code: 1000,
    shard: 'left',
    router: 'left',
  },
  { how: 'ends its side', act: (client) => client.socket.end(), shard: 'lost', router: 'left' },
  { how: 'resets', act: (client) => client.socket.resetAndDestroy(), shard: 'lost', router: 'left' },
  {
    how: 'sends a frame without a mask',
    act: (client) => client.socket.write(Buffer.from([0x81, 1, 0x61])),
    code: 1002,
    shard: 'protocolError',
    router: 'protocolError',
  },
  {
    how: 'sends text that is no UTF-8',
    act: (client) => client.send(opcodes.text, Buffer.from([0xff])),
    code: 1007,
    shard: 'badData',
    router: 'protocolError',
  },
  {
    how: 'claims a frame of 2^40 bytes',
    act: (client) => client.socket.write(Buffer.from([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    code: 1009,
    shard: 'tooLarge',
    router: 'protocolError',
  },
  {
    how: 'floods with pings',
    act: (client) => flood(client, clientFrame(opcodes.ping)),
    code: 4029,
    shard: 'tooManyMessages',
    router: 'tooManyMessages',
  },
  {
    how: 'floods with pongs',
    act: (client) => flood(client, clientFrame(opcodes.pong)),
    code: 4029,
    shard: 'tooManyMessages',
    router: 'tooManyMessages',
  },
  {
    how: 'floods with empty fragments',
    act: (client) => {
      client.send(opcodes.text, '{', false);
      flood(client, clientFrame(opcodes.continuation, '', false));
    },
    code: 4029,
    shard: 'tooManyMessages',
    router: 'tooManyMessages',
  },
];

const scene = useScene({
  shard: { WEIR_TICK_MS: '50', WEIR_COMPRESSION: 'true', WEIR_THREADS: '1', ...obedient },
});

/** The series of a name that rise while `act` runs. */
async function risen(service: Service, name: string, act: () => Promise<void>): Promise<readonly string[]> {
  const before = await Numbers.of(service);
  await act();
  await expectOneCause([service]);
  const after = await Numbers.of(service);
  return after.series
    .filter((series) => series.startsWith(`${name}{`))
    .flatMap((series) => {
      const by = after.of(series) - before.of(series);
      return by === 0 ? [] : [`${/"(.*)"/.exec(series)?.[1]} ${by}`];
    });
}

describe('a connection of a shard', () => {
  it.each(WAYS)('of a client that $how is counted once', async ({ act, code, shard }) => {
    const causes = await risen(scene.shard, 'weir_shard_closes_total', async () => {
      const client = await scene.raw();
      act(client);
      await until(() => client.gone || client.closeCode !== undefined, 'it is told');
      expect(client.closeCode).toBe(code);
      client.socket.destroy();
      await until(async () => (await scene.numbers()).of('weir_shard_connections') === 0, 'it is gone');
    });
    expect(causes).toEqual([`${shard} 1`]);
  });

  it('whose data does not inflate is counted once', async () => {
    const causes = await risen(scene.shard, 'weir_shard_closes_total', async () => {
      const headers = ['Sec-WebSocket-Extensions: permessage-deflate'];
      const client = await scene.raw({ headers: [...usualHeaders, ...headers] });
      const bad = clientFrame(opcodes.text, Buffer.concat([Buffer.alloc(9, 0xff), deflateRawSync('{}')]));
      bad[0] = (bad[0] ?? 0) | 0x40;
      client.socket.write(bad);
      await until(() => client.closeCode !== undefined, 'it is told');
      expect(client.closeCode).toBe(1007);
      client.socket.destroy();
      await until(async () => (await scene.numbers()).of('weir_shard_connections') === 0, 'it is gone');
    });
    expect(causes).toEqual(['badData 1']);
  });
});

describe('a client of the router', () => {
  it.each(WAYS)('that $how is counted once', async ({ act, code, router }) => {
    const service = scene.cluster.router;
    const outcomes = await risen(service, 'weir_router_connects_total', async () => {
      // The client answers no ping, so the router is still measuring it at its end.
      const client = new RawClient(`${service.url}/v1/connect?channels=lobby`, { answers: () => false });
      await until(() => client.pings > 0, 'it is measured');
      act(client);
      await until(() => client.gone || client.closeCode !== undefined, 'it is told');
      expect(client.closeCode).toBe(code);
      client.socket.destroy();
      await until(
        async () => (await Numbers.of(service)).of('weir_router_closing_clients') === 0,
        'it is gone',
      );
    });
    expect(outcomes).toEqual([`${router} 1`]);
  });
});

describe('a thread that dies', () => {
  it('ends its connections, each counted once', async () => {
    const causes = await risen(scene.shard, 'weir_shard_closes_total', async () => {
      await scene.raw();
      await scene.raw();
      orderThread(scene.shard, { thread: 0, order: 'die' });
      await until(
        async () => (await scene.numbers()).of('weir_shard_thread_deaths_total') === 1,
        'it is noticed',
      );
    });
    expect(causes).toEqual(['threadDied 2']);
  });
});
