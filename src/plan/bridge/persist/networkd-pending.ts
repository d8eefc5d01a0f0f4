/** What a running systemd-networkd would do otherwise once it reads its files again: `networkctl reload` reads all. */
import { readSections, valuesOf } from '../../../spec/bridge/sections.ts';
import { matches, type ReadFile } from './networkd-match.ts';
import type { ConfigFile } from './wish.ts';

export interface NetworkdNow {
  readonly link: string;
  readonly mac?: string;
  readonly isBridge: boolean;
  /** The file that it says it has read for this link; absent: it leaves the link alone. */
  readonly file?: string;
}

export interface Pending {
  readonly path: string;
  readonly link: string;
}

const OURS = /\/(\d+-)+qlaunch-[^/]*$/;

/**
 * Files that it has not read for a link that they would have. By what matches, not by time: of a file that is for no
 * link that is here it would say nothing after a reload, either.
 * @param files as in NetworkdFacts, the first of a name only
 */
export function pendingFiles(
  files: readonly ConfigFile[],
  links: readonly NetworkdNow[],
): readonly Pending[] {
  const read = files
    .filter(({ path }) => path.endsWith('.network'))
    .map((file): ReadFile => ({ ...file, sections: readSections(file.content) }));
  return links.flatMap((now): readonly Pending[] => {
    const { link } = now;
    const ruling = now.file?.replace(/^\/lib\//, '/usr/lib/');
    const first = read.find((file) => file.path === ruling || isFor(file, now));
    if (first === undefined || first.path === ruling) return [];
    // A bridge without uplink that we made, and that it makes at the next boot.
    if (ruling === undefined && (OURS.test(first.path) || isUnmanaged(first))) return [];
    return [{ path: first.path, link }];
  });
}

const isUnmanaged = ({ sections }: ReadFile): boolean =>
  /^(yes|true|on|1|y|t)$/i.test(valuesOf(sections, 'Link', 'Unmanaged').at(-1) ?? '');

/** Where only networkd could say, it has said so when it has read the file. */
function isFor(file: ReadFile, { link, mac, isBridge }: NetworkdNow): boolean {
  try {
    return matches(file, link, link, mac, isBridge ? 'bridge' : 'ether');
  } catch {
    return false;
  }
}
