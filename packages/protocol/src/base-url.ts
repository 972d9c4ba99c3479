// The public URL of a router or a shard, to which paths are added. The same rule applies in settings and in heartbeats.
import { limits } from './limits.ts';

/**
 * The base URL in `text`, without slashes at its end: `ws(s)://host[:port][/path]` of at most `limits.baseUrlChars`
 * characters, without user, query and fragment.
 * @throws an Error that says which form the URL must have.
 */
export function parseBaseUrl(text: string): string {
  const base = text.replace(/\/+$/, '');
  if (!isBaseUrl(base)) {
    throw new Error(
      `must be a ws:// or wss:// URL without user, query and fragment, of at most ${limits.baseUrlChars} characters`,
    );
  }
  return base;
}

/** Whether a text is a base URL as `parseBaseUrl` returns it. */
export function isBaseUrl(text: string): boolean {
  const plain = text.length <= limits.baseUrlChars && /^wss?:\/\/[!$-;=A-Z[\]_a-z~]+$/.test(text);
  return plain && !text.endsWith('/') && URL.canParse(text) && new URL(text).hostname !== '';
}
