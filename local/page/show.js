// Turns values of any shape into text and elements. Inserts text only as text, never as HTML.

/** A value as text: numbers formatted for people, the rest as short JSON. */
export function words(value) {
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 2 });
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '–';
  if (typeof value === 'object' && !Array.isArray(value)) {
    return Object.entries(value)
      .map(([key, inner]) => `${key}: ${typeof inner === 'object' ? JSON.stringify(inner) : words(inner)}`)
      .join(', ');
  }
  return JSON.stringify(value);
}

export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A value's fields as a list of terms, or the value alone if it has none. */
export function fields(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return document.createTextNode(words(value));
  const rows = Object.entries(value).slice(0, 12);
  return element(
    'dl',
    'fields',
    ...rows.flatMap(([key, inner]) => {
      const text = words(inner);
      // Longer than a number or a name: this may break anywhere.
      return [element('dt', '', key), element('dd', /\S{16}/.test(text) ? 'long' : '', text)];
    }),
  );
}

/** The group of a key: the part before its number (`slot-42` belongs to `slot`). */
export function groupOf(key) {
  return /^(.+?)[-_]?\d+$/.exec(key)?.[1] ?? 'other';
}
