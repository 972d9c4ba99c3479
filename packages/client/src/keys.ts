// Keys for texts that are no keys, apart from the rest of the SDK: most pages need none. docs/publishing.md has the rule.
import { escapeKey as keyOfText, unescapeKey as textOfKey } from '@weir/protocol';

/** The key of a text such as `1.200806927`. Throws a RangeError where it is empty, no valid Unicode, or too long. */
export function escapeKey(text: string): string {
  return keyOfText(text);
}

/** The text of a key of `state`; a key that is not escaped is its own text. */
export function unescapeKey(key: string): string {
  return textOfKey(key);
}
