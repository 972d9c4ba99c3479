// Owns the images' names. The chart's defaults are the same (test/contract/chart), so that `helm install` with no
// value set runs what `npm run images` made, wherever these are loaded.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../set-up.mjs';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** One image a service; the target of the Dockerfile has the same name. */
export const SERVICES = ['router', 'shard', 'publisher', 'control'];

/** `localhost`: nobody publishes these images; push them to your registry and set `image.registry`. */
export const DEFAULT_REGISTRY = 'localhost/weir';

export function imageName(service, { registry = DEFAULT_REGISTRY, tag = version } = {}) {
  return `${registry}/${service}:${tag}`;
}

/** Images of others that the chart runs, for clusters that cannot pull them. */
export const NATS_IMAGE = 'docker.io/library/nats:2.15.1';
export const EDGE_IMAGE = 'docker.io/nginxinc/nginx-unprivileged:1.29-alpine';
