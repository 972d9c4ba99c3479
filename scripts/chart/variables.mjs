// Lists the environment variables that each service knows, and those that the chart sets itself. Reads the settings
// tables of the built services.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES } from '../images/names.mjs';
import { ROOT } from '../set-up.mjs';

const TEMPLATES = join(ROOT, 'charts/weir/templates');
/** The templates that set the variables of each service. */
const TEMPLATES_OF = {
  router: ['router.yaml'],
  shard: ['shards.yaml'],
  publisher: ['publisher.yaml'],
  control: ['control.yaml'],
};
const COMMON = '_pod.tpl';
/** Not settable in a pod: Services and probes name the ports, and pods have no such files. */
const NOT_IN_PODS = [
  'WEIR_PORT',
  'WEIR_ADMIN_PORT',
  'WEIR_CONSOLE_PORT',
  'WEIR_KUBECONFIG',
  'WEIR_TLS_CERT_FILE',
  'WEIR_TLS_KEY_FILE',
];

/** Per service, all variables that it knows, with the values that each accepts; services that are not built are left out. */
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

/** The parser's description of its values, and the default. */
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

/** The variables that a user may set by name, with their accepted values: the service knows them, the chart does not set them. */
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
