// What the command writes. A reader that is gone (`| true`, `| head`) or a full disk changes nothing of what was
// published, so it changes no exit code either.

/** Installs the handlers; without them a write to a closed pipe would end the process. */
export function outliveReaders(): void {
  process.stdout.on('error', (error) => {
    if (!isGone(error)) tell(`weir-publish: standard output cannot be written: ${error.message}`);
  });
  // There is nowhere left to say it.
  process.stderr.on('error', () => undefined);
}

function isGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
}

/** The result, for programs. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Everything else, for people. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Ends the process once all is written, whatever is still open: a connection to a frozen server never closes. */
export async function leave(exitCode: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => {
      stream.write('', () => resolve());
    });
  }
  process.exit(exitCode);
}

/** On a terminal one line that changes, elsewhere a line at a time. */
export function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
  else if (text !== '') tell(text);
}

/** How often a progress is worth telling. */
export const progressEveryMs: number = process.stderr.isTTY ? 250 : 2_000;
