// `npm run images`: builds one image per service with Docker or Buildah. If neither can pull the base image, it makes OCI
// archives in dist/images from local files alone.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import {
  writeCaddyArchive,
  writeEdgeArchive,
  writeNatsArchive,
  writeServiceArchive,
} from './images/local-archives.mjs';
import { DEFAULT_REGISTRY, imageName, SERVICES } from './images/names.mjs';
import { servicesThere } from './images/service-tree.mjs';
import { command, ROOT, setUp } from './set-up.mjs';

const HELP = `npm run images -- [options]

  --engine auto|docker|buildah|none   the engine that builds; none = archives from local files (default auto)
  --base IMAGE                        base image instead of the Dockerfile's
  --registry NAME                     registry and folder of the names (default ${DEFAULT_REGISTRY})
  --tag TAG                           tag of the names (default: the version of package.json)
  --only router,shard                 only these services
  --out DIR                           where archives go (default dist/images)
  --archives                          write archives also of images that an engine built
  --with nats,edge,caddy              without an engine: also write archives of these third-party images, from programs
                                      of this machine (default nats, and edge and caddy if nginx and Caddy are installed)
  --nginx PATH                        the nginx program for the edge's image (default /usr/sbin/nginx)
  --caddy PATH                        the Caddy program for its image (default /usr/bin/caddy)
`;

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'auto' },
    base: { type: 'string' },
    registry: { type: 'string', default: DEFAULT_REGISTRY },
    tag: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string', default: 'dist/images' },
    archives: { type: 'boolean', default: false },
    with: { type: 'string' },
    nginx: { type: 'string', default: '/usr/sbin/nginx' },
    caddy: { type: 'string', default: '/usr/bin/caddy' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else
  await command(async () => {
    try {
      await build();
    } catch (error) {
      fail(error.message);
    }
  });

async function build() {
  const out = join(ROOT, options.out);
  const names = { registry: options.registry, ...(options.tag === undefined ? {} : { tag: options.tag }) };
  const services = servicesThere(options.only === undefined ? SERVICES : options.only.split(','));
  if (services.length === 0)
    return fail(`--only names no known service: the services are ${SERVICES.join(', ')}`);
  const engine = chooseEngine(options.engine);
  if (engine === 'unknown') return fail(`--engine must be auto, docker, buildah or none`);
  if (engine !== undefined) {
    if (services.every((service) => builtBy(engine, service, imageName(service, names)))) {
      if (options.archives)
        for (const service of services) save(engine, imageName(service, names), service, out);
      return;
    }
    if (options.engine !== 'auto') return fail(`${engine} could not build the images (above)`);
    console.log(`${engine} could not build the images (above): making them from local files`);
  }
  await setUp();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const say = (line) => console.log(line);
  for (const service of services) {
    const file = join(out, `${service}.tar`);
    wrote(
      file,
      imageName(service, names),
      await writeServiceArchive({ service, file, name: imageName(service, names), say }),
    );
  }
  const others = (options.with ?? 'nats,edge,caddy').split(',');
  const wanted = options.with !== undefined;
  if (others.includes('nats')) await writeNatsArchive({ out, say, wrote });
  if (others.includes('edge')) writeEdgeArchive({ out, say, wrote, program: options.nginx, wanted });
  if (others.includes('caddy')) writeCaddyArchive({ out, say, wrote, program: options.caddy, wanted });
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

function wrote(file, name, digest) {
  console.log(`${name}  ${digest.slice(0, 19)}  ${relative(ROOT, file)}`);
}

/** The first engine that answers; undefined if none answers or none is wanted. */
function chooseEngine(wanted) {
  if (!['auto', 'docker', 'buildah', 'none'].includes(wanted)) return 'unknown';
  const candidates = wanted === 'auto' ? ['docker', 'buildah'] : wanted === 'none' ? [] : [wanted];
  return candidates.find(answers);
}

function answers(engine) {
  const args = engine === 'docker' ? ['version', '--format', '{{.Server.Version}}'] : ['version'];
  return spawnSync(engine, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

function builtBy(engine, service, name) {
  const verb = engine === 'docker' ? ['build'] : ['bud', '--format', 'oci'];
  const base = options.base === undefined ? [] : ['--build-arg', `BASE_IMAGE=${options.base}`];
  console.log(`${engine}: ${name}`);
  const args = [...verb, '--target', service, '--tag', name, ...base, '.'];
  return spawnSync(engine, args, { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

function save(engine, name, service, out) {
  mkdirSync(out, { recursive: true });
  const file = join(out, `${service}.tar`);
  if (existsSync(file)) rmSync(file);
  if (engine === 'docker') execFileSync('docker', ['save', '--output', file, name], { stdio: 'inherit' });
  else execFileSync('buildah', ['push', name, `oci-archive:${file}:${name}`], { stdio: 'inherit' });
  console.log(`${name}  ${relative(ROOT, file)}`);
}
