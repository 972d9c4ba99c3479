// The version of this build, from this package's package.json.
import { readFileSync } from 'node:fs';

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const found = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return found && typeof manifest.version === 'string' ? manifest.version : 'unknown';
}

/** The running version of Weir, for `--version`, metrics and logs. */
export const WEIR_VERSION: string = readVersion();
