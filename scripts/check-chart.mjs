// `npm run check:chart` lints the chart, renders every file of charts/weir/ci and checks it against the schemas of
// Kubernetes, compares the plain manifests, and runs the tests of the chart, which `--without-tests` leaves to `npm test`.
// It skips by name the checks whose tools are not installed.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { helms } from './chart/helms.mjs';
import { manifestsAreInStep } from './chart/manifests.mjs';
import { command, ROOT, runTool, setUp } from './set-up.mjs';

const CHART = 'charts/weir';
/** The lowest version that the chart accepts, the first one with sysctls, and a later one. */
const KUBE_VERSIONS = ['1.30.0', '1.32.0', '1.37.0'];

await command(async () => {
  await setUp();
  const found = helms();
  const failed = [];
  const skipped = [];
  const step = (name, passed) => {
    console.log(`${passed ? 'passed' : 'FAILED'}  ${name}`);
    if (!passed) failed.push(name);
  };
  for (const major of [3, 4])
    if (!found.some((helm) => helm.major === major)) skipped.push(`helm ${major}: not on the PATH`);
  const values = readdirSync(join(ROOT, CHART, 'ci')).filter((name) => name.endsWith('.yaml'));
  for (const helm of found) {
    step(`helm ${helm.version} lint`, quiet(helm.program, ['lint', '--strict', CHART]));
    for (const name of values) {
      const file = join(CHART, 'ci', name);
      step(`helm ${helm.version} lint ${name}`, quiet(helm.program, ['lint', CHART, '--values', file]));
      for (const kube of KUBE_VERSIONS) {
        const args = ['template', 'weir', CHART, '--values', file, '--kube-version', kube];
        step(`helm ${helm.version} template ${name} for ${kube}`, quiet(helm.program, args));
      }
    }
  }
  conform({ found, values, step, skipped });
  dryRun({ found, values, step, skipped });
  if (found.length > 0)
    step('k8s/base/weir.yaml is the output of the chart', await manifestsAreInStep(found[0]));
  if (!process.argv.includes('--without-tests')) step('tests of the chart', (await testsOfTheChart()) === 0);
  for (const one of skipped) console.log(`skipped ${one}`);
  console.log(
    failed.length === 0 ? '\ncheck:chart: all is well' : `\ncheck:chart FAILED: ${failed.join('; ')}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
});

/** All of the long lists, of which `npm test` tries a part. */
function testsOfTheChart() {
  const env = { ...process.env, WEIR_TEST_EXHAUSTIVE: 'true' };
  return runTool('vitest', ['run', 'test/contract/chart', '--reporter=dot'], { env });
}

/** kubeconform with schemas of this machine (KUBECONFORM_SCHEMAS), or with schemas that it fetches. */
function conform({ found, values, step, skipped }) {
  const location = process.env['KUBECONFORM_SCHEMAS'];
  if (found.length === 0 || !answers('kubeconform', ['-v']))
    return skipped.push('kubeconform: not on the PATH');
  if (
    location === undefined &&
    !answers('kubeconform', ['-summary', '-'], 'apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n')
  )
    return skipped.push(
      'kubeconform: cannot fetch its schemas; set KUBECONFORM_SCHEMAS to a folder with them',
    );
  const from = location === undefined ? [] : ['-schema-location', location];
  for (const name of values) {
    const rendered = render(found[0], name);
    const args = ['-strict', '-ignore-missing-schemas', ...from, '-'];
    step(`kubeconform ${name}`, quiet('kubeconform', args, rendered));
  }
}

/** Validation, defaults and Pod Security by the API server itself, if a cluster answers. */
function dryRun({ found, values, step, skipped }) {
  if (found.length === 0 || !answers('kubectl', ['version', '--request-timeout=5s']))
    return skipped.push('server-side dry run: kubectl finds no cluster');
  const { stdout } = spawnSync('kubectl', ['api-resources', '--no-headers'], { encoding: 'utf8' });
  const kinds = new Set(stdout.split('\n').map((line) => line.trim().split(/ +/).at(-1)));
  for (const name of values) {
    const objects = render(found[0], name).split(/^---$/m);
    const kindOf = (object) => /^kind: (\w+)/m.exec(object)?.[1];
    const unknown = new Set(objects.map(kindOf).filter((kind) => kind !== undefined && !kinds.has(kind)));
    for (const kind of unknown)
      skipped.push(`server-side dry run of ${kind} in ${name}: the cluster does not have this kind`);
    const known = objects.filter((object) => kinds.has(kindOf(object))).join('---');
    step(
      `server-side dry run ${name}`,
      quiet('kubectl', ['apply', '--dry-run=server', '--validate=strict', '-f', '-'], known),
    );
  }
}

function render(helm, name) {
  const args = ['template', 'weir', CHART, '--values', join(CHART, 'ci', name)];
  return spawnSync(helm.program, args, { cwd: ROOT, encoding: 'utf8' }).stdout;
}

function quiet(program, args, input) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', input });
  if (status !== 0) console.error(`${stdout ?? ''}${stderr ?? ''}`.trim());
  return status === 0;
}

function answers(program, args, input) {
  return (
    spawnSync(program, args, { stdio: ['pipe', 'ignore', 'ignore'], input, timeout: 20_000 }).status === 0
  );
}
