// `node scripts/release-notes.mjs v1.2.3`: prints the section of CHANGELOG.md for that version. Fails if a released
// package has another version, or if the section is missing or empty.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [tag = '', root = fileURLToPath(new URL('..', import.meta.url))] = process.argv.slice(2);
const version = /^v(\d+\.\d+\.\d+(?:-[\w.]+)?)$/.exec(tag)?.[1];
const problems = [];

const read = (path) => readFileSync(join(root, path), 'utf8');
const folders = (path) => readdirSync(join(root, path)).map((name) => `${path}/${name}`);

if (version === undefined) problems.push(`a tag is v1.2.3 or v1.2.3-rc.1, not '${tag}'`);
else {
  for (const folder of ['.', ...folders('packages'), ...folders('services')]) {
    const path = join(folder, 'package.json');
    const found = JSON.parse(read(path)).version;
    if (found !== version) problems.push(`${path} has version ${found}`);
  }
  const chart = 'charts/weir/Chart.yaml';
  for (const name of ['version', 'appVersion']) {
    const found = new RegExp(`^${name}: "?([^"\\n]+)"?$`, 'm').exec(read(chart))?.[1];
    if (found !== version) problems.push(`${chart} has ${name} ${found}`);
  }
}

const sections = read('CHANGELOG.md').split(/^## /m);
const section = sections.find((text) => text.startsWith(`[${version}]`));
const notes = section?.slice(section.indexOf('\n')).trim();
if (version !== undefined && !notes) problems.push(`CHANGELOG.md says nothing under [${version}]`);

for (const problem of problems) console.error(`release ${tag}: ${problem}`);
if (problems.length > 0) process.exit(1);
console.log(notes);
