/** The name of a bridge as the list must have it. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { findLink, readLinks } from '../../host/acl/links.ts';
import type { Host } from '../../host/port.ts';
import { ALL } from '../../spec/acl/decide.ts';
import { parseAclBridge } from '../../spec/acl/names.ts';
import { isProblem } from '../../spec/raw.ts';

export interface AclBridge {
  /** latin1 */
  readonly name: string;
  /** What is odd about it. */
  readonly notes: readonly string[];
}

/** An alternative name becomes the name of its interface. Errors: QL_USAGE, QL_IP. */
export async function aclBridge(host: Pick<Host, 'run'>, text: string): Promise<AclBridge> {
  if (text === ALL) return { name: ALL, notes: [] };
  const link = findLink(await readLinks(host), text);
  const name = parseAclBridge(link?.name ?? text);
  if (isProblem(name))
    throw new QlaunchError('QL_USAGE', EXIT.usage, {
      what: `"${text}" can not be the name of a bridge`,
      why: [name.what],
      todo: ['ip -br link show type bridge'],
    });
  const notes = [
    ...(link === undefined ? [`there is no interface ${text} yet`] : []),
    ...(link !== undefined && link.name !== text ? [`${text} is another name of ${link.name}`] : []),
    ...(link !== undefined && !link.isBridge ? [`${link.name} is not a bridge`] : []),
  ];
  return { name, notes };
}
