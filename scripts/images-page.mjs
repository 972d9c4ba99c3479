// docs/images.md: the npm packages of each image, from package-lock.json and the installed packages.
import { BUNDLED, bundle } from './images/bundle.mjs';
import { SERVICES } from './images/names.mjs';
import { closure, readLock } from './images/service-tree.mjs';

const INTRO = `# Packages in the images

<!-- Written by \`node scripts/write-docs.mjs\` from package-lock.json and scripts/images. -->

An image has Node, the build of its service, the workspaces that it uses, and the npm packages that those need in production. \`@kubernetes/client-node\` is one file there: Weir reads kubeconfig files with it and uses nothing else of it, and pods with a service account do not even load it. \`scripts/images/bundle.mjs\` makes that file with esbuild when an image is built and puts the licences of all that is in it beside it (\`LICENSES.txt\`). A \`weir\` that runs from the repository loads the package itself.

Measured with \`node scripts/images/copy-service.mjs <service> <folder>\`, base image and Node not counted:

| image     | packages before | packages now | size before | size now |
| --------- | --------------- | ------------ | ----------- | -------- |
| router    | COUNT:router    | NOW:router   | 38.8 MB     | 4.7 MB   |
| control   | COUNT:control   | NOW:control  | 42.6 MB     | 8.3 MB   |
| shard     | COUNT:shard     | NOW:shard    | 4.2 MB      | 4.2 MB   |
| publisher | COUNT:publisher | NOW:publisher | 3.5 MB     | 3.5 MB   |
`;

/** The page as text, not yet formatted. */
export async function imagesPage() {
  const lists = Object.fromEntries(
    SERVICES.map((service) => [
      service,
      { NOW: packagesOf(closure(service)), COUNT: packagesOf(closure(service, () => false)) },
    ]),
  );
  const intro = INTRO.replace(/(COUNT|NOW):(\w+)/g, (_, which, service) =>
    String(lists[service][which].length),
  );
  const parts = [intro];
  for (const service of SERVICES) {
    const { NOW: left, COUNT: before } = lists[service];
    const gone = before.filter((one) => !left.includes(one));
    parts.push(`## ${service[0].toUpperCase()}${service.slice(1)}\n`, `${left.join(', ')}\n`);
    if (gone.length > 0) parts.push(`No longer there as packages (${gone.length}): ${gone.join(', ')}\n`);
  }
  for (const name of Object.keys(BUNDLED)) {
    const { packages } = await bundle(name);
    parts.push(`## In the file of ${name}\n`, `${packagesOf(packages).join(', ')}\n`);
  }
  return parts.join('\n');
}

/** Names with versions, without our own packages. */
function packagesOf(paths) {
  return paths
    .filter((path) => path.includes('node_modules/'))
    .flatMap((path) => {
      const { version } = readLock()[path] ?? {};
      return version === undefined ? [] : [`\`${path.split('node_modules/').at(-1)}\` ${version}`];
    })
    .toSorted();
}
