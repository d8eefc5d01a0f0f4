/** The lab's PCI bus: who is where, and everything that counts for "as before". */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface Nic {
  readonly name: string;
  readonly address: string;
}

export function byMac(mac: string): Nic {
  const name = readdirSync('/sys/class/net').find(
    (one) =>
      one !== 'bonding_masters' && readFileSync(`/sys/class/net/${one}/address`, 'utf8').trim() === mac,
  );
  const path = realpathSync(`/sys/class/net/${name}/device`);
  const address = path.split('/').findLast((part) => /^[0-9a-f]{4}:/.test(part)) ?? '';
  return { name: name ?? '', address };
}

/** The emulator's router gives every interface that is up an address, at a moment of its own. */
export function noRouterAdvertisements(): void {
  for (const name of ['default', ...readdirSync('/sys/class/net').filter((one) => one !== 'bonding_masters')])
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/accept_ra`, '0');
}

/** Drivers, overrides, virtual functions, nodes, and interfaces without what counts up. */
export function pciState(): object {
  const bus = '/sys/bus/pci/devices';
  const devices = readdirSync(bus)
    .sort()
    .map((address) => {
      const driver = existsSync(`${bus}/${address}/driver`)
        ? basename(readlinkSync(`${bus}/${address}/driver`))
        : null;
      const override = readFileSync(`${bus}/${address}/driver_override`, 'utf8').trim();
      return { address, driver, override };
    });
  const nodes = existsSync('/dev/vfio') ? readdirSync('/dev/vfio').filter((name) => name !== 'vfio') : [];
  const links = JSON.parse(execFileSync('ip', ['-j', 'address', 'show'], { encoding: 'utf8' })) as Link[];
  const interfaces = links.map(({ ifname, address, mtu, master, flags, addr_info }) => ({
    ifname,
    address,
    mtu,
    master,
    up: flags.includes('UP'),
    addresses: addr_info.filter(({ scope }) => scope === 'global').map(({ local }) => local),
  }));
  return { devices, nodes, interfaces: interfaces.sort((a, b) => a.ifname.localeCompare(b.ifname)) };
}

interface Link {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly master?: string;
  readonly flags: readonly string[];
  readonly addr_info: readonly { readonly scope: string; readonly local: string }[];
}
