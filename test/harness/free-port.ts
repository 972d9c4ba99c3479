// A free port, for a service that must know its public address before it starts.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** A port that is free on `host` at this moment; `::` means all addresses. */
export async function freePort(host = '127.0.0.1'): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}
