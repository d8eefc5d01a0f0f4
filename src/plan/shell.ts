/** Words and files for sh(1): the text a user pastes, and the scripts we leave behind. */
import { EXIT, QlaunchError } from '../errors.ts';

/** One word. Plain where it may be, else in single quotes (which nothing escapes from but themselves). */
export function shellWord(word: string): string {
  if (word.includes('\0')) throw new TypeError('a NUL byte can not be an argument');
  return /^[A-Za-z0-9_\-+=:,./@%]+$/.test(word) && !word.startsWith('=')
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function shellLine(argv: readonly string[]): string {
  const words = argv.map(shellWord);
  // A first word with "=" would be an assignment.
  if (argv[0]?.includes('=')) words[0] = `'${argv[0].replaceAll("'", `'\\''`)}'`;
  return words.join(' ');
}

/** `command` with `text` on its stdin, byte for byte. */
export function withStdin(command: string, text: string): string {
  const delimiter = 'END';
  const lines = text.split('\n');
  if (!text.endsWith('\n') || lines.includes(delimiter)) return `printf %s ${shellWord(text)} | ${command}`;
  return `${command} <<'${delimiter}'\n${text}${delimiter}`;
}

/**
 * One line for `ip -batch` or `bridge -batch`.
 * Their reader (iproute2 lib/utils.c, getcmdline and makeargs) cuts at '#' even inside quotes, knows no escape
 * and takes at most 100 words, so some words can not be said at all: such a command must be a `run`.
 */
export function batchLine(words: readonly string[]): string {
  if (words.length > 98) throw new TypeError('too many words for one line of a batch');
  return words.map(batchWord).join(' ');
}

/** Throws QL_NOT_IN_BATCH (exit 3): the kernel has names that it can not be told this way. */
function batchWord(word: string): string {
  if (/[#\n\r\0\\]/.test(word)) throw inexpressible(word);
  if (word !== '' && !/[\s'"]/.test(word)) return word;
  const quote = word.includes('"') ? "'" : '"';
  if (word.includes(quote)) throw inexpressible(word);
  return `${quote}${word}${quote}`;
}

function inexpressible(word: string): QlaunchError {
  return new QlaunchError('QL_NOT_IN_BATCH', EXIT.refused, {
    what: `${JSON.stringify(word)} can not be said to \`ip -batch\` or \`bridge -batch\``,
    why: ['their reader cuts a line at "#" even inside quotes, and knows no escape'],
    todo: [`sudo ip link set dev ${shellWord(word)} name ANOTHER   # if it is an interface of yours`],
  });
}
