import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { SocketHandle } from '../../port/duplicate.ts';
import { duplicateSocket } from '../../port/duplicate.ts';
import { Doorway } from './doorway.ts';

interface House {
  readonly port: number;
  readonly fd: number;
  readonly doorways: readonly Doorway[];
  readonly sockets: Int32Array;
  readonly inside: Socket[][];
  /** How many were cut off. */
  readonly tooMany: { count: number };
}

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

/** Doorways as threads have them, all in this one. */
async function build(threads: number, maxSockets = 1_000): Promise<House> {
  const sockets = new Int32Array(new SharedArrayBuffer(threads * 4));
  const open = new Int32Array(new SharedArrayBuffer(threads * 4));
  const inside: Socket[][] = Array.from({ length: threads }, () => []);
  const tooMany = { count: 0 };
  const doorways = inside.map(
    (own, index) =>
      new Doorway({
        index,
        sockets,
        open,
        maxSockets,
        makeRoom: () => false,
        onAcceptFailed: () => undefined,
        onTooMany: () => {
          tooMany.count++;
        },
        onSocket: (socket) => {
          socket.on('error', () => socket.destroy());
          own.push(socket);
        },
        duplicate: duplicateSocket,
        onFailed: (error) => {
          throw error;
        },
      }),
  );
  const { port, fd } = await first(doorways).open({ host: '127.0.0.1', port: 0 });
  const reserve: SocketHandle = await duplicateSocket(fd);
  cleanUps.push(() => {
    for (const doorway of doorways) doorway.close();
    for (const socket of inside.flat()) socket.destroy();
    reserve.close();
  });
  for (const doorway of doorways) await doorway.join(reserve.fd);
  return { port, fd, doorways, sockets, inside, tooMany };
}

async function visit(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  cleanUps.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Resolves when as many are inside. */
async function inside(house: House, count: number): Promise<void> {
  await expect.poll(() => house.sockets.reduce((sum, own) => sum + own, 0), { timeout: 10_000 }).toBe(count);
}

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('nothing there');
  return item;
}

describe('doorways of several threads', () => {
  it('share clients that connect one by one, though the system always wakes the same thread first', async () => {
    const house = await build(3);
    for (let i = 0; i < 150; i++) {
      await visit(house.port);
      await inside(house, i + 1);
    }
    expect(Math.max(...house.sockets)).toBeLessThanOrEqual(1.25 * Math.min(...house.sockets) + 33);
  });

  it('give new clients to the thread whose clients have left', async () => {
    const house = await build(2);
    for (let i = 0; i < 80; i++) await visit(house.port);
    await inside(house, 80);
    for (const socket of first(house.inside).splice(0)) socket.destroy();
    await expect.poll(() => house.sockets[0]).toBe(0);
    const before = house.sockets[1] ?? 0;
    for (let i = 0; i < 60; i++) await visit(house.port);
    await inside(house, before + 60);
    expect(Math.max(...house.sockets)).toBeLessThanOrEqual(1.25 * Math.min(...house.sockets) + 33);
  });

  it('outlive each other: a closing doorway takes nothing from the others', async () => {
    const house = await build(2);
    first(house.doorways).close();
    for (let i = 0; i < 20; i++) await visit(house.port);
    await inside(house, 20);
    expect(house.sockets[1]).toBe(20);
  });

  it('keep clients waiting, not refused, while no thread accepts', async () => {
    const house = await build(1);
    first(house.doorways).close();
    // The reserve keeps the socket open: the kernel answers.
    await visit(house.port);
    expect(house.sockets[0]).toBe(0);
  });

  it('accept no more clients than the capacity, and more when there is room again', async () => {
    const house = await build(2, 10);
    for (let i = 0; i < 10; i++) await visit(house.port);
    await inside(house, 10);
    const late = await visit(house.port);
    await once(late, 'close');
    expect([house.tooMany.count, house.inside.flat().length]).toEqual([1, 10]);
    await inside(house, 10);
    house.inside.flat()[0]?.destroy();
    await inside(house, 9);
    await visit(house.port);
    await inside(house, 10);
    expect(house.tooMany.count).toBe(1);
  });

  it('count every socket until it is closed', async () => {
    const house = await build(1);
    const client = await visit(house.port);
    await inside(house, 1);
    client.destroy();
    await inside(house, 0);
  });
});

describe('duplicating a socket', () => {
  it('says why it cannot', async () => {
    await expect(duplicateSocket(1_000_000)).rejects.toThrow(/EBADF/);
  });
});
