import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { refuseSocket } from './answer.ts';

const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

function write(socket: Socket, bytes: number): Promise<Error | null | undefined> {
  return new Promise((resolve) => socket.write(Buffer.alloc(bytes), resolve));
}

it('does not reset a client that keeps sending after its refusal', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (_request, duplex) =>
    refuseSocket(duplex, { status: 503, headers: { 'Retry-After': '1' }, body: 'full' }),
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  socket.write(UPGRADE);
  await once(socket, 'end');
  // Each write would meet the reset caused by the previous one.
  for (let i = 0; i < 3; i++) await write(socket, 1_024);
  socket.end();
  await once(socket, 'close');
  server.close();
  expect(errors).toEqual([]);
  expect(text).toMatch(
    /^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull$/,
  );
});
