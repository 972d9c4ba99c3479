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

// As in the console (services/control/page/text.js): the same number looks the same. No line breaks between a number and
// its unit.
const NBSP = '\u00a0';
const fixed = (value) => (value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, ''));

/** 8.5 ms, 87 ms, 1.3 s, 142 s. */
export function duration(ms) {
  if (ms === undefined || Number.isNaN(ms)) return '–';
  if (ms >= 1_000) return `${fixed(ms / 1_000)}${NBSP}s`;
  return `${ms > 0 && ms < 10 ? fixed(ms) : Math.max(0, Math.round(ms))}${NBSP}ms`;
}

export function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let left = value;
  while (left >= 1_000 && at < units.length - 1) {
    left /= 1_000;
    at += 1;
  }
  return `${at === 0 ? Math.round(left) : fixed(left)}${NBSP}${units[at]}`;
}

export function rate(kbps) {
  if (kbps === undefined) return 'rate unknown';
  if (kbps >= 1_000_000) return `${fixed(kbps / 1_000_000)}${NBSP}Gbit/s`;
  return kbps >= 1_000 ? `${fixed(kbps / 1_000)}${NBSP}Mbit/s` : `${Math.round(kbps)}${NBSP}kbit/s`;
}

export const isStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
