// The environment of a container's process, and whether the service accepts it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type ConfigRules, readConfig, type SettingsTable } from '@weir/runtime';
import { type Kubernetes, root } from './render.ts';

/** The configuration of a service: the two exports of its config.ts. */
interface ConfigModule {
  readonly settings: SettingsTable;
  readonly rules?: ConfigRules<SettingsTable>;
}

const mainOf = (service: string): string => `${root}services/${service}/dist/bundle/main.js`;

export function isBuilt(service: string): boolean {
  return existsSync(mainOf(service));
}

const modules = new Map<string, ConfigModule>();
for (const service of ['router', 'shard', 'publisher', 'control'])
  if (isBuilt(service)) modules.set(service, await import(`${root}services/${service}/dist/config.js`));

const seenAsProcess = new Set<string>();

/**
 * The service's complaints about this environment; empty if it accepts it. The first environment of each service also
 * goes to the real process, which must agree: to start it each time would cost most of a second of processor time.
 */
export function configProblems(service: string, env: Readonly<Record<string, string>>): string {
  const found = modules.get(service);
  if (found === undefined) throw new Error(`${service} is not built`);
  const { settings: table, rules } = found;
  const result = readConfig({ table, env, file: undefined, ...(rules === undefined ? {} : { rules }) });
  const problems = 'problems' in result ? result.problems.join('\n') : '';
  if (!seenAsProcess.has(service)) {
    seenAsProcess.add(service);
    const args = [mainOf(service), '--check-config'];
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    if ((status === 0) !== (problems === '')) throw new Error(`${service} --check-config: ${stderr}`);
  }
  return problems;
}

const SECRET = 'k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const FIELDS: Readonly<Record<string, readonly [v4: string, v6: string]>> = {
  'status.podIP': ['10.0.0.7', 'fd00::7'],
  'status.hostIP': ['192.168.1.2', 'fd00::1:2'],
};

/** The environment that the container's process would have. */
export function environment(container: Kubernetes): Record<string, string> {
  const env: Record<string, string> = {};
  const isIpv6 = container.list('env').some((one) => one.at('value') === '::');
  for (const one of container.list('env')) {
    const field = one.at('valueFrom.fieldRef.fieldPath');
    const optional = one.at('valueFrom.secretKeyRef.optional') === true;
    if (optional) continue;
    const value = one.at('value');
    if (field !== undefined)
      env[one.text('name')] = FIELDS[String(field)]?.[isIpv6 ? 1 : 0] ?? 'weir-x-abc12';
    else if (value === undefined) env[one.text('name')] = SECRET;
    else env[one.text('name')] = String(value).replace(/\$\((\w+)\)/g, (_, name: string) => env[name] ?? '');
  }
  return env;
}
