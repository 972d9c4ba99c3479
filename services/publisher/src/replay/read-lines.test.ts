import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openInput } from './open-input.ts';
import type { Line } from './read-lines.ts';
import { readLines, splitLines } from './read-lines.ts';
import { hasZstd } from './unpack.ts';

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
  it('returns the same lines however the bytes are cut', async () => {
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

  it('drops a line that is too long and continues after it', async () => {
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

  /** Reads a file with this content; stops after `stop` lines. */
  async function reading(bytes: string | Buffer, stop = Number.POSITIVE_INFINITY) {
    const path = join(folder, 'lines');
    await writeFile(path, bytes);
    const input = openInput(path);
    const reader = readLines(input, 1_000);
    const lines: (string | undefined)[] = [];
    try {
      for await (const line of reader.lines) if (lines.push(line.bytes?.toString()) >= stop) break;
      return { lines, ...reader.progress(), error: undefined };
    } catch (error) {
      return { lines, ...reader.progress(), error };
    } finally {
      input.close();
    }
  }

  const many = Array.from({ length: 5_000 }, (_, i) => `{"t":${i},"r":"${(i * 7919) % 10_007}"}\n`);
  const text = many.join('');

  it.each([
    ['plain', Buffer.from(text)],
    ['gzip', gzipSync(text)],
    ['gzip in two parts', Buffer.concat([gzipSync(text.slice(0, 10_001)), gzipSync(text.slice(10_001))])],
    ['behind a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['gzip of a byte order mark', gzipSync(`\ufeff${text}`)],
  ])('reads %s, whatever the name', async (_, bytes) => {
    const { lines, done, readBytes } = await reading(bytes);
    expect(lines).toHaveLength(5_000);
    expect([lines[0], lines[4_999]]).toEqual([many[0]?.trim(), many[4_999]?.trim()]);
    expect([done, readBytes]).toEqual([1, bytes.length]);
  });

  it('reports lines returned, not bytes read ahead', async () => {
    for (const bytes of [Buffer.from(text), gzipSync(text)]) {
      const { done } = await reading(bytes, 1_000);
      expect(done).toBeGreaterThan(0.15);
      expect(done).toBeLessThan(0.25);
    }
  });

  it('opens a file once and can read it again', async () => {
    const path = join(folder, 'again');
    await writeFile(path, 'a\nb\n');
    const input = openInput(path);
    expect(input.repeatable).toBe(true);
    await rm(path);
    for (let round = 0; round < 3; round++) {
      expect(await all(readLines(input, 1_000).lines)).toEqual([
        [1, 'a'],
        [2, 'b'],
      ]);
    }
    input.close();
  });

  it('reads an empty file', async () => {
    expect(await reading('')).toMatchObject({ lines: [], error: undefined });
  });

  it('returns the lines before the cut of truncated gzip data, then reports it', async () => {
    const packed = gzipSync(text);
    for (const length of [packed.length - 1, packed.length - 8, Math.floor(packed.length / 2)]) {
      const { lines, error } = await reading(packed.subarray(0, length));
      expect(error).toMatchObject({ message: 'the gzip data ends too early: it is cut off' });
      expect(lines).toEqual(many.slice(0, lines.length).map((line) => line.trim()));
      expect(lines.length).toBeGreaterThan(2_000);
    }
  });

  it('reports damaged gzip data', async () => {
    const packed = gzipSync(text);
    packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 0xff;
    const { lines, error } = await reading(packed);
    expect(error).toMatchObject({ message: 'the gzip data is damaged (incorrect data check)' });
    expect(lines.length).toBeGreaterThan(4_000);
  });

  it('names formats that it cannot read, even if they are packed', async () => {
    expect((await reading('BZh91AY&SY')).error).toMatchObject({ message: /is bzip2/ });
    expect((await reading(gzipSync(Buffer.from(text, 'utf16le')))).error).toMatchObject({
      message: expect.stringContaining('holds in gzip is UTF-16'),
    });
    expect((await reading(gzipSync(gzipSync(text)))).error).toMatchObject({
      message: expect.stringContaining('gzip within gzip'),
    });
  });

  it('reads zstd if Node can, and says what to do otherwise', async () => {
    const frame = Buffer.from('28b52ffd6490007d0000407b2274223a307d0a010085530b17dcde2310', 'hex');
    const { lines, error } = await reading(Buffer.concat([frame, frame]));
    if (hasZstd) {
      expect(lines).toEqual(Array(100).fill('{"t":0}'));
      const cut = await reading(frame.subarray(0, -2));
      expect(cut.error).toMatchObject({ message: 'the zstd data ends too early: it is cut off' });
    } else {
      expect(lines).toEqual([]);
      expect(error).toMatchObject({
        message: expect.stringMatching(/22\.15.*zstd -dc .*weir-publish replay -/),
      });
    }
  });
});

describe('openInput', () => {
  it('explains why an input cannot be opened', () => {
    expect(() => openInput(tmpdir())).toThrow(`${tmpdir()} is a folder, not a file`);
    expect(() => openInput('/none/such')).toThrow('there is no file /none/such');
    expect(() => openInput('/dev/null/such')).toThrow('a part of the path is no folder');
  });
});
