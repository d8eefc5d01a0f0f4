/**
 * What `ini` never reports: line numbers, repeated keys and sections, an open bracket, a line without "=". And what
 * it changes silently (seen with 6.0.0): `;` and `#` cut a value anywhere, `[eth0.100]` nests, true, false, null
 * become something else than text. So lines are told apart here, and `ini` decodes quoted values.
 */
import { Gathering, type Problem } from '../raw.ts';

export interface IniLine {
  readonly key: string;
  readonly text: string;
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  readonly lines: readonly IniLine[];
}

/** The text of a value, quotes and all, as its meaning. */
export type DecodeValue = (raw: string, at: string) => string | Problem;

/** `shown`: the file's name in messages. `decode`: decodeValue(), unless quotes are not needed at all. */
export function readIni(
  content: string,
  shown: string,
  decode: DecodeValue,
): { readonly sections: readonly IniSection[]; readonly problems: readonly Problem[] } {
  const reader = new LineReader(shown, decode);
  const lines = content.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [i, line] of lines.entries()) reader.read(line.trim(), i + 1);
  return { sections: reader.sections, problems: reader.gathering.problems };
}

class LineReader {
  readonly sections: { name: string; line: number; lines: IniLine[] }[] = [];
  readonly gathering: Gathering = new Gathering();
  readonly shown: string;
  readonly decode: DecodeValue;

  constructor(shown: string, decode: DecodeValue) {
    this.shown = shown;
    this.decode = decode;
  }

  read(text: string, line: number): void {
    const at = `${this.shown}:${line}`;
    if (text === '' || text.startsWith(';') || text.startsWith('#')) return;
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) {
      this.gathering.refuse(at, 'there is a control character in this line');
      return;
    }
    if (text.startsWith('[')) this.section(text, line, at);
    else this.assignment(text, line, at);
  }

  private section(text: string, line: number, at: string): void {
    const name = /^\[([^\][]*)\]\s*(?:[;#].*)?$/.exec(text)?.[1]?.trim();
    if (name === undefined) {
      this.gathering.refuse(at, `"${text}" is not a section`, 'write [net0]');
      return;
    }
    const before = this.sections.find((section) => section.name === name);
    if (before)
      this.gathering.refuse(at, `[${name}] is there twice; the first one is in line ${before.line}`);
    this.sections.push({ name, line, lines: [] });
  }

  private assignment(text: string, line: number, at: string): void {
    const equals = text.indexOf('=');
    const key = text.slice(0, Math.max(0, equals)).trim();
    const current = this.sections.at(-1);
    if (equals < 0) {
      const hint = `write ${/^\S+$/.test(text) ? text : 'key'} = value`;
      this.gathering.refuse(at, `"${text}" has no "="`, hint);
    } else if (key === '') this.gathering.refuse(at, 'there is no key before "="');
    else if (!current) this.gathering.refuse(at, `${key} stands before the first section`, 'begin with [vm]');
    else {
      const value = this.gathering.take(this.decode(text.slice(equals + 1).trim(), at));
      if (value !== undefined) current.lines.push({ key, text: value, line });
    }
  }
}
