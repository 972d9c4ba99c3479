// `npm run bench:shard`: runs the scenarios and prints a table each, or JSON.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { scenarios } from './scenarios.ts';

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string', default: Object.keys(scenarios).join(',') },
    clients: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '20' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new Error(`--${flag} must be a positive whole number`);
  return value;
}

if (values.help) {
  console.log('bench:shard [--scenarios a,b] [--clients 5000] [--seconds 20] [--json FILE]\n');
  for (const [name, { about }] of Object.entries(scenarios)) console.log(`  ${name.padEnd(14)} ${about}`);
} else {
  const scale = {
    clients: positive(values.clients, 'clients'),
    seconds: positive(values.seconds, 'seconds'),
  };
  const results: Record<string, unknown> = { node: process.version, ...scale };
  for (const name of values.scenarios.split(',')) {
    const scenario = scenarios[name];
    if (scenario === undefined)
      throw new Error(`there is no scenario ${name}; there are: ${Object.keys(scenarios).join(', ')}`);
    console.log(`\n${name}: ${scenario.about} (${scale.clients} clients, ${scale.seconds} s)`);
    const rows = await scenario.run(scale);
    console.table(rows);
    results[name] = rows;
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}
