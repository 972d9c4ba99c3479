// Owns the images that are made from files of this machine: the services, and the third-party programs of the chart and of
// deploy/compose, for hosts that cannot pull them.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addProgram, baseLayer, USER } from './base-layer.mjs';
import { CADDY_IMAGE, EDGE_IMAGE, NATS_IMAGE } from './names.mjs';
import { nodeProgram } from './node-program.mjs';
import { Layer, writeArchive } from './oci-archive.mjs';
import { copyService } from './service-tree.mjs';

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
const architecture = ARCHITECTURES[process.arch] ?? process.arch;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/';

/** Beside what all images have, as in the Dockerfile. */
const ENV_OF = { control: ['WEIR_CONSOLE_HOST=0.0.0.0'] };

let nodeLayer;

/** The image of one service; resolves to its digest. */
export async function writeServiceArchive({ service, file, name, say }) {
  nodeLayer ??= layerWithNode(say);
  const folder = mkdtempSync(join(tmpdir(), 'weir-image-'));
  try {
    copyService(service, join(folder, 'app'));
    const app = new Layer();
    app.copy(join(folder, 'app'), 'app');
    const config = {
      User: USER,
      // As in the Dockerfile: probes and scrapes come from other pods.
      Env: [
        PATH,
        'NODE_ENV=production',
        'WEIR_ADMIN_HOST=0.0.0.0',
        'WEIR_ADMIN_PORT=9090',
        ...(ENV_OF[service] ?? []),
      ],
      WorkingDir: '/app',
      // As in the Dockerfile: no shell in between, so that signals reach Node.
      Entrypoint: ['node'],
      Cmd: [`services/${service}/dist/bundle/main.js`],
      Labels: { 'org.opencontainers.image.title': `weir ${service}` },
    };
    return writeArchive(file, { name, layers: [nodeLayer, app.bytes()], config, architecture });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function layerWithNode(say) {
  const base = baseLayer();
  addProgram(base, nodeProgram(say), '/usr/local/bin/node');
  return base.bytes();
}

/** The NATS server that `npm start` runs, under the name that the chart uses. */
export async function writeNatsArchive({ out, say, wrote }) {
  const { findNatsServer } = await import('../../local/dist/index.js');
  const program = await findNatsServer({ say });
  if (program.kind !== 'binary') return say('no archive of NATS: this machine has no nats-server program');
  const layer = baseLayer();
  addProgram(layer, program.path, '/nats-server');
  addWget(layer);
  const config = {
    User: USER,
    Env: [PATH],
    WorkingDir: '/',
    Entrypoint: ['/nats-server'],
    Labels: { 'org.opencontainers.image.title': `nats-server ${program.version}, made from local files` },
  };
  const file = join(out, 'nats.tar');
  return wrote(
    file,
    NATS_IMAGE,
    writeArchive(file, { name: NATS_IMAGE, layers: [layer.bytes()], config, architecture }),
  );
}

/** Health checks inside a container use wget, as in images that Alpine is the base of. */
function addWget(layer) {
  const program = ['/usr/bin/wget', '/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path));
  if (program !== undefined) addProgram(layer, program, '/usr/bin/wget');
}

/** The Caddy of this machine, under the name that deploy/compose uses. */
export function writeCaddyArchive({ out, say, wrote, program, wanted }) {
  if (!existsSync(program)) {
    if (wanted) say(`no archive of Caddy: this machine has no ${program} (apt-get install caddy)`);
    return;
  }
  const layer = baseLayer();
  addProgram(layer, program, '/usr/bin/caddy');
  addWget(layer);
  const config = {
    Env: [PATH],
    WorkingDir: '/',
    Cmd: ['caddy', 'run', '--config', '/etc/caddy/Caddyfile'],
    Labels: { 'org.opencontainers.image.title': 'Caddy, made from local files' },
  };
  const file = join(out, 'caddy.tar');
  wrote(
    file,
    CADDY_IMAGE,
    writeArchive(file, { name: CADDY_IMAGE, layers: [layer.bytes()], config, architecture }),
  );
}

/** The nginx of this machine, under the name that the chart uses for the edge. */
export function writeEdgeArchive({ out, say, wrote, program, wanted }) {
  if (!existsSync(program)) {
    if (wanted) say(`no archive of the edge: this machine has no ${program} (apt-get install nginx)`);
    return;
  }
  const layer = baseLayer();
  addProgram(layer, program, '/usr/sbin/nginx');
  layer.folder('var/log/nginx', 0o1777);
  layer.folder('var/lib/nginx', 0o1777);
  const config = {
    User: '101:101',
    Env: [PATH],
    WorkingDir: '/',
    Entrypoint: ['/usr/sbin/nginx'],
    Cmd: ['-g', 'daemon off;'],
    StopSignal: 'SIGQUIT',
    Labels: { 'org.opencontainers.image.title': 'nginx, made from local files' },
  };
  const file = join(out, 'edge.tar');
  wrote(
    file,
    EDGE_IMAGE,
    writeArchive(file, { name: EDGE_IMAGE, layers: [layer.bytes()], config, architecture }),
  );
}
