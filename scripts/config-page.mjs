// Makes docs/config.md from the settings tables of the services. Pure except for the import of the built services.
import { isDeepStrictEqual } from 'node:util';

const services = [
  ['router', 'Accepts clients, measures them, and redirects each to a suitable pool and shard.'],
  ['shard', 'Broadcasts NATS messages to the connections of one pool.'],
  ['publisher', 'Receives messages by HTTP and publishes them to NATS; runs the demo feed.'],
  ['control', 'Serves load metrics to autoscalers, rebalances shards, and sets the deletion costs of pods.'],
];

const INTRO = `# Configuration

<!-- Written by \`node scripts/write-docs.mjs\` from services/*/src/config.ts; do not edit by hand. -->

Each service is configured by environment variables, or by a JSON file (\`--config FILE\` or \`WEIR_CONFIG_FILE\`) whose keys are the settings' names in camel case (\`probeDeadlineMs\`); the environment overrides the file. A service starts only with a valid configuration. It reports all problems at once, each with its variable. An unknown \`WEIR_\` variable is a problem too; the report suggests the name that was probably meant. A setting of another service is ignored, so that one environment file can serve all services of a host.

| Flag | |
|---|---|
| \`--help\` | prints the table of settings |
| \`--check-config\` | says whether the configuration is valid, and exits with 0 or 2 |
| \`--print-config\` | prints the resulting configuration, secrets hidden |
| \`--config FILE\` | reads this file |
| \`--version\` | prints the version |

Times are milliseconds, or written with a unit: \`1500\`, \`1500ms\`, \`10s\`, \`5m\`. Sizes are bytes: \`16384\`, \`16KB\`, \`1MB\` (a KB has 1,024 bytes). Lists are separated by commas. Flags are \`true\` or \`false\`. *required* has no default; *not set* marks an optional setting. A default of \`***\` belongs to a secret.
`;

/** The names of all settings, as the module that every service knows them by; not yet formatted. */
export async function variablesModule() {
  const names = new Set();
  for (const [service] of services) {
    const { settings } = await import(`../services/${service}/dist/config.js`);
    for (const { env } of Object.values(settings)) names.add(env);
  }
  return `// Written by \`node scripts/write-docs.mjs\` from services/*/src/config.ts; do not edit by hand.

/** The variables of all services: a service ignores those that only others have. */
export const weirVariables: ReadonlySet<string> = new Set(${JSON.stringify([...names].toSorted())});
`;
}

/** The page as text, not yet formatted. */
export async function configPage() {
  const { commonSettings, settingsMarkdown } = await import('../packages/runtime/dist/index.js');
  const parts = [INTRO, '## Every service\n', settingsMarkdown(commonSettings)];
  for (const [name, summary] of services) {
    const { settings } = await import(`../services/${name}/dist/config.js`);
    const own = Object.entries(settings).filter(
      ([key, setting]) => !isDeepStrictEqual(setting, commonSettings[key]),
    );
    parts.push(
      `## ${name[0].toUpperCase()}${name.slice(1)}\n`,
      `${summary}\n`,
      settingsMarkdown(Object.fromEntries(own)),
    );
  }
  const { cliSettings } = await import('../services/publisher/dist/config.js');
  const names = Object.values(cliSettings).map(({ env }) => `\`${env}\``);
  parts.push('## weir-publish\n', `The command line tool reads ${names.join(', ')} from the environment.\n`);
  // The shard's default name is random at each start.
  return parts.join('\n').replace(/`shard-[0-9a-f]{12}`/, '`shard-` and 12 random hex digits');
}
