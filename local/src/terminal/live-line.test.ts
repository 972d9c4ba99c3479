import { expect, it } from 'vitest';
import { canShowLiveLine, LiveLine } from './live-line.ts';

const ERASE_LINE = '\u001b[2K';

/** A terminal that knows what is used here: new lines, returns to the start of a line, and erased lines. */
class FakeTerminal {
  #lines: string[] = [''];

  readonly write = (text: string): void => {
    for (const part of text.replaceAll(ERASE_LINE, '\0').split(/([\n\r\0])/)) {
      const last = this.#lines.length - 1;
      if (part === '\n') this.#lines.push('');
      else if (part === '\0') this.#lines[last] = '';
      else if (part !== '\r') this.#lines[last] += part;
    }
  };

  get screen(): string {
    return this.#lines.join('\n');
  }
}

it('stays below the lines that come, and changes in place', () => {
  const terminal = new FakeTerminal();
  const line = new LiveLine({ write: terminal.write, columns: () => 80 });
  line.write('ready\n');
  line.show(() => '1 client');
  line.write('shard desktop-1 crashed\n  more of it\n');
  expect(terminal.screen).toBe('ready\nshard desktop-1 crashed\n  more of it\n1 client');
  line.show(() => '2 clients');
  expect(terminal.screen).toBe('ready\nshard desktop-1 crashed\n  more of it\n2 clients');
  line.hide();
  line.write('stopping\n');
  expect(terminal.screen).toBe('ready\nshard desktop-1 crashed\n  more of it\nstopping\n');
});

it('writes no control codes before it is shown and after it is hidden', () => {
  const written: string[] = [];
  const line = new LiveLine({ write: (text) => written.push(text), columns: () => 80 });
  line.hide();
  line.write('a\n');
  line.show(() => 'x');
  line.hide();
  written.length = 0;
  line.hide();
  line.write('b\n');
  expect(written).toEqual(['b\n']);
});

it('follows the width of the terminal', () => {
  const terminal = new FakeTerminal();
  let columns = 11;
  const line = new LiveLine({ write: terminal.write, columns: () => columns });
  line.show((width) => '0123456789abcdef'.slice(0, width));
  expect(terminal.screen).toBe('0123456789');
  columns = 6;
  line.write('');
  expect(terminal.screen).toBe('01234');
});

it('needs a terminal that can erase a line', () => {
  expect(canShowLiveLine({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' })).toBe(true);
  expect(canShowLiveLine({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  expect(canShowLiveLine({}, { TERM: 'xterm' })).toBe(false);
});
