// Turns values into text and elements. Inserts text only as text, never as HTML.

/** A value as text: numbers formatted for people, the rest as short JSON. */
export function words(value) {
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 2 });
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '–';
  return JSON.stringify(value);
}

export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Changes a text only where it is another one: the browser then lays out less. */
export function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** A sentence in which no name such as desktop-1 breaks in two. */
export const sentence = (text) => text.replace(/(\w)-(?=\w)/g, '$1\u2011');

export const byId = (id) => document.getElementById(id);

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
export const count = (value) => whole.format(value);

/** 87 ms, 1.3 s, 142 s. No line breaks between a number and its unit, here and below. */
export function duration(ms) {
  if (ms === undefined || Number.isNaN(ms)) return '–';
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}\u00a0ms`;
  return `${(ms / 1_000).toFixed(ms < 100_000 ? 1 : 0)}\u00a0s`;
}

export function bytes(value) {
  if (value < 1_000) return `${Math.round(value)}\u00a0B`;
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)}\u00a0KB`;
  return `${(value / 1_000_000).toFixed(1)}\u00a0MB`;
}

export function rate(kbps) {
  if (kbps === undefined) return 'rate unknown';
  return kbps >= 1_000 ? `${(kbps / 1_000).toFixed(1)}\u00a0Mbit/s` : `${Math.round(kbps)}\u00a0kbit/s`;
}

export const isStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
