import { readConfig } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { configuredAccess, kubernetesRules, kubernetesSettings, selectorText } from './settings.ts';

const read = (env: Readonly<Record<string, string>>) =>
  readConfig({ table: kubernetesSettings, env, rules: kubernetesRules });

describe('the settings of Kubernetes', () => {
  it.each([
    [{}, false],
    [{ WEIR_KUBERNETES: 'inCluster', WEIR_NAMESPACE: 'ns' }, true],
    [{ WEIR_KUBERNETES: 'kubeconfig', WEIR_KUBECONFIG: '/x', WEIR_NAMESPACE: 'ns' }, true],
  ])('give access where they say how: %j', (env, has) => {
    const result = read(env);
    expect('config' in result && configuredAccess(result.config) !== undefined).toBe(has);
  });

  it.each([
    [{ WEIR_KUBERNETES: 'kubeconfig', WEIR_NAMESPACE: 'ns' }, 'WEIR_KUBECONFIG'],
    [{ WEIR_KUBECONFIG: '/x' }, 'WEIR_KUBECONFIG'],
    [{ WEIR_KUBERNETES: 'inCluster' }, 'WEIR_NAMESPACE'],
    [{ WEIR_KUBERNETES: 'inCluster', WEIR_NAMESPACE: 'Not a name' }, 'WEIR_NAMESPACE'],
    [{ WEIR_API_SERVER: 'http://kubernetes' }, 'WEIR_API_SERVER'],
  ])('have a problem: %j', (env, words) => {
    const result = read(env);
    expect('problems' in result ? result.problems.join('; ') : 'fine').toContain(words);
  });

  it('accept label selectors, and name the fault of a wrong one', () => {
    expect(selectorText('app=weir,pool in (a, b)')).toBe('app=weir,pool in (a, b)');
    expect(() => selectorText('a in b')).toThrow(/must be a label selector/);
  });
});
