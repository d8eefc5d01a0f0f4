/**
 * /etc/network/interfaces, read so that it can be changed without touching what is not meant: interfaces(5), and
 * ifupdown's config.c for what the manual leaves open (a line that ends in a backslash goes on in the next one).
 */

export interface Stanza {
  /** The first line's words: ["iface", "eth0", "inet", "dhcp"], ["auto", "lo", "eth0"]. */
  readonly words: readonly string[];
  /** Of `iface`: its option lines, as they are. */
  readonly options: readonly string[];
  /** Indices of lines that are its own; blanks and comments between are not. */
  readonly lines: readonly number[];
}

const STARTS =
  /^(iface|mapping|auto|no-auto-down|no-scripts|rename|template|source|source-directory|allow-\S+)$/;

export function readInterfaces(text: string): readonly Stanza[] {
  const lines = text.split('\n');
  const stanzas: { words: readonly string[]; options: string[]; lines: number[] }[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const own = [index];
    let whole = lines[index] ?? '';
    while (whole.endsWith('\\') && index + 1 < lines.length) {
      index += 1;
      own.push(index);
      whole = `${whole.slice(0, -1)}${lines[index] ?? ''}`;
    }
    const words = whole.trim().split(/\s+/);
    const [first = ''] = words;
    if (first === '' || first.startsWith('#')) continue;
    if (STARTS.test(first)) stanzas.push({ words, options: [], lines: own });
    else {
      stanzas.at(-1)?.options.push(whole.trim());
      stanzas.at(-1)?.lines.push(...own);
    }
  }
  return stanzas;
}

/** `iface NAME …` */
export const stanzasOf = (stanzas: readonly Stanza[], name: string): readonly Stanza[] =>
  stanzas.filter(({ words }) => words[0] === 'iface' && words[1] === name);

/** `auto`, `allow-hotplug` and the like that name it. */
export const bringsUp = ({ words }: Stanza, name: string): boolean =>
  /^(auto|allow-|no-auto-down$|no-scripts$)/.test(words[0] ?? '') && words.slice(1).includes(name);
