// What a container's process finds in its environment, and whether the service takes it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Kubernetes, root } from './render.ts';

export function isBuilt(service: string): boolean {
  try {
    readFileSync(`${root}services/${service}/dist/main.js`);
    return true;
  } catch {
    return false;
  }
}

const checked = new Map<string, string>();

/** What the service says of this environment; nothing where it takes it. */
export function configProblems(service: string, env: Readonly<Record<string, string>>): string {
  const key = JSON.stringify([service, env]);
  const known = checked.get(key);
  if (known !== undefined) return known;
  const args = [`${root}services/${service}/dist/main.js`, '--check-config'];
  const { stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  checked.set(key, stderr);
  return stderr;
}

const SECRET = 'k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const FIELDS: Readonly<Record<string, readonly [v4: string, v6: string]>> = {
  'status.podIP': ['10.0.0.7', 'fd00::7'],
  'status.hostIP': ['192.168.1.2', 'fd00::1:2'],
};

/** What the container's process would find in its environment. */
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
