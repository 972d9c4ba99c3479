// Random sequences of what clients, publishers and the cluster do, held against the oracles. The seed decides the
// sequence; `npm run test:random` runs it as long as it is asked to.
import { expect, it } from 'vitest';
import { drive, driverOptions } from './driver.ts';

const options = driverOptions(process.env['WEIR_TEST_RANDOM'] ?? '{}');
/** The last sequence begins before the time is over; making one shorter costs runs of their own. */
const LONGEST_RUN_MS = 240_000;

it(
  `whatever happens, clients end with what the streams hold, and nothing goes back (seed ${options.seed})`,
  async () => {
    await expect(drive(options)).resolves.toBeUndefined();
  },
  options.forMs + (1 + options.tries) * LONGEST_RUN_MS,
);
