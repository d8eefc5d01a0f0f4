/**
 * bridge.conf, statement by statement, exactly as QEMU's helper reads it (parse_acl_file in qemu-bridge-helper.c,
 * the same since QEMU 4.1). Text is latin1 here: one character is one byte, so that nothing is lost whatever the
 * file holds.
 */

/** What fgets(3) hands the helper at once, into its buffer of 4096 bytes. */
const PIECE_BYTES = 4095;
/** The helper refuses a name of IFNAMSIZ bytes (16 in linux/if.h) or more. */
const NAME_BYTES = 15;

export type AclVerb = 'allow' | 'deny';

/** Why the helper gives up on the file: its own words, then ours. */
export interface AclError {
  /** What the helper prints, without the line end. */
  readonly says: string;
  readonly why: string;
}

export type AclMeaning =
  | { readonly kind: 'blank' }
  | { readonly kind: 'comment' }
  /** `bridge` is "all" for every bridge; it may be any text, also an empty one. */
  | { readonly kind: 'rule'; readonly verb: AclVerb; readonly bridge: string }
  | { readonly kind: 'include'; readonly path: string }
  | ({ readonly kind: 'error' } & AclError);

export interface AclStatement {
  /** Byte for byte, with its line end. */
  readonly raw: string;
  /** From 1. */
  readonly line: number;
  /** The rest of a line that is longer than the helper's buffer: it counts as a statement of its own. */
  readonly continued: boolean;
  readonly meaning: AclMeaning;
}

/** All of the file, also what stands behind an error, where the helper stops. */
export function parseAcl(text: string): readonly AclStatement[] {
  const statements: AclStatement[] = [];
  let line = 1;
  let continued = false;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = Math.min(newline < 0 ? text.length : newline + 1, at + PIECE_BYTES);
    const raw = text.slice(at, end);
    statements.push({ raw, line, continued, meaning: meaningOf(raw) });
    continued = !raw.endsWith('\n');
    if (!continued) line += 1;
    at = end;
  }
  return statements;
}

export function printAcl(statements: readonly AclStatement[]): string {
  return statements.map(({ raw }) => raw).join('');
}

/** g_ascii_isspace(): a vertical tab is none. */
const LEADING = /^[ \t\n\f\r]+/;

/** By hand: an expression that looks for the end tries again at every space before it. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\n\f\r'.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function meaningOf(raw: string): AclMeaning {
  const nul = raw.indexOf('\0');
  // It is a C string: what follows a NUL on the line does not exist.
  const line = nul < 0 ? raw : raw.slice(0, nul);
  const rest = line.replace(LEADING, '');
  if (rest === '') return { kind: 'blank' };
  if (rest.startsWith('#')) return { kind: 'comment' };
  // The first space anywhere; a tab only where there is no space at all.
  const space = rest.indexOf(' ');
  const cut = space < 0 ? rest.indexOf('\t') : space;
  if (cut < 0) {
    const says = `Invalid config line:\n  ${line.replace(/\n$/, '')}`;
    return { kind: 'error', says, why: 'a command without an argument' };
  }
  const command = rest.slice(0, cut);
  const argument = trimEnd(rest.slice(cut + 1).replace(LEADING, ''));
  if (command === 'include') return { kind: 'include', path: argument };
  // Before the command is looked at.
  if (argument.length > NAME_BYTES) {
    const why = `a bridge's name has at most ${NAME_BYTES} bytes`;
    return { kind: 'error', says: `name \`${argument}' too long: ${argument.length}`, why };
  }
  if (command === 'allow' || command === 'deny') return { kind: 'rule', verb: command, bridge: argument };
  return { kind: 'error', says: `Unknown command \`${command}'`, why: unknown(command) };
}

function unknown(command: string): string {
  if (command.startsWith('\u00ef\u00bb\u00bf'))
    return 'the file begins with a byte order mark; save it without one';
  if (command.includes('\t'))
    return 'there is a space further on: then the command must be followed by a space, not by a tab';
  const lower = command.toLowerCase();
  if (['allow', 'deny', 'include'].includes(lower)) return `write ${lower}: case counts`;
  if (/^(;|\/\/)/.test(command)) return 'a comment begins with #';
  return 'the commands are allow, deny and include';
}
