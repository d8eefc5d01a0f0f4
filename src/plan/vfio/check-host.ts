/** Would taking this function hurt the host? */
import { shellWord } from '../shell.ts';
import type { Check, Forceable } from './checks.ts';
import { isNic, type Netdev, type PciFunction, type VfioFacts } from './facts.ts';
import { chainsFrom, renderChain } from './reasons.ts';

export function hostChecks(one: PciFunction, facts: VfioFacts): readonly Check[] {
  return [...network(one, facts), ...storage(one), ...others(one)];
}

function make(
  severity: Check['severity'],
  id: Forceable,
  one: PciFunction,
  what: string,
  ...todo: string[]
): Check {
  return { id, device: one.address, severity, what, todo };
}

function network(one: PciFunction, facts: VfioFacts): readonly Check[] {
  const devs = facts.netdevs.filter((dev) => one.netdevs.includes(dev.name));
  const found = devs.flatMap((dev) => netdev(one, dev, facts));
  if (isNic(one) && one.driver !== undefined && one.netdevs.length === 0)
    found.push(
      make(
        'force',
        'netns',
        one,
        `${one.driver} drives it, but no interface of it is to be seen: it may be in another network namespace (a container’s)`,
        'lsns -t net',
      ),
    );
  if (devs.length > 1)
    found.push(
      make('force', 'netdevs', one, `it has several interfaces, and all go: ${one.netdevs.join(', ')}`),
    );
  return found;
}

function netdev(one: PciFunction, dev: Netdev, facts: VfioFacts): Check[] {
  const chains = chainsFrom(dev.name, facts);
  if (chains.length > 0)
    return [
      make(
        'force',
        'control-path',
        one,
        `the host would lose its network: ${chains.map((chain) => `${one.address} → ${renderChain(chain)}`).join('; ')}`,
        'take another NIC, or move these to another one first',
      ),
    ];
  if (dev.master !== undefined)
    return [
      make(
        'force',
        'link-up',
        one,
        `${dev.name} is a port of ${dev.master}`,
        `sudo ip link set dev ${shellWord(dev.name)} nomaster`,
      ),
    ];
  if (dev.addresses.length > 0)
    return [
      make(
        'force',
        'link-up',
        one,
        `${dev.name} has the address ${dev.addresses.join(', ')}`,
        `sudo ip address flush dev ${shellWord(dev.name)}`,
      ),
    ];
  if (dev.up) return [make('warn', 'link-up', one, `${dev.name} is up, though without an address`)];
  return [];
}

function storage(one: PciFunction): readonly Check[] {
  return one.blocks
    .filter(({ uses }) => uses.length > 0)
    .map(({ name, uses, root }) => {
      const what = `the disk ${name} is in use: ${uses.join(', ')}`;
      // The root disk is not for any --force.
      if (root) return { id: 'root-disk', device: one.address, severity: 'refuse', what, todo: [] };
      return make('force', 'storage', one, what, `unmount or release ${name} first`);
    });
}

function others(one: PciFunction): readonly Check[] {
  const found: Check[] = [];
  if (one.pciClass.startsWith('0c03') && one.usb.length > 0)
    found.push(make('force', 'usb', one, `these hang on this USB controller: ${one.usb.join(', ')}`));
  if (one.pciClass.startsWith('03') && one.bootVga)
    found.push(make('force', 'display', one, 'the host’s own screen hangs on it'));
  if (one.rdma.length > 0)
    found.push(make('force', 'rdma', one, `it is an RDMA device too: ${one.rdma.join(', ')}`));
  return found;
}
