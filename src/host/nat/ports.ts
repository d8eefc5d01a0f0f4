/** What is plugged into a bridge, with the setting that is its port's and not its own. */
import type { LivePort, LiveVlan } from '../../plan/nat/live-port.ts';
import type { PortBefore } from '../../plan/nat/replug.ts';
import { askJson, isObject, listOf, numberOf, type Raw, textOf } from '../ip-json.ts';
import type { Host } from '../port.ts';

export async function portsOf(host: Host, bridge: string): Promise<readonly PortBefore[]> {
  const links = await askJson(host, ['ip', '-j', '-d', 'link', 'show', 'master', bridge]);
  return links.flatMap((link) => {
    const ifname = textOf(link['ifname']);
    const info = isObject(link['linkinfo']) ? link['linkinfo']['info_slave_data'] : undefined;
    return ifname === undefined ? [] : [{ ifname, isolated: isObject(info) && info['isolated'] === true }];
  });
}

/** By their names. Not every kernel knows VLANs of ports: they are asked for where some have any. Errors: QL_IP. */
export async function livePorts(
  host: Host,
  bridge: string,
  withVlans: boolean,
): Promise<ReadonlyMap<string, LivePort>> {
  const [ports, rows] = await Promise.all([
    portsOf(host, bridge),
    withVlans ? askJson(host, ['bridge', '-j', 'vlan', 'show']) : [],
  ]);
  const vlans = new Map(rows.map((row) => [textOf(row['ifname']), listOf(row['vlans']).filter(isObject)]));
  return new Map(
    ports.map(({ ifname, isolated }) => [ifname, { isolated, vlans: (vlans.get(ifname) ?? []).map(vlanOf) }]),
  );
}

/** `{"vlan":20,"vlanEnd":22,"flags":["PVID","Egress Untagged"]}` (bridge(8)). */
function vlanOf(row: Raw): LiveVlan {
  const from = numberOf(row['vlan']);
  const flags = listOf(row['flags']);
  const isOwn = flags.includes('PVID') && flags.includes('Egress Untagged');
  return { from, to: typeof row['vlanEnd'] === 'number' ? row['vlanEnd'] : from, isOwn };
}
