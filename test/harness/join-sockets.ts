// Joins the two ends of a TCP path, for what stands between a client and a server in tests.
import type { Socket } from 'node:net';

/**
 * Each socket gets what the other one receives, and is destroyed with it unless `tells` denies it. `sockets` holds both
 * until they are closed.
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
