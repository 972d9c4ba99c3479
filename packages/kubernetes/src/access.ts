// Where the API server is and as whom we speak to it: the pod's own service account, or a kubeconfig file.
// Tokens and authorities are read anew as they rotate; nothing here is ever logged.
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** Where access comes from. */
export type AccessSource =
  | { readonly kind: 'inCluster' }
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

/** Reads the configuration at the first request, and again after a refusal. */
export function createAccess(source: AccessSource): Access {
  let config: KubeConfig | undefined;
  return {
    async next() {
      config ??= await load(source);
      const server = config.getCurrentCluster()?.server;
      if (server === undefined) throw new Error('the configuration names no cluster');
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return { server: server.replace(/\/+$/, ''), options };
    },
    refused() {
      // The library reads the token once a minute; a new configuration reads it at once.
      config = undefined;
    },
  };
}

/** The library is large (70 MB of memory), so only a process that uses Kubernetes loads it. */
async function load(source: AccessSource): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const config = new Config();
  if (source.kind === 'inCluster') config.loadFromCluster();
  else config.loadFromFile(source.file);
  return config;
}
