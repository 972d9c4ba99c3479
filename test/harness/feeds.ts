// What the pages of examples/ show, and how a test publishes it.
import type { Feed } from './live-page.ts';

export const LOBBY: Feed = {
  channel: 'lobby',
  key: 'slot-1',
  value: (n) => ({ name: 'Reef 1', active: true, jackpot: 100, players: n }),
  shown: (n) => `Reef 1${n}`,
  critical: (n) => ({ hit: n, jackpot: 'Mini', slot: 'slot-1', amount: n, player: 'Mia B.' }),
  line: /: €(\d+)$/,
};

export const ODDS: Feed = {
  channel: 'odds',
  key: 'match-1',
  value: (n) => ({ home: 1.5, draw: 3, away: 5, score: `${n}-0` }),
  shown: (n) => `${n}-0`,
  critical: (n) => ({ match: 'match-1', goal: 'home', score: `${n}-0` }),
  line: /: (\d+)-0$/,
};
