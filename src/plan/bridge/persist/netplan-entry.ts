/** Where netplan's files speak of a link: by its name, or by what it is matched by. */
import { matchesGlob } from '../../../spec/bridge/glob.ts';
import { type Block, readBlocks, textAt } from '../../../spec/bridge/yaml-block.ts';
import { type ConfigFile, cannotPersist } from './wish.ts';

export interface Definition {
  readonly file: ConfigFile;
  /** network: / ethernets: / the NIC's */
  readonly way: readonly [Block, Block, Block];
}

/** The files and keys that name the NIC: "enp3s0 in /etc/netplan/50-cloud-init.yaml". */
export function netplanRuler(
  files: readonly ConfigFile[],
  link: string,
  mac: string | undefined,
): string | undefined {
  const all = files.flatMap((file) => {
    const blocks = readBlocks(file.content);
    return 'why' in blocks ? [] : definitions(file, blocks);
  });
  const found = all.find((one) => isOf(one, link, mac));
  return found === undefined ? undefined : `${found.way[2].key} in ${found.file.path}`;
}

export function blocksOf(bridge: string, file: ConfigFile): readonly Block[] {
  const blocks = readBlocks(file.content);
  if (!('why' in blocks)) return blocks;
  throw cannotPersist(
    bridge,
    [`${file.path}:${blocks.line} is not read: ${blocks.why}`],
    [`write ${file.path} as mappings in block style, as netplan's own examples are`],
  );
}

export const definitions = (file: ConfigFile, blocks: readonly Block[]): readonly Definition[] =>
  blocks
    .filter(({ key }) => key === 'network')
    .flatMap((network) =>
      network.children.flatMap((kind) =>
        kind.children.map((one): Definition => ({ file, way: [network, kind, one] })),
      ),
    );

export function isOf({ way: [, kind, one] }: Definition, link: string, mac: string | undefined): boolean {
  if (kind.key === 'bridges') return false;
  if (textAt(one, ['set-name']) === link) return true;
  const [name, address, driver] = ['name', 'macaddress', 'driver'].map((key) => textAt(one, ['match', key]));
  if (name === undefined && address === undefined && driver === undefined) return one.key === link;
  if (driver !== undefined && one.key !== link) return false;
  const isMac = address === undefined || address.toLowerCase() === mac?.toLowerCase();
  return isMac && (name === undefined || matchesGlob(name, link));
}

/**
 * Throws QL_PERSIST (exit 3) where the NIC's entry may stand for more than this one (netplan(5): "match" is by a glob, or
 * by a driver): what is taken out of it would be taken from all, and all would be ports. A `set-name` is for one only.
 */
export function refuseShared(
  bridge: string,
  link: string,
  mac: string | undefined,
  all: readonly Definition[],
): void {
  const own = all.filter((one) => isOf(one, link, mac));
  const shared =
    own.find(({ way: [, , one] }) => isShared(one)) ??
    (own.length === 0 ? all.find((one) => mayBeByDriver(one, link)) : undefined);
  if (shared === undefined) return;
  const { file, way } = shared;
  throw cannotPersist(
    bridge,
    [
      `${way[2].key} in ${file.path} may stand for more NICs than ${link}: its match is no exact name and no macaddress`,
    ],
    [
      `write an entry of its own for ${link} in ${file.path}${mac === undefined ? '' : ` (match: {macaddress: "${mac}"})`}, and a match in ${way[2].key} that leaves it out`,
    ],
  );
}

function isShared(one: Block): boolean {
  const [match, name, address] = [['match'], ['match', 'name'], ['match', 'macaddress']].map((way) =>
    textAt(one, way),
  );
  if (match === undefined || address !== undefined || textAt(one, ['set-name']) !== undefined) return false;
  return name === undefined || /[*?[]/.test(name);
}

/** Which driver the NIC has is not looked at. */
function mayBeByDriver({ way: [, kind, one] }: Definition, link: string): boolean {
  const name = textAt(one, ['match', 'name']);
  return (
    kind.key !== 'bridges' &&
    isShared(one) &&
    textAt(one, ['match', 'driver']) !== undefined &&
    (name === undefined || matchesGlob(name, link))
  );
}
