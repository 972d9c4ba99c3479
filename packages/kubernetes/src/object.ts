// Reads objects of the API server. Their type is unknown until checked; no function here throws.

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The used part of `metadata`. */
export interface ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether the object has been deleted and is about to disappear. */
  readonly deleted: boolean;
}

/** Whether this is a JSON object, and not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of an object; undefined if there is none, or if it is not an object. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** The text at a path; empty if there is none. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = member(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The list at a path; empty if there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = member(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The string values of a map such as labels. */
export function textMapAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> {
  const found = member(value, ...path);
  if (!isObject(found)) return {};
  const texts = Object.entries(found).flatMap(([name, text]) =>
    typeof text === 'string' ? [[name, text] as const] : [],
  );
  return Object.fromEntries(texts);
}

/** The `metadata` of an object; undefined if it has no name. */
export function readMeta(value: unknown): ObjectMeta | undefined {
  const name = textAt(value, 'metadata', 'name');
  if (name === '') return undefined;
  return {
    name,
    uid: textAt(value, 'metadata', 'uid'),
    resourceVersion: textAt(value, 'metadata', 'resourceVersion'),
    labels: textMapAt(value, 'metadata', 'labels'),
    annotations: textMapAt(value, 'metadata', 'annotations'),
    deleted: textAt(value, 'metadata', 'deletionTimestamp') !== '',
  };
}
