/** What is plugged into a bridge, with the setting that is its port's and not its own. */
import type { PortBefore } from '../../plan/nat/replug.ts';
import { askJson, isObject, textOf } from '../ip-json.ts';
import type { Host } from '../port.ts';

export async function portsOf(host: Host, bridge: string): Promise<readonly PortBefore[]> {
  const links = await askJson(host, ['ip', '-j', '-d', 'link', 'show', 'master', bridge]);
  return links.flatMap((link) => {
    const ifname = textOf(link['ifname']);
    const info = isObject(link['linkinfo']) ? link['linkinfo']['info_slave_data'] : undefined;
    return ifname === undefined ? [] : [{ ifname, isolated: isObject(info) && info['isolated'] === true }];
  });
}
