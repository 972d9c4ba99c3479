// Decides which `WEIR_…` variables of our environment reach which service, and says so. Asks the services for their
// settings, but only if there is a variable to pass.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FIXED, SERVICES, type ServiceName, scriptOf } from './plan.ts';

const run = promisify(execFile);

type Environment = Readonly<Record<string, string | undefined>>;
export type Environments = Readonly<Record<ServiceName, Readonly<Record<string, string>>>>;

export interface ServiceEnvironment {
  /** For every service: all variables that are not Weir's, and the log level. */
  readonly shared: Environment;
  readonly given: Environments;
  /** Lines for a person: which settings reach which services, and which reach none, and why. */
  readonly notes: readonly string[];
}

const HELP_DEADLINE_MS = 30_000;
/** `npm start` itself reads these. */
const OWN = new Set(['WEIR_NATS_URL']);

/** Divides our environment; `namesOf` returns the settings of a service. */
export async function serviceEnvironment(
  own: Environment,
  namesOf: (service: ServiceName) => Promise<ReadonlySet<string>> = settingNames,
): Promise<ServiceEnvironment> {
  const isSetting = (name: string): boolean => name.startsWith('WEIR_');
  const shared = Object.fromEntries(Object.entries(own).filter(([name]) => !isSetting(name)));
  const settings = Object.entries(own).filter(
    (entry): entry is [string, string] => isSetting(entry[0]) && entry[1] !== undefined && !OWN.has(entry[0]),
  );
  const given: Record<ServiceName, Record<string, string>> = {
    router: {},
    shard: {},
    publisher: {},
    control: {},
  };
  const notes: string[] = [];
  const free = settings.filter(([name]) => !FIXED.has(name));
  const fixed = settings.filter(([name]) => FIXED.has(name)).map(([name]) => name);
  if (fixed.length > 0)
    notes.push(`not used: ${fixed.join(', ')} (npm start sets it for each service; --port moves the ports)`);
  const names = free.length === 0 ? undefined : await Promise.all(SERVICES.map(namesOf));
  for (const [name, value] of free) {
    const takers = SERVICES.filter((_, at) => names?.[at]?.has(name) === true);
    for (const taker of takers) given[taker][name] = value;
    notes.push(
      takers.length === 0
        ? `not used: ${name} (no service that runs here has it)`
        : `${name}: ${takers.join(', ')}`,
    );
  }
  for (const service of SERVICES) given[service] = { WEIR_LOG_LEVEL: 'warn', ...given[service] };
  return { shared, given, notes };
}

/** The settings that a service lists in its help. */
async function settingNames(service: ServiceName): Promise<ReadonlySet<string>> {
  const { stdout } = await run(process.execPath, [scriptOf(service), '--help'], {
    timeout: HELP_DEADLINE_MS,
  });
  return new Set([...stdout.matchAll(/^ {2}(WEIR_[A-Z0-9_]+) \(/gm)].map(([, name = '']) => name));
}
