// The address of the API server and the credentials for it: the pod's own service account, or a kubeconfig file.
// Reads tokens and authorities again as they rotate; logs nothing.
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import type { KubeConfig } from './kube-config.ts';

/** Source of the access. */
export type AccessSource =
  | {
      readonly kind: 'inCluster';
      readonly server: string;
      /** Folder with `token` and `ca.crt`; by default where Kubernetes mounts them. */
      readonly folder?: string;
    }
  | { readonly kind: 'kubeconfig'; readonly file: string };

/** The target and options of one request. */
export interface ServerAccess {
  /** URL of the API server, without a slash at its end. */
  readonly server: string;
  /** Agent, authorities and headers. */
  readonly options: RequestOptions;
}

/** Access to one API server. */
export interface Access {
  /** For the next request. Throws if the files are missing or unusable. */
  next(): Promise<ServerAccess>;
  /** Call it when the server refused the credentials: it forgets the cached ones. */
  refused(): void;
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Access from this source; reads nothing before the first request. */
export function createAccess(source: AccessSource): Access {
  if (source.kind === 'kubeconfig') return kubeconfigAccess(source.file);
  const { server, folder = serviceAccount } = source;
  return {
    // Both files change in place. At three requests a minute a cache is not worth it.
    async next() {
      const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
      const ca = await readFile(join(folder, 'ca.crt'));
      return { server: trimmed(server), options: { agent: false, ca, headers: bearer(token) } };
    },
    refused: () => undefined,
  };
}

/** By the library, which supports every kind of kubeconfig. Loading it takes a second and 70 MB; pods need none. */
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
  const { KubeConfig: Config } = await import('./kube-config.ts');
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
