// docs/images.md: which npm packages an image has code of. From package-lock.json and what is installed.
import { bundledPackages } from './bundle-service.mjs';
import { SERVICES } from './images/names.mjs';
import { closure, readLock } from './images/service-tree.mjs';

const INTRO = `# Packages in the images

<!-- Written by \`node scripts/write-docs.mjs\` from package-lock.json and scripts/bundle-service.mjs. -->

An image has Node and the bundle of its service: the programs as a few files (\`dist/bundle\`), which \`npm run build\` makes with esbuild, and beside them the licences of all that is in them (\`LICENSES.txt\`). \`npm start\`, the tests and the images run the same files. There is no \`node_modules\`. Code that few processes need is a file of its own: a pod with a service account never loads the reader of kubeconfig files.

Measured with \`node scripts/images/copy-service.mjs <service> <folder>\`, base image and Node not counted. "Needed" are the packages that an installation without a bundle would have. "Start" is the processor time of \`--help\` on Node 20, which loads all and does nothing, with Node's own 0.05 s:

| image     | packages needed | packages with code in the bundle | size with packages | size of the bundle | start with packages | start |
| --------- | --------------- | -------------------------------- | ------------------ | ------------------ | ------------------- | ------ |
| router    | NEEDED:router    | THERE:router    | 38.8 MB | 2.0 MB | 0.35 s | 0.11 s |
| control   | NEEDED:control   | THERE:control   | 42.6 MB | 2.7 MB | 0.33 s | 0.11 s |
| shard     | NEEDED:shard     | THERE:shard     | 4.2 MB  | 1.5 MB | 0.34 s | 0.12 s |
| publisher | NEEDED:publisher | THERE:publisher | 3.5 MB  | 1.1 MB | 0.28 s | 0.10 s |
`;

/** The page as text, not yet formatted. */
export async function imagesPage() {
  const lists = {};
  for (const service of SERVICES)
    lists[service] = {
      NEEDED: packagesOf(closure(service)),
      THERE: packagesOf(await bundledPackages(service)),
    };
  const intro = INTRO.replace(/(NEEDED|THERE):(\w+)/g, (_, which, service) =>
    String(lists[service][which].length),
  );
  const parts = [intro];
  for (const service of SERVICES) {
    const { NEEDED: needed, THERE: there } = lists[service];
    const out = needed.filter((one) => !there.includes(one));
    parts.push(`## ${service[0].toUpperCase()}${service.slice(1)}\n`, `${there.join(', ')}\n`);
    parts.push(`Without any code in the bundle (${out.length}): ${out.join(', ')}\n`);
  }
  return parts.join('\n');
}

/** Names with versions, without our own. */
function packagesOf(paths) {
  return paths
    .filter((path) => path.includes('node_modules/'))
    .flatMap((path) => {
      const { version } = readLock()[path] ?? {};
      return version === undefined ? [] : [`\`${path.split('node_modules/').at(-1)}\` ${version}`];
    })
    .toSorted();
}
