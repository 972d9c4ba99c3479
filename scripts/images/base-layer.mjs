// Owns the bottom layer of every image that is made without a base image: users, /tmp, certificates, and a program with
// the libraries that it loads. No shell, no package manager.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { Layer } from './oci-archive.mjs';

const CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];
/** glibc loads these by name when it resolves host names and users; ldd does not list them. */
const LOADED_BY_NAME = ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'];
const LIBRARY_FOLDERS = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/lib64'];

/** The user of the image: it has no rights and no home except /tmp. */
export const USER = '65532:65532';

export function baseLayer() {
  const layer = new Layer();
  layer.folder('tmp', 0o1777);
  layer.file('etc/passwd', 'root:x:0:0:root:/:/bin/false\nnonroot:x:65532:65532:nonroot:/tmp:/bin/false\n');
  layer.file('etc/group', 'root:x:0:\nnonroot:x:65532:\n');
  layer.file('etc/nsswitch.conf', 'hosts: files dns\n');
  const certificates = CERTIFICATES.find((path) => existsSync(path));
  if (certificates !== undefined) layer.file('etc/ssl/certs/ca-certificates.crt', readFileSync(certificates));
  return layer;
}

/** Adds a program of this machine and every library that it needs, at the same paths. */
export function addProgram(layer, from, to) {
  layer.file(to, readFileSync(realpathSync(from)), 0o755);
  const add = (path) => {
    if (layer.hasFile(path)) return;
    layer.file(path, readFileSync(realpathSync(path)), 0o755);
  };
  const libraries = librariesOf(from);
  for (const path of libraries) add(path);
  if (libraries.length === 0) return; // linked statically
  for (const name of LOADED_BY_NAME)
    for (const folder of LIBRARY_FOLDERS) if (existsSync(`${folder}/${name}`)) add(`${folder}/${name}`);
}

function librariesOf(program) {
  try {
    const output = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
  } catch {
    return []; // not a dynamic executable
  }
}
