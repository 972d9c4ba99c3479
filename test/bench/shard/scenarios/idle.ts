// Memory of connections without messages.
import { withServers } from '../measure.ts';
import { residentBytes } from '../process-usage.ts';
import type { Scenario } from '../scenario.ts';
import { goal, round, sleep } from '../scenario.ts';
import { startWeir } from '../servers.ts';

export const idle: Scenario = {
  about: 'memory of connections that get nothing',
  full: { clients: 10_000, seconds: 60, rounds: 1 },
  quick: { clients: 500, seconds: 5, rounds: 1 },
  run: async ({ clients, seconds, say }) => {
    let before = 0;
    return withServers(
      [() => startWeir({ tickMs: 1_000, messagesPerTick: 0, bytes: 0, channels: 1 })],
      async ({ server, load }) => {
        // After the first garbage collections of a fresh process.
        await sleep(5_000);
        before = residentBytes(server.pid);
        say(`connecting ${clients} clients`);
        await load.open(server, { clients, perClient: 1, samples: 0 });
      },
      async ([bench]) => {
        if (bench === undefined) throw new Error('no server');
        const { server, load } = bench;
        await sleep(seconds * 1000);
        const { open } = await load.counts();
        const after = residentBytes(server.pid);
        const perConnection = (after - before) / open / 1024;
        const rows = [
          {
            server: 'weir',
            open,
            'RSS before MB': round(before / 1e6, 0),
            'RSS MB': round(after / 1e6, 0),
            'KB/connection': round(perConnection),
          },
        ];
        return { rows, goals: [goal('KB of resident memory a connection', perConnection, 'at most', 10)] };
      },
    );
  },
};
