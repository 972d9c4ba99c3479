// Random sequences of actions of clients, publishers and the cluster, checked by the oracles. The seed decides the
// sequence; `npm run test:random` runs as many as fit into the given time.
import { expect, it } from 'vitest';
import { drive, driverOptions } from './driver.ts';

const options = driverOptions(process.env['WEIR_TEST_RANDOM'] ?? '{}');
/** The last sequence begins before the time is over; shortening one takes further runs. */
const LONGEST_RUN_MS = 240_000;

it(
  `whatever happens, clients end with the content of the streams, and nothing goes back (seed ${options.seed})`,
  async () => {
    await expect(drive(options)).resolves.toBeUndefined();
  },
  options.forMs + (1 + options.tries) * LONGEST_RUN_MS,
);
