import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { refuseSocket } from './answer.ts';
import type { ConnectionFault } from './upgrade-server.ts';
import { createUpgradeServer } from './upgrade-server.ts';

interface Running {
  readonly port: number;
  readonly faults: ConnectionFault[];
  readonly upgraded: Duplex[];
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function start(): Promise<Running> {
  const faults: ConnectionFault[] = [];
  const upgraded: Duplex[] = [];
  const server = createUpgradeServer({
    headersTimeoutMs: 200,
    onPlain: (_request, response) => response.writeHead(426, { connection: 'close' }).end(),
    onUpgrade: (_request, duplex) => {
      upgraded.push(duplex);
      refuseSocket(duplex, { status: 503 });
    },
    onFault: (fault) => faults.push(fault),
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, faults, upgraded };
}

/** The answer to a socket that sends this text, until it closes. */
async function say({ port }: Running, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => undefined);
  if (text !== '') socket.write(text);
  await once(socket, 'close');
  return answer;
}

describe('a server for upgrades', () => {
  it.each([
    ['nothing', '', '408', 'timeout'],
    ['half a request', 'GET / HTTP/1.1\r\nHost: a\r\n', '408', 'timeout'],
    ['large headers', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431', 'headersTooLarge'],
    ['no HTTP', 'rubbish\r\n\r\n', '400', 'malformed'],
  ])('answers and tells of %s', async (_what, text, status, fault) => {
    const server = await start();
    expect((await say(server, text)).split(' ')[1]).toBe(status);
    expect(server.faults).toEqual([fault]);
  });

  it('passes on plain requests and upgrades', async () => {
    const server = await start();
    expect(await say(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1\.1 426 /);
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await say(server, upgrade)).toMatch(/^HTTP\/1\.1 503 /);
    expect(server.faults).toEqual([]);
  });

  it('keeps running when a socket breaks after its upgrade', async () => {
    const server = await start();
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    await say(server, upgrade);
    const [duplex] = server.upgraded;
    expect(() => duplex?.emit('error', new Error('broken'))).not.toThrow();
  });

  it('reads little of a client that floods after its refusal, and cuts it', async () => {
    const server = await start();
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write(upgrade);
    const burst = Buffer.alloc(65_536);
    const pump = (): void => {
      while (socket.writable && socket.write(burst));
    };
    socket.on('drain', pump);
    pump();
    await new Promise((resolve) => socket.once('close', resolve));
    const [duplex] = server.upgraded;
    expect(duplex && 'bytesRead' in duplex ? duplex.bytesRead : undefined).toBeLessThan(1_048_576);
  });
});
