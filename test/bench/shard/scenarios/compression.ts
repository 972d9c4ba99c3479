// Bytes and CPU of the demo lobby in the mobile pool, plain and compressed: two shards with one feed at the same time,
// and the ratios between them.
import type { Measured } from '../measure.ts';
import { measure, withServers } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { goal, median, round, sleep } from '../scenario.ts';
import { startLobby, startLobbyShard } from '../servers.ts';

const WARM_UP_MS = 5_000;

export const compression: Scenario = {
  about: 'the demo lobby in the mobile pool, plain and compressed',
  full: { clients: 2_000, seconds: 20, rounds: 5 },
  quick: { clients: 100, seconds: 3, rounds: 1 },
  run: async ({ clients, seconds, rounds, say }) => {
    const lobby = await startLobby();
    return withServers(
      [() => startLobbyShard(lobby, false), () => startLobbyShard(lobby, true)],
      async ({ server, load }) => {
        say(`connecting ${clients} clients to ${server.name}`);
        await load.open(server, { clients, perClient: 1, samples: 0 });
      },
      async (benches) => {
        await sleep(WARM_UP_MS);
        const windows: Measured[][] = benches.map(() => []);
        for (let r = 0; r < rounds; r++) {
          const measured = await Promise.all(
            benches.map(({ server, load }) => measure(server, load, seconds)),
          );
          for (const [i, one] of measured.entries()) windows[i]?.push(one);
          say(`round ${r + 1} of ${rounds}`);
        }
        const [plain = [], compressed = []] = windows;
        const ratio = (read: (one: Measured) => number): number =>
          median(compressed.map((one, i) => read(one) / read(plain[i] ?? one)));
        const perClient = (one: Measured): number => one.report.bytes / one.seconds / one.report.open;
        const rows = windows.map((all, i) => ({
          messages: i === 0 ? 'plain' : 'compressed',
          open: median(all.map(({ report }) => report.open)),
          'KB/client/s': round(median(all.map(perClient)) / 1024),
          'cpu %': round(median(all.map((one) => (one.cpuSeconds / one.seconds) * 100)), 1),
          'bytes, × plain': i === 0 ? 1 : round(ratio(perClient), 3),
          'cpu, × plain': i === 0 ? 1 : round(ratio((one) => one.cpuSeconds)),
        }));
        return {
          rows,
          goals: [
            goal('bytes plain, against compressed', 1 / ratio(perClient), 'at least', 4),
            goal(
              'CPU compressed, against plain',
              ratio((one) => one.cpuSeconds),
              'at most',
              1.2,
            ),
          ],
        };
      },
    ).finally(() => lobby.stop());
  },
};
