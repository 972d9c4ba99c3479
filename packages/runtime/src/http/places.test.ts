import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listenOn } from './listen.ts';
import { Places } from './places.ts';

const MAX = 4;
const HALF = 'GET / HTTP/1.1\r\nHost: x\r\n';
const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

const where = {
  host: '127.0.0.1',
  what: 'it',
  settings: { host: 'A_HOST', port: 'A_PORT' },
  onFault: () => undefined,
};

interface Bench {
  readonly places: Places;
  readonly port: number;
  readonly cuts: () => number;
  /** Requests under way. */
  readonly asked: () => number;
  readonly answer: (requests?: number) => void;
  dial(text: string): Promise<Socket>;
}

async function setUp(): Promise<Bench> {
  let cuts = 0;
  const answers: (() => void)[] = [];
  const server = createServer((_request, response) => answers.push(() => response.end('ok')));
  servers.push(server);
  const places = new Places(server, { max: MAX, onCut: () => cuts++ });
  const { port }: AddressInfo = await listenOn(server, { ...where, port: 0 });
  return {
    places,
    port,
    cuts: () => cuts,
    asked: () => answers.length,
    answer: (requests = answers.length) => {
      for (const answer of answers.splice(0, requests)) answer();
    },
    async dial(text) {
      const before = places.open + cuts;
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      socket.write(text);
      await expect.poll(() => places.open + cuts).toBeGreaterThan(before);
      return socket;
    },
  };
}

describe('the places of a server', () => {
  it('if half requests have all of them, the newest connection replaces the oldest', async () => {
    const { places, cuts, dial, asked, answer } = await setUp();
    const halves: Socket[] = [];
    for (let i = 0; i < MAX; i++) halves.push(await dial(HALF));
    const whole = await dial(`${HALF}\r\n`);
    await expect.poll(() => halves.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false]);
    expect([cuts(), places.open]).toEqual([1, MAX]);
    let text = '';
    whole.on('data', (chunk) => {
      text += String(chunk);
    });
    await expect.poll(asked).toBe(1);
    answer();
    await expect.poll(() => text).toContain('200 OK');
  });

  it('if running requests have all of them, the newest connection is closed', async () => {
    const { cuts, dial, asked, answer } = await setUp();
    const busy: Socket[] = [];
    for (let i = 0; i < MAX; i++) busy.push(await dial(`${HALF}\r\n`));
    await expect.poll(asked).toBe(MAX);
    const late = await dial(HALF);
    await expect.poll(() => late.destroyed).toBe(true);
    expect([cuts(), busy.some(({ destroyed }) => destroyed)]).toEqual([1, false]);
    answer();
  });
});

describe('a client that does not wait for an answer before its next request', () => {
  it('keeps its place while one of its requests is under way', async () => {
    const { cuts, dial, asked, answer } = await setUp();
    const busy = await dial(`${HALF}\r\n${HALF}\r\n`);
    await expect.poll(asked).toBe(2);
    let text = '';
    busy.on('data', (chunk) => {
      text += String(chunk);
    });
    answer(1);
    await expect.poll(() => text).toContain('200 OK');
    const halves: Socket[] = [];
    for (let i = 0; i < MAX; i++) halves.push(await dial(HALF));
    await expect.poll(() => halves[0]?.destroyed).toBe(true);
    expect([cuts(), busy.destroyed]).toEqual([1, false]);
    answer();
    await expect.poll(() => text.split('200 OK').length).toBe(3);
  });
});

describe('a port that cannot be opened', () => {
  it('is reported with the names of its settings', async () => {
    const { port } = await setUp();
    const server = createServer();
    await expect(listenOn(server, { ...where, port })).rejects.toThrow(
      `it cannot listen on 127.0.0.1 port ${port}: set A_PORT to a free port`,
    );
    await expect(listenOn(server, { ...where, host: '192.0.2.1', port })).rejects.toThrow(
      'set A_HOST to an address of this machine',
    );
  });
});
