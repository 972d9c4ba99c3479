// Builds a Centrifugo server with Go, once, into a folder that git ignores: test/cluster/migrate runs it beside Weir. Without
// Go that test is skipped by name.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../set-up.mjs';

const VERSION = 'v6.9.1';
const FOLDER = join(ROOT, '.cache/centrifugo', VERSION);

/** The path of the server, which need not be there. */
export function provideCentrifugo(say) {
  const path = process.env['WEIR_CENTRIFUGO'] ?? join(FOLDER, 'centrifugo');
  if (existsSync(path)) return path;
  say(`building Centrifugo ${VERSION} with Go, once: this takes minutes`);
  const env = { ...process.env, GOBIN: FOLDER };
  const { status, error } = spawnSync('go', ['install', `github.com/centrifugal/centrifugo/v6@${VERSION}`], {
    env,
    stdio: 'inherit',
  });
  if (status !== 0) say(`no Centrifugo (${error?.message ?? `go install ended with ${status}`})`);
  return path;
}
