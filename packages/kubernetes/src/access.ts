// Where the API server is and as whom we speak to it: the pod's own service account, or a kubeconfig file.
// Tokens and authorities are read anew as they rotate; nothing here is ever logged.
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';

/** Where access comes from. */
export type AccessSource =
  | {
      readonly kind: 'inCluster';
      readonly server: string;
      /** With `token` and `ca.crt`; where Kubernetes mounts them by default. */
      readonly folder?: string;
    }
  | { readonly kind: 'kubeconfig'; readonly file: string };

/** How one request is to be made. */
export interface ServerAccess {
  /** URL of the API server; has no slash at its end. */
  readonly server: string;
  /** Agent, authorities and headers. */
  readonly options: RequestOptions;
}

/** Access to one API server. */
export interface Access {
  /** For the next request. Throws where the files are not there or say nothing usable. */
  next(): Promise<ServerAccess>;
  /** The server did not take our credentials: what is remembered of them is forgotten. */
  refused(): void;
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Access from this source; nothing is read before the first request. */
export function createAccess(source: AccessSource): Access {
  if (source.kind === 'kubeconfig') return kubeconfigAccess(source.file);
  const { server, folder = serviceAccount } = source;
  return {
    // Both files change in place. Three requests a minute do not pay for a memory of them.
    async next() {
      const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
      const ca = await readFile(join(folder, 'ca.crt'));
      return { server: trimmed(server), options: { agent: false, ca, headers: bearer(token) } };
    },
    refused: () => undefined,
  };
}

/** By the library, which knows all that a kubeconfig can say. It takes a second and 70 MB to load: pods do without. */
function kubeconfigAccess(file: string): Access {
  let config: KubeConfig | undefined;
  return {
    async next() {
      config ??= await loadFile(file);
      const server = config.getCurrentCluster()?.server;
      if (server === undefined) throw new Error('the configuration names no cluster');
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return { server: trimmed(server), options };
    },
    refused() {
      config = undefined;
    },
  };
}

async function loadFile(file: string): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const config = new Config();
  config.loadFromFile(file);
  return config;
}

function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

function trimmed(server: string): string {
  return server.replace(/\/+$/, '');
}
