// A free port, for a program that must know its port before it listens.
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections and to servers that ask for any port (from 32768 on Linux,
 * 49152 elsewhere): such a socket of another test cannot take the port before the program listens.
 */
const FIRST = 12_000;
const LAST = 31_999;
const given = new Set<number>();

/** A port that is free on `host`, and that this process has given to no other caller; `::` means all addresses. */
export async function freePort(host = '127.0.0.1'): Promise<string> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (given.has(port) || !(await isFree(port, host))) continue;
    given.add(port);
    return String(port);
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
