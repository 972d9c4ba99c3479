// Label selectors in Kubernetes' syntax: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. Pure and bounded.

/** One condition on a label. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'above' | 'below';
  readonly values: readonly string[];
}

/** All requirements must hold; an empty list selects everything. */
export type Selector = readonly Requirement[];

/** The text is not a selector. */
export class SelectorError extends Error {
  readonly code = 'SELECTOR_INVALID';

  constructor(message: string) {
    super(message);
    this.name = 'SelectorError';
  }
}

const maxChars = 8_192;
const maxRequirements = 64;
const maxValues = 256;

const keyPattern =
  /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/** Parses a selector; throws a `SelectorError` that says what is wrong. */
export function parseSelector(text: string): Selector {
  if (text.length > maxChars) throw new SelectorError(`a selector has at most ${maxChars} characters`);
  if (text.trim() === '') return [];
  const parts = splitOutside(text);
  if (parts.length > maxRequirements)
    throw new SelectorError(`a selector has at most ${maxRequirements} requirements`);
  return parts.map(parseRequirement);
}

/** Whether these labels fulfil all requirements. */
export function matchesSelector(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every((one) => holds(one, Object.hasOwn(labels, one.key) ? labels[one.key] : undefined));
}

/** The selector in the form of a metric's field `selector`; undefined for the empty one. */
export function labelSelectorObject(selector: Selector): unknown {
  if (selector.length === 0) return null;
  const names = { in: 'In', notin: 'NotIn', exists: 'Exists', absent: 'DoesNotExist' } as const;
  const matchExpressions = selector.flatMap(({ key, operator, values }) =>
    operator === 'above' || operator === 'below'
      ? []
      : [{ key, operator: names[operator], ...(values.length === 0 ? {} : { values }) }],
  );
  return { matchExpressions };
}

function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'above':
      return isWhole(value) && Number(value) > Number(values[0]);
    case 'below':
      return isWhole(value) && Number(value) < Number(values[0]);
  }
}

function isWhole(value: string | undefined): value is string {
  return value !== undefined && /^-?\d{1,15}$/.test(value);
}

/** Splits at the commas outside parentheses. */
function splitOutside(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (depth < 0 || depth > 1) throw new SelectorError('the parentheses of a selector do not fit');
    if (char !== ',' || depth > 0) continue;
    parts.push(text.slice(from, at));
    from = at + 1;
  }
  if (depth !== 0) throw new SelectorError('the parentheses of a selector do not fit');
  parts.push(text.slice(from));
  return parts;
}

function parseRequirement(part: string): Requirement {
  const text = part.trim();
  const set = /^([^\s()=!<>,]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => checkValue(value.trim()));
    if (values.length > maxValues) throw new SelectorError(`a set has at most ${maxValues} values`);
    return { key: checkKey(key), operator: operator === 'in' ? 'in' : 'notin', values };
  }
  const compared = /^([^\s()=!<>,]+)\s*(==|=|!=|>|<)\s*([^\s()=!<>,]*)$/.exec(text);
  if (compared !== null) {
    const [, key = '', sign, value = ''] = compared;
    if (sign === '>' || sign === '<') {
      if (!isWhole(value)) throw new SelectorError(`${sign} needs a whole number`);
      return { key: checkKey(key), operator: sign === '>' ? 'above' : 'below', values: [value] };
    }
    return { key: checkKey(key), operator: sign === '!=' ? 'notin' : 'in', values: [checkValue(value)] };
  }
  if (text.startsWith('!')) return { key: checkKey(text.slice(1).trim()), operator: 'absent', values: [] };
  return { key: checkKey(text), operator: 'exists', values: [] };
}

function checkKey(key: string): string {
  if (!keyPattern.test(key)) throw new SelectorError('a selector has a key that is no label name');
  return key;
}

function checkValue(value: string): string {
  if (!valuePattern.test(value)) throw new SelectorError('a selector has a value that is no label value');
  return value;
}
