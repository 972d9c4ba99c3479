// Serves examples/lobby as a page of its own, with the built script of the SDK.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveFolder } from './folder-server.ts';
import type { Serve } from './live-page.ts';
import { PRINTED_URL } from './live-page.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export const serveLobby: Serve = async (options) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-lobby-'));
  cpSync(join(root, 'examples/lobby'), folder, { recursive: true });
  cpSync(join(root, 'packages/client/dist/weir.global.js'), join(folder, 'weir.global.js'));
  const server = await serveFolder(folder, (text) => text.replace(PRINTED_URL, options));
  return {
    url: server.url,
    stop() {
      server.stop();
      rmSync(folder, { recursive: true });
    },
  };
};
