#!/usr/bin/env node
// The command as npm links it: npm only links a file that is there when it installs, which is before the build.
import { existsSync } from 'node:fs';

if (existsSync(new URL('../dist/bundle/cli/main.js', import.meta.url))) {
  await import('../dist/bundle/cli/main.js');
} else {
  console.error('weir-publish: nothing is built yet; npm start does it, and so does npm run build');
  process.exitCode = 1;
}
