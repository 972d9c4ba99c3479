// Mistakes of the caller, said at once and in a sentence: half of all callers write JavaScript, without types.
import type { ConnectOptions, ResumeStorage } from './public.ts';

type Check = readonly [is: (value: unknown) => boolean, must: string];

const text: Check = [(value) => typeof value === 'string', 'must be a string'];
const number: Check = [(value) => typeof value === 'number' && value >= 0, 'must be a number, 0 or more'];
const callable: Check = [(value) => typeof value === 'function', 'must be a class'];

const object: Check = [(value) => typeof value === 'object' && value !== null, 'must be an object'];

const CHECKS: Readonly<Record<keyof ConnectOptions, Check>> = {
  url: text,
  channels: [Array.isArray, 'must be an array of names'],
  token: [
    (value) => typeof value === 'string' || typeof value === 'function',
    'must be a string, or a function',
  ],
  class: text,
  WebSocket: callable,
  conflateMs: number,
  queueLimit: number,
  quietMs: number,
  resume: [
    // The caller may not have types.
    (value) => typeof (value as ResumeStorage | null)?.getItem === 'function',
    'must be a storage',
  ],
  critical: object,
  reconnect: object,
};

/** Throws a TypeError for an option that does not exist, is missing, or is of another kind. */
export function checkOptions(options: ConnectOptions): void {
  // The caller may not have types: nothing of what they promise is taken for granted here.
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError('connect() takes an object with a url');
  }
  for (const [name, value] of Object.entries({ url: undefined, ...given })) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof ConnectOptions] : undefined;
    if (check === undefined) {
      throw new TypeError(`connect() has no option ${name}; there are ${Object.keys(CHECKS).join(', ')}`);
    }
    // The one that must be there.
    if ((value !== undefined || name === 'url') && !check[0](value))
      throw new TypeError(`connect(): ${name} ${check[1]}`);
  }
}
