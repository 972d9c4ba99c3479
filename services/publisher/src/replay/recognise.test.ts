import { describe, expect, it } from 'vitest';
import { recognise, through } from './recognise.ts';

const about = (first: Buffer, path?: string) => recognise(first, { where: path ?? 'standard input', path });
const text = '{"t":1,"lane":"critical"}\n';

describe('recognise', () => {
  it('recognises lines, also after a byte order mark', () => {
    expect(about(Buffer.from(text))).toEqual({ form: 'plain', skip: 0 });
    expect(about(Buffer.from(`\ufeff${text}`))).toEqual({ form: 'plain', skip: 3 });
    expect(about(Buffer.alloc(0))).toEqual({ form: 'plain', skip: 0 });
    expect(about(Buffer.from('\n'))).toEqual({ form: 'plain', skip: 0 });
  });

  it('recognises the formats that it can unpack', () => {
    expect(about(Buffer.from('1f8b0800', 'hex'))).toEqual({ form: 'gzip' });
    expect(about(Buffer.from('28b52ffd2400', 'hex'))).toEqual({ form: 'zstd' });
    expect(about(Buffer.from('502a4d180300', 'hex'))).toEqual({ form: 'zstd' });
  });

  it.each([
    ['bzip2', Buffer.from('BZh91AY'), 'bzip2 -dc'],
    ['xz', Buffer.from('fd377a585a000004', 'hex'), 'xz -dc'],
    ['lz4', Buffer.from('04224d186440', 'hex'), 'lz4 -dc'],
    ['a zip archive', Buffer.from('504b03041400', 'hex'), 'unzip -p'],
    ['a 7z archive', Buffer.from('377abcaf271c', 'hex'), '7z x -so'],
    ['a tar archive', Buffer.concat([Buffer.alloc(257, 'x'), Buffer.from('ustar')]), 'tar -xOf'],
    ['UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le'), 'iconv -f UTF-16 '],
    ['UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), 'iconv -f UTF-16 '],
    ['UTF-16', Buffer.from(text, 'utf16le'), 'iconv -f UTF-16LE '],
    ['UTF-16', Buffer.from(text, 'utf16le').swap16(), 'iconv -f UTF-16BE '],
    ['UTF-32', Buffer.from('fffe00007b000000', 'hex'), 'iconv -f UTF-32 '],
    ['UTF-32', Buffer.from('0000feff0000007b', 'hex'), 'iconv -f UTF-32 '],
    ['one JSON array', Buffer.from('\n  [{"t":1}]'), "jq -c '.[]'"],
  ])('says of %s what it is and what to do', (name, first, command) => {
    const found = about(first, 'day 1.rec');
    expect(found).toHaveProperty('problem');
    expect(found).toMatchObject({ problem: expect.stringContaining(`day 1.rec is ${name}, not lines`) });
    expect(found).toMatchObject({ problem: expect.stringContaining(command) });
    expect(found).toMatchObject({ problem: expect.stringContaining("'day 1.rec' | weir-publish replay -") });
  });
});

describe('through', () => {
  it('returns a command that works in a shell', () => {
    expect(through('xz -dc', undefined)).toBe('xz -dc | weir-publish replay -');
    expect(through('xz -dc', 'a/b.xz')).toBe('xz -dc a/b.xz | weir-publish replay -');
    expect(through('xz -dc', "it's")).toBe("xz -dc 'it'\\''s' | weir-publish replay -");
  });
});
