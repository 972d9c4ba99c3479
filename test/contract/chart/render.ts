// The output of `helm template` as objects, or Helm's refusal. Finds the installed versions of Helm.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';

export const root: string = fileURLToPath(new URL('../../..', import.meta.url));
const chart = `${root}charts/weir`;

export interface Helm {
  readonly program: string;
  readonly version: string;
}

/** `helm`, `helm4` and `helm3` of the PATH, one for each major version. */
export const helms: readonly Helm[] = findHelms();

function findHelms(): readonly Helm[] {
  const found = new Map<string, Helm>();
  for (const program of ['helm', 'helm4', 'helm3']) {
    const { status, stdout } = spawnSync(program, ['version', '--short'], { encoding: 'utf8' });
    // A Helm built by `go install` has no patch level.
    const version = status === 0 ? /v(\d+\.\d+(\.\d+)?)/.exec(stdout)?.[1] : undefined;
    const major = version?.split('.')[0];
    if (version !== undefined && major !== undefined && !found.has(major))
      found.set(major, { program, version });
  }
  return [...found.values()];
}

/** Values of charts/weir/ci by file name. */
export const ciValues: ReadonlyMap<string, unknown> = new Map(
  readdirSync(`${chart}/ci`).map((name) => [
    name,
    parseAllDocuments(readFileSync(`${chart}/ci/${name}`, 'utf8'))[0]?.toJS() ?? {},
  ]),
);

export interface Rendering {
  readonly objects: readonly Kubernetes[];
  /** Helm's error output if it refused; otherwise empty. */
  readonly refusal: string;
}

export interface RenderOptions {
  readonly helm?: Helm | undefined;
  readonly release?: string;
  readonly kube?: string;
  /** How Helm gets the values. */
  readonly by?: 'yaml' | 'json' | 'set';
}

/** Renders the chart with these values. */
export function render(
  values: unknown,
  { helm = helms[0], release = 'weir', kube = '1.34.0', by = 'yaml' }: RenderOptions = {},
): Rendering {
  if (helm === undefined) throw new Error('there is no helm');
  const key = JSON.stringify([values, helm.program, release, kube, by]);
  const known = rendered.get(key);
  if (known !== undefined) return known;
  const rendering = renderAnew(values, { helm, release, kube, by });
  rendered.set(key, rendering);
  return rendering;
}

const rendered = new Map<string, Rendering>();

function renderAnew(
  values: unknown,
  { helm, release, kube, by }: { helm: Helm; release: string; kube: string; by: string },
): Rendering {
  const args = ['template', release, chart, '--namespace', 'live', '--kube-version', kube];
  const given = by === 'set' ? ['--set', assignments(values).join(',')] : ['--values', '-'];
  const { status, stdout, stderr } = spawnSync(helm.program, [...args, ...given], {
    encoding: 'utf8',
    input: by === 'yaml' ? stringify(values) : JSON.stringify(values),
    maxBuffer: 1e8,
  });
  if (status !== 0) return { objects: [], refusal: stderr };
  const objects = parseAllDocuments(stdout).flatMap((document) => {
    const object: unknown = document.toJS();
    return object === null ? [] : [new Kubernetes(object)];
  });
  return { objects, refusal: '' };
}

/** In the form for `--set`: `a.b=1`. */
function assignments(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [`${path}=${String(value)}`];
  return Object.entries(value).flatMap(([key, inner]) =>
    assignments(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** One Kubernetes object. Fields are read by path, since there are many kinds. */
export class Kubernetes {
  readonly #object: unknown;

  constructor(object: unknown) {
    this.#object = object;
  }

  get kind(): string {
    return this.text('kind');
  }

  get name(): string {
    return this.text('metadata.name');
  }

  /** The value at a path such as `spec.template.spec`; undefined if missing. Write a dot in a key as `\.`. */
  at(path: string): unknown {
    return path
      .split(/(?<!\\)\./)
      .reduce((value, key) => read(value, key.replaceAll('\\.', '.')), this.#object);
  }

  text(path: string): string {
    return String(this.at(path) ?? '');
  }

  list(path: string): readonly Kubernetes[] {
    const value = this.at(path);
    return Array.isArray(value) ? value.map((one: unknown) => new Kubernetes(one)) : [];
  }

  /** The specification of its pods; undefined for objects without pods. */
  get podSpec(): Kubernetes | undefined {
    const spec = this.kind === 'Pod' ? this.at('spec') : this.at('spec.template.spec');
    return spec === undefined ? undefined : new Kubernetes(spec);
  }

  get whole(): unknown {
    return this.#object;
  }
}

function read(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
