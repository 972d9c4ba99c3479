// The place of a value in a foreign record: `.`, `.sym`, `.book.bids[0]`, `."odd name"`. Pure; cuts raw bytes out, so
// that numbers stay as written.
import { elementsOf, membersOf, trimmed } from './raw-json.ts';

/** A member's name, or the position of an element. */
export type RecordPath = readonly (string | number)[];

const STEP = /^(?:\.([A-Za-z0-9_$-]+)|\.("(?:[^"\\]|\\.)*")|\[(\d{1,6})\])/;

/** Reads a path; undefined for an invalid one. */
export function parseRecordPath(text: string): RecordPath | undefined {
  if (text === '.') return [];
  const steps: (string | number)[] = [];
  let rest = text.startsWith('.[') ? text.slice(1) : text;
  while (rest !== '') {
    const [whole, name, quoted, index] = STEP.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    try {
      steps.push(name ?? (quoted === undefined ? Number(index) : String(JSON.parse(quoted))));
    } catch {
      return undefined;
    }
    rest = rest.slice(whole.length);
  }
  return steps.length === 0 ? undefined : steps;
}

/** The bytes of a value in valid JSON; undefined if there is none. Of repeated members the last one counts. */
export function valueAt(json: Buffer, path: RecordPath): Buffer | undefined {
  let value: Buffer | undefined = trimmed(json);
  for (const step of path) {
    if (value === undefined) return undefined;
    value =
      typeof step === 'number'
        ? elementsOf(value, step)?.[step]
        : membersOf(value)?.findLast(({ name }) => name === step)?.value;
  }
  return value;
}
