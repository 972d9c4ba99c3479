// examples/lobby in Chromium: the tests of live-page.ts for plain HTML and the script of the SDK. The examples that need an
// installation are in test/lab/packages.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOBBY } from '../../harness/feeds.ts';
import { serveFolder } from '../../harness/folder-server.ts';
import { PRINTED_URL, survives } from '../../harness/live-page.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

survives('examples/lobby', LOBBY, async (options) => {
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
});
