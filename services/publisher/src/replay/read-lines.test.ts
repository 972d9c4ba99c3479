import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Line } from './read-lines.ts';
import { readLines, splitLines } from './read-lines.ts';

async function all(lines: AsyncIterable<Line>): Promise<readonly (readonly [number, string | undefined])[]> {
  const found: (readonly [number, string | undefined])[] = [];
  for await (const { number, bytes } of lines) found.push([number, bytes?.toString()]);
  return found;
}

async function* chunksOf(text: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const size of sizes) {
    yield text.subarray(from, from + size);
    from += size;
  }
  yield text.subarray(from);
}

describe('splitLines', () => {
  it('gives the same lines however the bytes are cut', async () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\r'), maxLength: 5 }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(6)), fc.boolean(), async (texts, sizes, newlineAtEnd) => {
        const text = texts.join('\n') + (newlineAtEnd ? '\n' : '');
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        const cut = await all(splitLines(chunksOf(Buffer.from(text), sizes), 1_000));
        expect(cut).toEqual(expected.map((line, i) => [i + 1, line]));
      }),
    );
  });

  it('drops a line that is too long and goes on behind it', async () => {
    const text = Buffer.from(`ok\n${'x'.repeat(100)}\nok\n`);
    expect(await all(splitLines(chunksOf(text, [10, 10, 10]), 20))).toEqual([
      [1, 'ok'],
      [2, undefined],
      [3, 'ok'],
    ]);
  });
});

describe('readLines', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-lines-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads plain and gzip alike, whatever the name, and tells how far it is', async () => {
    const text = Array.from({ length: 5_000 }, (_, i) => `{"t":${i}}\n`).join('');
    const path = join(folder, 'lines');
    for (const bytes of [Buffer.from(text), gzipSync(text)]) {
      await writeFile(path, bytes);
      const reader = await readLines(path, 1_000);
      const lines = await all(reader.lines);
      expect(lines).toHaveLength(5_000);
      expect(lines[4_999]).toEqual([5_000, '{"t":4999}']);
      expect(reader.progress()).toBe(1);
    }
  });

  it('reads an empty file', async () => {
    const path = join(folder, 'empty');
    await writeFile(path, '');
    const reader = await readLines(path, 1_000);
    expect(await all(reader.lines)).toEqual([]);
  });

  it('says when a file is not there or its gzip is broken', async () => {
    await expect(readLines(join(folder, 'none'), 1_000)).rejects.toThrow('ENOENT');
    const path = join(folder, 'broken');
    await writeFile(path, gzipSync('{"t":1}\n'.repeat(1_000)).subarray(0, 30));
    const reader = await readLines(path, 1_000);
    await expect(all(reader.lines)).rejects.toThrow(/unexpected end/);
  });
});
