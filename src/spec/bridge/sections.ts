/**
 * Files of [Section]s with key=value lines: systemd.syntax(7), and the keyfiles of NetworkManager. A section or a key
 * that comes again counts again, so that nothing is merged here, and what is not meant can be written as it was.
 */

export interface Entry {
  readonly key: string;
  readonly value: string;
  /** As it was written, with the remarks right before it. */
  readonly text: string;
}

export interface Section {
  readonly name: string;
  readonly entries: readonly Entry[];
}

export function readSections(text: string): readonly Section[] {
  const sections: { name: string; entries: Entry[] }[] = [];
  const lines = text.split('\n');
  let before: string[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const own = [lines[index] ?? ''];
    const [first = ''] = own;
    if (first.trim() === '') before = [];
    else if (/^\s*[#;]/.test(first)) before.push(first);
    else if (/^\s*\[.*\]\s*$/.test(first)) {
      sections.push({ name: first.trim().slice(1, -1), entries: [] });
      before = [];
    } else {
      while (own.at(-1)?.endsWith('\\') === true && index + 1 < lines.length) {
        index += 1;
        own.push(lines[index] ?? '');
      }
      const whole = own
        .filter((line, at) => at === 0 || !/^\s*[#;]/.test(line))
        .map((line) => (line.endsWith('\\') ? `${line.slice(0, -1)} ` : line))
        .join('');
      const equals = whole.indexOf('=');
      const key = (equals < 0 ? whole : whole.slice(0, equals)).trim();
      const value = equals < 0 ? '' : whole.slice(equals + 1).trim();
      sections.at(-1)?.entries.push({ key, value, text: [...before, ...own].join('\n') });
      before = [];
    }
  }
  return sections;
}

export const entry = (key: string, value: string | number): Entry => ({
  key,
  value: String(value),
  text: `${key}=${value}`,
});

/** Sections without an entry are left out. */
export const renderSections = (sections: readonly Section[]): string =>
  sections
    .filter(({ entries }) => entries.length > 0)
    .map(({ name, entries }) => `[${name}]\n${entries.map(({ text }) => `${text}\n`).join('')}`)
    .join('\n');

/** All values of a key, in the order of the file. */
export const valuesOf = (sections: readonly Section[], name: string, key: string): readonly string[] =>
  sections
    .filter((section) => section.name === name)
    .flatMap(({ entries }) => entries.flatMap((one) => (one.key === key ? [one.value] : [])));
