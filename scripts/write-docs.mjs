// Writes the generated files: pages of docs/, the names of all settings, the schema of the chart, and alerts and
// dashboards, which the chart has a copy of because Helm packs no file from outside. `node scripts/write-docs.mjs`; with
// `--check` it only compares them, and exits with 1 if a file is out of date.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartSchema, chartSettings } from './chart/schema-page.mjs';
import { configPage, variablesModule } from './config-page.mjs';
import { imagesPage } from './images-page.mjs';
import { metricsPage } from './metrics-page.mjs';
import { chartRules, rulesFile } from './monitoring/alerts.mjs';
import { clusterDashboard } from './monitoring/cluster-dashboard.mjs';
import { shardDashboard } from './monitoring/shard-dashboard.mjs';
import { command, ROOT, setUp } from './set-up.mjs';

const clusterJson = () => JSON.stringify(clusterDashboard());
const shardJson = () => JSON.stringify(shardDashboard());

const PAGES = {
  'docs/config.md': configPage,
  'packages/runtime/src/config/weir-variables.ts': variablesModule,
  'docs/images.md': imagesPage,
  'docs/metrics.md': metricsPage,
  'charts/weir/values.schema.json': chartSchema,
  'charts/weir/files/settings.json': chartSettings,
  'charts/weir/files/alerts.yaml': chartRules,
  'charts/weir/files/cluster.json': clusterJson,
  'charts/weir/files/shard.json': shardJson,
  'deploy/prometheus/rules.yaml': rulesFile,
  'deploy/grafana/cluster.json': clusterJson,
  'deploy/grafana/shard.json': shardJson,
};

await command(async () => {
  await setUp();
  const checking = process.argv.includes('--check');
  for (const [path, page] of Object.entries(PAGES)) {
    const text = formatted(path, await page());
    if (text === readOrNothing(path)) continue;
    if (checking) {
      console.error(`${path} is out of date: run node scripts/write-docs.mjs`);
      process.exitCode = 1;
    } else {
      writeFileSync(join(ROOT, path), text);
      console.log(`wrote ${path}`);
    }
  }
});

/** The text in the format that `npm run check` demands. */
function formatted(path, text) {
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const args = ['format', `--stdin-file-path=${path}`];
  return execFileSync(biome, args, { cwd: ROOT, input: text, encoding: 'utf8' });
}

function readOrNothing(path) {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return '';
  }
}
