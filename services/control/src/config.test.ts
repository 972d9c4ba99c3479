import { readConfig } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { rules, settings } from './config.ts';

const inCluster = { WEIR_KUBERNETES: 'inCluster', WEIR_NAMESPACE: 'ns', WEIR_TLS_SECRET: 'weir-control-tls' };
const read = (env: Readonly<Record<string, string>>) => readConfig({ table: settings, env, rules });

describe('the configuration of control', () => {
  it.each([
    {},
    inCluster,
    { ...inCluster, WEIR_POD_SELECTOR: 'app=weir,weir.dev/pool in (mobile, desktop)' },
    { WEIR_KUBERNETES: 'inCluster', WEIR_NAMESPACE: 'ns', WEIR_TLS_CERT_FILE: 'a', WEIR_TLS_KEY_FILE: 'b' },
    { WEIR_KUBERNETES: 'inCluster', WEIR_NAMESPACE: 'ns', WEIR_METRICS_API: 'false' },
    { ...inCluster, WEIR_KUBERNETES: 'kubeconfig', WEIR_KUBECONFIG: '/x' },
  ])('is fine: %j', (env) => {
    expect(read(env)).toHaveProperty('config');
  });

  it.each([
    [{ WEIR_KUBERNETES: 'kubeconfig', WEIR_NAMESPACE: 'ns', WEIR_TLS_SECRET: 'x' }, 'WEIR_KUBECONFIG'],
    [{ ...inCluster, WEIR_KUBECONFIG: '/x' }, 'WEIR_KUBECONFIG'],
    [{ WEIR_KUBERNETES: 'inCluster', WEIR_TLS_SECRET: 'x' }, 'WEIR_NAMESPACE'],
    [{ WEIR_KUBERNETES: 'inCluster', WEIR_NAMESPACE: 'ns' }, 'WEIR_TLS_SECRET'],
    [{ ...inCluster, WEIR_TLS_CERT_FILE: 'a', WEIR_TLS_KEY_FILE: 'b' }, 'not both'],
    [{ WEIR_KUBERNETES: 'inCluster', WEIR_NAMESPACE: 'ns', WEIR_TLS_KEY_FILE: 'b' }, 'belong together'],
    [{ WEIR_POD_SELECTOR: 'a in b' }, 'WEIR_POD_SELECTOR'],
    [{ WEIR_NAMESPACE: 'Not a name' }, 'WEIR_NAMESPACE'],
    [{ WEIR_REBALANCE_MOVES_PER_SECOND: '0' }, 'WEIR_REBALANCE_MOVES_PER_SECOND'],
    [{ WEIR_POOLS: 'a b' }, 'WEIR_POOLS'],
  ])('has a problem: %j', (env, words) => {
    const result = read(env);
    expect('problems' in result ? result.problems.join('; ') : 'fine').toContain(words);
  });
});
