import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Access } from './access.ts';
import { createAccess } from './access.ts';
import { createKubeApi } from './api.ts';
import { KubeApiError, KubeUnreachableError } from './errors.ts';
import { textAt } from './object.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).toReversed()) await one();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Access> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    next: async () => ({ server: `http://127.0.0.1:${port}`, options: { headers: { authorization: 'x' } } }),
    refused: () => undefined,
  };
}

const json = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

describe('the API server', () => {
  it('is asked with path, query, body and credentials, and answers with JSON', async () => {
    const access = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        const { accept, authorization } = headers;
        const type = headers['content-type'];
        json(response, 200, {
          method,
          url,
          accept,
          authorization,
          type,
          body: String(Buffer.concat(chunks)),
        });
      });
    });
    const api = createKubeApi(access);
    expect(await api.request({ method: 'GET', path: '/api/v1/pods', query: { a: 'b=c,d' } })).toEqual({
      method: 'GET',
      url: '/api/v1/pods?a=b%3Dc%2Cd',
      accept: 'application/json',
      authorization: 'x',
      body: '',
    });
    expect(await api.request({ method: 'PATCH', path: '/x', body: { ü: 1 } })).toMatchObject({
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: '{"ü":1}',
    });
  });

  it('reports a refusal with its status and reason', async () => {
    const api = createKubeApi(
      await serve((_, response) => json(response, 409, { kind: 'Status', message: 'changed meanwhile' })),
    );
    const error = await api.request({ method: 'GET', path: '/' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KubeApiError);
    expect(error).toMatchObject({ code: 'KUBE_API', status: 409, message: 'changed meanwhile' });
  });

  it('makes the client forget refused credentials', async () => {
    const access = await serve((_, response) => json(response, 401, {}));
    let refused = 0;
    const api = createKubeApi({
      ...access,
      refused: () => {
        refused += 1;
      },
    });
    await expect(api.request({ method: 'GET', path: '/' })).rejects.toMatchObject({ status: 401 });
    expect(refused).toBe(1);
  });

  it.each([
    ['nothing', () => undefined],
    ['headers and then nothing', (response: ServerResponse) => response.writeHead(200).write('{"a":')],
  ])('is given up where it sends %s', async (_, answer) => {
    const api = createKubeApi(await serve((__, response) => void answer(response)));
    const request = api.request({ method: 'GET', path: '/', deadlineMs: 150 });
    await expect(request).rejects.toBeInstanceOf(KubeUnreachableError);
  });

  it.each([
    ['no JSON', (response: ServerResponse) => response.end('<html>')],
    ['half an answer', (response: ServerResponse) => response.writeHead(200).destroy()],
  ])('is not believed where it sends %s', async (_, answer) => {
    const api = createKubeApi(await serve((__, response) => void answer(response)));
    await expect(api.request({ method: 'GET', path: '/' })).rejects.toBeInstanceOf(KubeUnreachableError);
  });

  it('streams events line by line, at whatever bytes the chunks are cut', async () => {
    const api = createKubeApi(
      await serve((_, response) => {
        const bytes = Buffer.from('{"a":"é"}\n\n{"b":2}\n{"c":3}\n');
        response.writeHead(200);
        for (const byte of bytes) response.write(Buffer.of(byte));
        response.end();
      }),
    );
    const events: unknown[] = [];
    const { signal } = new AbortController();
    await api.stream({ path: '/', query: {}, onEvent: (e) => events.push(e), deadlineMs: 5_000, signal });
    expect(events).toEqual([{ a: 'é' }, { b: 2 }, { c: 3 }]);
  });

  it('cannot keep a stream open beyond its deadline (case H9: silence is noticed)', async () => {
    const api = createKubeApi(
      await serve((_, response) => {
        response.writeHead(200).write('{"a":1}\n');
      }),
    );
    const { signal } = new AbortController();
    const stream = api.stream({ path: '/', query: {}, onEvent: () => undefined, deadlineMs: 200, signal });
    await expect(stream).rejects.toBeInstanceOf(KubeUnreachableError);
  });

  it('ends a stream if the caller rejects an event', async () => {
    const api = createKubeApi(await serve((_, response) => void response.writeHead(200).write('{"a":1}\n')));
    const onEvent = (): void => {
      throw new KubeApiError(410, 'too old');
    };
    const { signal } = new AbortController();
    await expect(
      api.stream({ path: '/', query: {}, onEvent, deadlineMs: 5_000, signal }),
    ).rejects.toMatchObject({ status: 410 });
  });
});

describe('access', () => {
  it('reads a kubeconfig, and reads it again after a refusal (case H9: tokens rotate)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-kube-'));
    cleanUp.push(() => rm(folder, { recursive: true }));
    const file = join(folder, 'config');
    const write = (token: string): Promise<void> =>
      writeFile(
        file,
        JSON.stringify({
          clusters: [
            { name: 'c', cluster: { server: 'http://127.0.0.1:1/', 'insecure-skip-tls-verify': true } },
          ],
          users: [{ name: 'u', user: { token } }],
          contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
          'current-context': 'x',
        }),
      );
    await write('one');
    const access = createAccess({ kind: 'kubeconfig', file });
    const authorization = async (): Promise<string> =>
      textAt((await access.next()).options.headers, 'Authorization');
    expect((await access.next()).server).toBe('http://127.0.0.1:1');
    expect(await authorization()).toBe('Bearer one');
    await write('two');
    expect(await authorization()).toBe('Bearer one');
    access.refused();
    expect(await authorization()).toBe('Bearer two');
  }, 30_000); // loads the whole library

  it("uses the pod's token, read again for each request", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-account-'));
    cleanUp.push(() => rm(folder, { recursive: true }));
    const access = createAccess({ kind: 'inCluster', server: 'https://api.example/', folder });
    for (const token of ['one', 'two']) {
      await writeFile(join(folder, 'token'), `${token}\n`);
      await writeFile(join(folder, 'ca.crt'), `authority ${token}`);
      expect(await access.next()).toEqual({
        server: 'https://api.example',
        options: {
          agent: false,
          ca: Buffer.from(`authority ${token}`),
          headers: { authorization: `Bearer ${token}` },
        },
      });
    }
  });

  it('reports a missing file', async () => {
    await expect(createAccess({ kind: 'kubeconfig', file: '/nowhere/config' }).next()).rejects.toThrow();
    const pod = createAccess({ kind: 'inCluster', server: 'https://api.example', folder: '/nowhere' });
    await expect(pod.next()).rejects.toThrow();
  });
});
