// Owns the images' names. The chart's defaults are the same (test/contract/chart): on a node with the images of
// `npm run images`, `helm install` without values runs them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../set-up.mjs';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** One image per service; the target of the Dockerfile has the same name. */
export const SERVICES = ['router', 'shard', 'publisher', 'control'];

/** `localhost`: these images are in no public registry. Push them to your registry and set `image.registry`. */
export const DEFAULT_REGISTRY = 'localhost/weir';

export function imageName(service, { registry = DEFAULT_REGISTRY, tag = version } = {}) {
  return `${registry}/${service}:${tag}`;
}

/** Third-party images of the chart and of deploy/compose, for hosts that cannot pull them. */
export const NATS_IMAGE = 'docker.io/library/nats:2.15.1';
export const EDGE_IMAGE = 'docker.io/nginxinc/nginx-unprivileged:1.29-alpine';
export const CADDY_IMAGE = 'docker.io/library/caddy:2.11.9-alpine';
