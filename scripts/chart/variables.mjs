// Owns which environment variables each service knows and which of them the chart sets itself. Reads the settings
// tables of what was built.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES } from '../images/names.mjs';
import { ROOT } from '../set-up.mjs';

const TEMPLATES = join(ROOT, 'charts/weir/templates');
/** Which templates set the variables of which service. */
const TEMPLATES_OF = {
  router: ['router.yaml'],
  shard: ['shards.yaml'],
  publisher: ['publisher.yaml'],
  control: ['control.yaml'],
};
const COMMON = '_pod.tpl';
/** Nobody sets these in a pod: ports are what Services and probes name, files are not there. */
const NOT_IN_PODS = [
  'WEIR_PORT',
  'WEIR_ADMIN_PORT',
  'WEIR_KUBECONFIG',
  'WEIR_TLS_CERT_FILE',
  'WEIR_TLS_KEY_FILE',
];

/** Per service, all variables that it knows, with what each takes; services that are not there are left out. */
async function knownVariables() {
  const known = {};
  for (const service of SERVICES) {
    const path = `services/${service}/dist/config.js`;
    if (!existsSync(join(ROOT, path))) continue;
    const { settings } = await import(`../../${path}`);
    known[service] = Object.values(settings).map((setting) => [setting.env, takes(setting)]);
  }
  return known;
}

/** What the parser says of itself, and the default. */
function takes({ parse, default: preset }) {
  return { ...parse.accepts, ...(typeof preset === 'number' ? { default: preset } : {}) };
}

/** Per service, the variables that the chart's templates name. */
function variablesOfChart() {
  const named = (file) => [
    ...new Set(readFileSync(join(TEMPLATES, file), 'utf8').match(/\bWEIR_[A-Z0-9_]+/g)),
  ];
  const there = new Set(readdirSync(TEMPLATES));
  return Object.fromEntries(
    Object.entries(TEMPLATES_OF).map(([service, files]) => [
      service,
      [COMMON, ...files].filter((file) => there.has(file)).flatMap(named),
    ]),
  );
}

/** What a user may set by name, with what it takes: what the service knows and the chart does not set. */
export async function furtherVariables() {
  const known = await knownVariables();
  const set = variablesOfChart();
  return Object.fromEntries(
    Object.entries(known).map(([service, names]) => [
      service,
      Object.fromEntries(
        names
          .filter(([name]) => !set[service].includes(name) && !NOT_IN_PODS.includes(name))
          .toSorted(([a], [b]) => a.localeCompare(b, 'en')),
      ),
    ]),
  );
}
