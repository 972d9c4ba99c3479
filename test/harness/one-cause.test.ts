import { describe, expect, it } from 'vitest';
import { broken, formulasOf } from './one-cause.ts';

const PAGE = `| \`weir_a_total\` | = | \`weir_b\` |
## Invariants

- In words: \`weir_opened_total{outcome="admitted"}\` = \`weir_open\` + \`weir_ended_total\`, and \`weir_pongs_total\` ≤ \`weir_pings_total\`
- Each of \`weir_open\` is one
`;
const formulas = formulasOf(PAGE);

const metrics = (ended: number, pongs = 4): string => `# HELP weir_open Open
weir_opened_total{outcome="admitted"} 5
weir_opened_total{outcome="refused"} 7
weir_open 2
weir_open_sockets 90
weir_ended_total{cause="left"} ${ended}
weir_ended_total{cause="lag"} 1
weir_pongs_total ${pongs}
weir_pings_total 4
`;

describe('formulasOf', () => {
  it('reads the formulas below the heading, several in a line, and ignores sentences', () => {
    expect(formulas.map(({ left, relation, right }) => [...left, relation, ...right])).toEqual([
      ['weir_opened_total{outcome="admitted"}', '=', 'weir_open', 'weir_ended_total'],
      ['weir_pongs_total', '≤', 'weir_pings_total'],
    ]);
  });
});

describe('broken', () => {
  it('adds up the values of all labels, or only the named ones', () => {
    expect(broken(formulas, metrics(2))).toEqual([]);
  });

  it('finds an end without a cause, an end with two causes, and a count above its limit', () => {
    expect(broken(formulas, metrics(1))).toEqual([expect.stringMatching(/5 and 4$/)]);
    expect(broken(formulas, metrics(3))).toEqual([expect.stringMatching(/5 and 6$/)]);
    expect(broken(formulas, metrics(2, 5))).toEqual([expect.stringMatching(/5 and 4$/)]);
  });

  it('finds a series that the service does not export', () => {
    expect(broken(formulas, metrics(2).replaceAll('weir_ended_total', 'weir_ends_total'))).toEqual([
      expect.stringMatching(/a series is not there$/),
    ]);
  });

  it('skips the formulas of other services', () => {
    expect(broken(formulas, 'weir_open 3\n')).toEqual([]);
  });
});
