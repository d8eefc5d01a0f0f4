/** The only place that writes to the terminal. */
import { styleText } from 'node:util';
import { EXIT, printable, QlaunchError, renderError } from '../errors.ts';
import { forSudo } from '../host/program.ts';
import { asHostError } from './host-error.ts';

/**
 * A closed pipe (`qlaunch ps | head -1`) or a closed terminal is not an error. Anything else (a full disk) is told once,
 * and makes a failure of a command that did its work.
 */
function outFailed(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE' || error.code === 'EIO' || outputIsLost) return;
  outputIsLost = true;
  note(`qlaunch: cannot write the output: ${error.message} [QL_OUTPUT]`);
  process.exitCode ||= EXIT.host;
}
let outputIsLost = false;

/** There is no place left to tell it. */
function errFailed(): void {}

function guarded(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  const failed = stream === process.stderr ? errFailed : outFailed;
  // Attached at the first use: making a stream takes a millisecond, and most commands need only one of the two.
  if (!stream.listeners('error').includes(failed)) stream.on('error', failed);
  return stream;
}

/** For what is copied there: the guest's serial line. */
export const stdout = (): NodeJS.WriteStream => guarded(process.stdout);

/** To stdout as it is: a log, or a text that has its newline. */
export function raw(text: string | Uint8Array): void {
  stdout().write(text);
}

/** A result that may say what to type. */
export function advise(text: string): void {
  out(forSudo(text));
}

/** A result: stdout, one line. Plans and files are shown as they are. */
export function out(text: string): void {
  raw(`${text}\n`);
}

/** Names and reasons come from files and tools: no control byte of theirs reaches the terminal. */
const keepReturns = (text: string): string => text.split('\r').map(printable).join('\r');

/** Progress and remarks: stderr, so that a script that reads stdout is not disturbed. */
export function note(text: string): void {
  guarded(process.stderr).write(`${keepReturns(forSudo(text))}\n`);
}

export function json(value: unknown): void {
  out(JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined));
}

export type Tint = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

/** Plain when piped or with NO_COLOR (util.styleText looks at the stream and the environment). */
export function tint(colour: Tint, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

/** Columns by spaces, like `ip -br`; the last column is as wide as it likes. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Shows a failure and returns the exit status it means. A bug of ours keeps its stack. */
export function fail(error: unknown): number {
  if (error instanceof QlaunchError) {
    note(renderError(error));
    return error.exit;
  }
  const known = asHostError(error);
  if (known !== undefined) return fail(known);
  note(
    `qlaunch: this is a bug in qlaunch; please report it with the lines below\n${error instanceof Error ? error.stack : String(error)}`,
  );
  return EXIT.bug;
}
