import { describe, expect, it } from 'vitest';
import { readValue } from './read-value.ts';

const input = (...texts: readonly string[]) => ({
  name: 'standard input',
  path: undefined,
  size: undefined,
  repeatable: false,
  chunks: async function* () {
    for (const text of texts) yield Buffer.from(text);
  },
  close: () => undefined,
});

describe('readValue', () => {
  it('joins chunks and drops the white space of JSON around the value', async () => {
    const value = await readValue(input('\n  {"a":', '"é "}', ' \r\n\t'));
    expect(Buffer.from(value).toString()).toBe('{"a":"é "}');
  });

  it("leaves other bytes to the message's check", async () => {
    expect(Buffer.from(await readValue(input('1\u00a0\n'))).toString()).toBe('1\u00a0');
  });

  it('refuses empty input, and too much input', async () => {
    await expect(readValue(input(' \n'))).rejects.toThrow('standard input is empty');
    await expect(readValue(input(...Array(17).fill(' '.repeat(65_536))))).rejects.toThrow('1048576 bytes');
  });
});
