// Chooses the port of each part of `npm start`: its usual one, or the next free one of its row. A check is not a
// reservation: another program may take the port before the part does.
import { createServer } from 'node:net';

/** Distance from the page's port. */
const PLACES = { page: 0, router: 1, publisher: 2, nats: 3, console: 4 } as const;

export type Ports = Readonly<Record<keyof typeof PLACES, number>>;

export const USUAL_PAGE_PORT = 7700;
/** The step in a row: the last digit of a port tells the part, even if its usual port is used. */
const STEP = 10;
const TRIES = 10;
const MAX_PORT = 65_535;

/** The usual ports for a page at `page`; 0 = each part takes a free one. */
export function portsFrom(page: number): Ports {
  const at = (place: number): number => (page === 0 || page + place > MAX_PORT ? 0 : page + place);
  return {
    page,
    router: at(PLACES.router),
    publisher: at(PLACES.publisher),
    nats: at(PLACES.nats),
    console: at(PLACES.console),
  };
}

/** `usual`, or the next free port of its row; 0 (any free one) if `usual` is 0 or the row is used up. */
export async function choosePort(
  usual: number,
  isFree: (port: number) => Promise<boolean> = isFreePort,
): Promise<number> {
  if (usual === 0) return 0;
  for (let n = 0; n < TRIES; n += 1) {
    const port = usual + n * STEP;
    if (port <= MAX_PORT && (await isFree(port))) return port;
  }
  return 0;
}

/** Whether a program could listen on this port of 127.0.0.1 now. */
export function isFreePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/**
 * Starts a part on the port of `choosePort`, and on the next one if another program took that port after the look.
 * `wasTaken` says whether a start failed for that reason.
 */
export async function onChosenPort<T>(
  usual: number,
  start: (port: number) => Promise<T>,
  wasTaken: (error: unknown, port: number) => boolean | Promise<boolean>,
): Promise<T> {
  for (;;) {
    const port = await choosePort(usual);
    try {
      return await start(port);
    } catch (error) {
      if (port === 0 || !(await wasTaken(error, port))) throw error;
    }
  }
}

/** A line that a part does not have its usual port; undefined if it has. */
export function takenText(usual: number, port: number): string | undefined {
  if (usual === 0 || usual === port) return undefined;
  return `port ${usual} is taken by another program: listening on ${port} instead`;
}
