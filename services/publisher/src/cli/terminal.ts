// The command's output. A reader that is gone (`| true`, `| head`) or a full disk does not affect the published
// messages, so it does not affect the exit code either.

/** Installs the handlers; without them a write to a closed pipe would end the process. */
export function outliveReaders(): void {
  process.stdout.on('error', (error) => {
    if (!isGone(error)) tell(`weir-publish: standard output cannot be written: ${error.message}`);
  });
  // There is no output left to report it.
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

/** Ends the process after all output is written, even with open connections: one to a frozen server never closes. */
export async function leave(exitCode: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => {
      stream.write('', () => resolve());
    });
  }
  process.exit(exitCode);
}

/** On a terminal one changing line, elsewhere new lines. */
export function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
  else if (text !== '') tell(text);
}

/** Time between two progress lines. */
export const progressEveryMs: number = process.stderr.isTTY ? 250 : 2_000;
