/** Which .network file is for a link: [Match] of systemd.network(5). */
import { matchesGlob } from '../../../spec/bridge/glob.ts';
import type { Section } from '../../../spec/bridge/sections.ts';
import { type ConfigFile, cannotPersist } from './wish.ts';

export interface ReadFile extends ConfigFile {
  readonly sections: readonly Section[];
}

/** Of wireless links, which are refused as ports, and of what a physical NIC never is. */
const NEVER: ReadonlySet<string> = new Set(['WLANInterfaceType', 'SSID', 'BSSID']);

/** Throws QL_PERSIST (exit 3): only networkd could say. */
export function matches(
  { path, sections }: ReadFile,
  bridge: string,
  link: string,
  mac: string | undefined,
  type: string = 'ether',
): boolean {
  const conditions = sections
    .filter(({ name }) => name === 'Match')
    .flatMap(({ entries }) => entries)
    .filter(({ value }) => value !== '');
  if (conditions.length === 0) return false;
  const unknown: string[] = [];
  for (const { key, value } of conditions) {
    const words = value.split(/\s+/);
    const isOf = (test: (word: string) => boolean): boolean => {
      const [first = ''] = words;
      return first.startsWith('!')
        ? !words.some((word) => test(word.replace(/^!/, '')))
        : words.some((word) => test(word));
    };
    const isMac = (word: string): boolean => word.toLowerCase().replaceAll('-', ':') === mac?.toLowerCase();
    if (NEVER.has(key)) return false;
    if (key === 'Name' || key === 'OriginalName') {
      if (!isOf((word) => matchesGlob(word, link))) return false;
    } else if (key === 'MACAddress' || key === 'PermanentMACAddress') {
      if ((type === 'bridge' && key === 'PermanentMACAddress') || !isOf(isMac)) return false;
    } else if (key === 'Type') {
      if (!isOf((word) => matchesGlob(word, type))) return false;
    } else if (key === 'Kind') {
      if (type !== 'bridge' || !isOf((word) => matchesGlob(word, type))) return false;
    } else unknown.push(key);
  }
  if (unknown.length === 0) return true;
  // A bridge has no driver, no path and no property of a device.
  if (type === 'bridge') return false;
  throw cannotPersist(
    bridge,
    [
      `${path} chooses its links by ${unknown.join(', ')}: whether ${link} is one of them only networkd knows`,
    ],
    [`add Name=${link} to [Match] in ${path}`],
  );
}
