// What follows a close: the table of the protocol in few bytes, since every byte counts in a browser. A test holds the
// two together.
import type { AfterClose, CloseName } from '@weir/protocol';

/** The codes that the client says or treats by themselves. */
export const codes: Readonly<
  Record<CloseName & ('normal' | 'moved' | 'tooSlow' | 'noPong' | 'noCapacity'), number>
> = {
  normal: 1000,
  moved: 4002,
  tooSlow: 4008,
  noPong: 4009,
  noCapacity: 4013,
};

/** Any code that does not stand here. */
const REST: AfterClose = 'backOff';
const AFTER: Readonly<Record<number, AfterClose>> = {
  1000: 'nothing',
  4001: 'redirect',
  4002: 'nothing',
  4003: 'router',
  4008: 'router',
  4009: 'router',
  4010: 'router',
  4012: 'wait',
};

export function afterClose(code: number): AfterClose {
  return code >= 4500 && code <= 4999 ? 'stop' : (AFTER[code] ?? REST);
}
