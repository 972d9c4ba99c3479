// Joins two sockets, for proxies between a client and a server in tests.
import type { Socket } from 'node:net';

/**
 * Pipes each socket into the other. When one closes, the other is destroyed unless `tells` returns false. `sockets`
 * holds both until they are closed.
 */
export function joinSockets(
  near: Socket,
  far: Socket,
  { sockets, tells = () => true }: { sockets: Set<Socket>; tells?: (closed: Socket) => boolean },
): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    sockets.add(from);
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      if (tells(from)) to.destroy();
    });
    from.pipe(to);
  }
}
