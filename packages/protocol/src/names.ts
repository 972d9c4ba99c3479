// The rules for names: channels, keys, pools and shards. Checks each name from outside once.
import { limits } from './limits.ts';

const TOKEN = /^[A-Za-z0-9_-]+$/;
const CHANNEL = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const PATTERN = /^(?:>|(?:(?:[A-Za-z0-9_-]+|\*)\.)*(?:[A-Za-z0-9_-]+|\*|>))$/;

/** What a channel name is, for errors that people read. */
export const CHANNEL_RULE: string = `tokens of letters, digits, - and _ joined by dots (at most ${limits.channelChars} characters, ${limits.channelTokens} tokens), such as lobby or sports.42`;

/** Whether `text` is one token of `[A-Za-z0-9_-]`, the form of keys, pools and shard ids. */
export function isToken(text: string, maxChars: number = limits.keyChars): boolean {
  return text.length <= maxChars && TOKEN.test(text);
}

/** Whether `text` is a channel: tokens joined by dots, within the limits of length and depth. */
export function isChannel(text: string): boolean {
  return (
    text.length <= limits.channelChars && CHANNEL.test(text) && text.split('.').length <= limits.channelTokens
  );
}

/** Whether `text` is a pattern of channels: `*` stands for one token, a last `>` for one or more. */
export function isChannelPattern(text: string): boolean {
  return text.length <= limits.channelChars && PATTERN.test(text);
}

/** Whether one of the patterns covers the channel, with the meaning of NATS wildcards. */
export function channelAllowed(channel: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => pattern === channel || covers(pattern.split('.'), channel.split('.')));
}

function covers(pattern: readonly string[], tokens: readonly string[]): boolean {
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === '>') return i < tokens.length;
    if (i >= tokens.length || (pattern[i] !== '*' && pattern[i] !== tokens[i])) return false;
  }
  return pattern.length === tokens.length;
}

/** Why a list of channels was refused. */
export type ChannelListProblem = 'empty' | 'invalid' | 'tooMany' | 'tooLong';

/**
 * Checks a client's list of channels: valid names within the limits. Removes duplicates and keeps the order of the
 * first mention.
 */
export function parseChannels(
  names: readonly string[],
): { readonly channels: readonly string[] } | { readonly problem: ChannelListProblem } {
  if (names.length === 0) return { problem: 'empty' };
  if (names.length > limits.channelsPerConnection) return { problem: 'tooMany' };
  const channels = [...new Set(names)];
  if (!channels.every(isChannel)) return { problem: 'invalid' };
  if (charsOf(channels) > limits.channelsChars) return { problem: 'tooLong' };
  return { channels };
}

/** Total characters of all names, each with a comma. */
function charsOf(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + name.length + 1, 0);
}
