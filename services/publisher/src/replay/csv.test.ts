import { describe, expect, it } from 'vitest';
import { CsvRecords } from './csv.ts';

async function records(text: string, columns?: readonly string[]): Promise<readonly string[]> {
  const csv = new CsvRecords(columns);
  const out: string[] = [];
  const lines = text.split('\n').map((line, at) => ({ number: at + 1, bytes: Buffer.from(line) }));
  async function* source() {
    yield* lines;
  }
  for await (const { number, bytes } of csv.lines(source())) {
    const record = csv.record(bytes ?? Buffer.alloc(0));
    out.push(`${number} ${'value' in record ? record.value.toString() : record.problem.message}`);
  }
  return out;
}

describe('comma-separated values', () => {
  it('become objects: numbers as written, the rest as text', async () => {
    expect(await records('hex,lat,note\n4ca8e4,51.470,"a ""b"", c"\n007,-1.5e3,true\r\n"5",,\u00e9')).toEqual(
      [
        '2 {"hex":"4ca8e4","lat":51.470,"note":"a \\"b\\", c"}',
        '3 {"hex":"007","lat":-1.5e3,"note":"true"}',
        '4 {"hex":"5","lat":null,"note":"\u00e9"}',
      ],
    );
  });

  it('are refused line by line if cells and columns differ', async () => {
    expect(await records('a,b\n1\n1,2,3\n"1,2\n1,2"x')).toEqual([
      expect.stringMatching(/^2 the line has 1 cell; the first line names 2 columns/),
      expect.stringMatching(/^3 the line has 3 cells/),
      expect.stringMatching(/^4 the line has a quote that is not closed/),
      expect.stringMatching(/^5 the line has a quote/),
    ]);
  });

  it('in another encoding than UTF-8 are refused, not published with other characters', async () => {
    const latin1 = (text: string) => Buffer.from(text, 'latin1');
    const csv = new CsvRecords();
    async function* source(...lines: readonly Buffer[]) {
      yield* lines.map((bytes, at) => ({ number: at + 1, bytes }));
    }
    for await (const { bytes } of csv.lines(source(latin1('sym'), latin1('caf\u00e9'))))
      expect(csv.record(bytes ?? latin1(''))).toMatchObject({ problem: { code: 'NOT_UTF8' } });
    await expect(csv.lines(source(latin1('pr\u00e9nom'))).next()).rejects.toThrow('is not valid UTF-8');
  });

  it('keep addresses that look like exponents as text', async () => {
    expect(await records('a,b,c,d\n3E1234,4e10,1e-05,1.0E10')).toEqual([
      '2 {"a":"3E1234","b":"4e10","c":1e-05,"d":1.0E10}',
    ]);
  });

  it('take the names of the columns from the caller', async () => {
    expect(await records('MSG,3,4CA8E4\nMSG,4', ['msg', 'type', 'hex'])).toEqual([
      '1 {"msg":"MSG","type":3,"hex":"4CA8E4"}',
      '2 the line has 2 cells; --columns names 3 columns',
    ]);
  });

  it('are refused if the first line is a record', async () => {
    await expect(records('5512345678,91233.10,True\n1,2,False')).rejects.toThrow(
      'it has the number 5512345678: if it is a record already, name them with --columns a,b,c',
    );
  });

  it.each(['a,', 'a,a', '"a'])('need names of columns, not %j', async (header) => {
    await expect(records(`${header}\n1,2`)).rejects.toThrow(/the first line/);
  });
});
