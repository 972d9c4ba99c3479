// Keys for texts that are no tokens (`1.200806927`, `EUR/USD`): a reversible escaping. Pure.
//
//   slot-42       slot-42              a token stays as it is
//   1.200806927   __1_2E200806927      else: `__`, and each byte of UTF-8 but letters, digits and - as _HH
//   __a           ___5F_5Fa            so does a token that begins with `__`, so that no two texts have one key
import { limits } from './limits.ts';
import { isToken } from './names.ts';

const MARK = '__';

/** The key of a text. Throws a `RangeError` where the text is empty, no valid Unicode, or its key is too long. */
export function escapeKey(text: string): string {
  const key = isToken(text) && !text.startsWith(MARK) ? text : MARK + escaped(text);
  if (text !== '' && isToken(key)) return key;
  throw new RangeError(`a key has 1 to ${limits.keyChars} characters when it is escaped`);
}

/** The text of a key; a key that `escapeKey` cannot have made is its own text. */
export function unescapeKey(key: string): string {
  if (!key.startsWith(MARK)) return key;
  try {
    const text = decodeURIComponent(key.slice(MARK.length).replaceAll('_', '%'));
    return escapeKey(text) === key ? text : key;
  } catch {
    return key;
  }
}

/** Short, since it is in the SDK: URLs have the same bytes, with `%` for `_`, and leave seven more signs alone. */
function escaped(text: string): string {
  try {
    return encodeURIComponent(text)
      .replace(/[_.!~*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%', '_');
  } catch (cause) {
    throw new RangeError('a key must be valid Unicode', { cause });
  }
}
