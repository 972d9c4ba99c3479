// The runtimes that the SDK is tried on, as npm packages: each is the one program.

const program = `node-${process.platform}-${process.arch}`;

export const NODES = { node20: '20.19.6', node22: '22.23.5', node24: '24.22.3' } as const;

/** What a registry is asked for to have them all. */
export const RUNTIMES: readonly string[] = [
  ...Object.entries(NODES).map(([name, version]) => `${name}@npm:${program}@${version}`),
  'bun@1.4.5',
  'deno@2.9.6',
];

/** How Deno runs a file of an application. */
export const DENO_RUN = ['run', '--allow-all', '--node-modules-dir=manual'] as const;
