// The part of a Kubernetes API server that control uses, in memory: objects with versions, lists, watches. A test can
// stop it, make it hang, and make it forget old versions. Behaviour only a real API server has is tested on a real one.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Json = Record<string, unknown>;

interface Stored {
  readonly version: number;
  readonly object: Json;
}

interface Watcher {
  readonly prefix: string;
  readonly response: ServerResponse;
}

export class FakeApiServer {
  /** Path of a kubeconfig for this server. */
  kubeconfig = '';
  /** Each request with its time of arrival. */
  readonly asked: { readonly atMs: number; readonly what: string }[] = [];
  /** Accepts requests and never answers. */
  hangs = false;
  token = 'first';
  readonly #objects = new Map<string, Stored>();
  readonly #history: { readonly path: string; readonly object: Json }[] = [];
  readonly #deleted: (Stored & { readonly path: string })[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 100;
  /** Watches from versions below this one get 410. */
  #oldest = 0;
  #server: Server | undefined;
  #port = 0;
  #folder = '';

  static async start(): Promise<FakeApiServer> {
    const fake = new FakeApiServer();
    await fake.comeBack();
    fake.#folder = await mkdtemp(join(tmpdir(), 'weir-api-'));
    fake.kubeconfig = join(fake.#folder, 'kubeconfig');
    await fake.writeToken('first');
    return fake;
  }

  /** Writes the kubeconfig with this token. The server accepts the token in `token`. */
  async writeToken(token: string): Promise<void> {
    const cluster = { server: `http://127.0.0.1:${this.#port}`, 'insecure-skip-tls-verify': true };
    const config = {
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(this.kubeconfig, JSON.stringify(config));
  }

  /** Stops the server; its objects stay. */
  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#watchers.clear();
    await new Promise<void>((resolve) => {
      if (server === undefined) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async comeBack(): Promise<void> {
    const server = createServer((request, response) => void this.#take(request, response));
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    await this.goAway();
    await rm(this.#folder, { recursive: true });
  }

  /** Ends all watches; a watch from an earlier version gets 410. */
  expire(): void {
    this.#version += 1;
    this.#oldest = this.#version;
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  get(path: string): Json | undefined {
    return this.#objects.get(path)?.object;
  }

  /** All versions of an object, from the first. */
  history(path: string): readonly Json[] {
    return this.#history.filter((one) => one.path === path).map(({ object }) => object);
  }

  /** Stores an object and notifies watchers. */
  put(path: string, object: Json): Json {
    this.#version += 1;
    const metadata = { ...Object(object['metadata']), resourceVersion: String(this.#version) };
    const stored = { ...object, metadata };
    const type = this.#objects.has(path) ? 'MODIFIED' : 'ADDED';
    this.#objects.set(path, { version: this.#version, object: stored });
    this.#history.push({ path, object: stored });
    this.#tell(path, type, stored);
    return stored;
  }

  delete(path: string): void {
    const found = this.#objects.get(path);
    if (found === undefined) return;
    this.#version += 1;
    this.#objects.delete(path);
    const metadata = { ...Object(found.object['metadata']), resourceVersion: String(this.#version) };
    const object = { ...found.object, metadata };
    this.#deleted.push({ path, version: this.#version, object });
    this.#tell(path, 'DELETED', object);
  }

  #tell(path: string, type: string, object: Json): void {
    for (const { prefix, response } of this.#watchers)
      if (path.startsWith(prefix)) response.write(`${JSON.stringify({ type, object })}\n`);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const { pathname, searchParams } = new URL(url, 'http://fake');
    const watch = searchParams.get('watch') === 'true';
    this.asked.push({ atMs: performance.now(), what: `${watch ? 'WATCH' : method} ${pathname}` });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.hangs) return;
    if (headers.authorization !== `Bearer ${this.token}`) return fail(response, 401, 'Unauthorized');
    const body = chunks.length === 0 ? undefined : (JSON.parse(String(Buffer.concat(chunks))) as Json);
    if (watch) this.#watch(pathname, Number(searchParams.get('resourceVersion')), response);
    else if (method === 'GET') this.#read(pathname, response);
    else this.#write({ method, path: pathname, body: body ?? {} }, response);
  }

  #watch(pathname: string, since: number, response: ServerResponse): void {
    if (since < this.#oldest) return fail(response, 410, 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' });
    const watcher = { prefix: `${pathname}/`, response };
    // Deletions since that version are sent too: a watcher that starts from a version does not list.
    const present = [...this.#objects].map(([path, stored]) => ({ type: 'ADDED', path, ...stored }));
    const gone = this.#deleted.map((stored) => ({ type: 'DELETED', ...stored }));
    for (const { type, path, version, object } of [...present, ...gone].sort((a, b) => a.version - b.version))
      if (path.startsWith(watcher.prefix) && version > since)
        response.write(`${JSON.stringify({ type, object })}\n`);
    response.flushHeaders();
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
  }

  #read(pathname: string, response: ServerResponse): void {
    const found = this.#objects.get(pathname);
    if (found !== undefined) return answer(response, 200, found.object);
    const items = [...this.#objects].filter(
      ([path]) => path.startsWith(`${pathname}/`) && !path.slice(pathname.length + 1).includes('/'),
    );
    if (!/\/(pods|leases|secrets|endpointslices|horizontalpodautoscalers)$/.test(pathname))
      return fail(response, 404, 'not found');
    const metadata = { resourceVersion: String(this.#version) };
    answer(response, 200, { metadata, items: items.map(([, { object }]) => object) });
  }

  #write(
    { method, path, body }: { readonly method: string; readonly path: string; readonly body: Json },
    response: ServerResponse,
  ): void {
    const metadata = Object(body['metadata']) as Json;
    const target = method === 'POST' ? `${path}/${String(metadata['name'])}` : path;
    const current = this.#objects.get(target);
    if (method === 'POST' && current !== undefined) return fail(response, 409, 'already exists');
    if (method !== 'POST' && current === undefined) return fail(response, 404, 'not found');
    const version = metadata['resourceVersion'];
    if (current !== undefined && version !== undefined && version !== String(current.version))
      return fail(response, 409, 'the object has been modified');
    const next = method === 'PATCH' ? merge(current?.object, body) : body;
    answer(response, method === 'POST' ? 201 : 200, this.put(target, next));
  }
}

function answer(response: ServerResponse, status: number, value: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function fail(response: ServerResponse, code: number, message: string): void {
  answer(response, code, { kind: 'Status', status: 'Failure', code, message });
}

function merge(into: unknown, patch: Json): Json {
  const result: Json = { ...Object(into) };
  for (const [name, value] of Object.entries(patch)) {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    result[name] = nested ? merge(result[name], value as Json) : value;
  }
  return result;
}
