/** Who has which NIC of the machine, as an administrator told them. */
import type { Nic, SeedFile } from './machine.ts';

export interface Held extends Nic {
  readonly by: 'ifupdown' | 'networkd' | 'networkmanager' | 'netplan';
  readonly bridge: string;
  readonly seed: readonly SeedFile[];
}

export const nameOf = ({ slot }: Nic): string => `enp0s${slot}`;

const stanza = (name: string, metric: number): string =>
  `auto ${name}\niface ${name} inet dhcp\n\tmetric ${metric}\n`;

/** Of these, each makes the bridge over its NIC at boot. */
export const HELD: readonly Held[] = [
  {
    ...{ by: 'networkd', bridge: 'br4', slot: 4, model: 'virtio-net-pci' },
    seed: [
      {
        path: '/etc/systemd/network/20-lan.network',
        content: '# The office LAN.\n[Match]\nName=enp0s4\n\n[Network]\nDHCP=ipv4\n',
      },
    ],
  },
  {
    ...{ by: 'ifupdown', bridge: 'br5', slot: 5, model: 'e1000e' },
    seed: [
      {
        path: '/etc/network/interfaces',
        content: `auto lo\niface lo inet loopback\n\n# The office LAN.\n${stanza('enp0s5', 205)}\n${stanza('enp0s8', 208)}`,
      },
    ],
  },
  {
    ...{ by: 'networkmanager', bridge: 'br6', slot: 6, model: 'virtio-net-pci' },
    seed: [
      {
        path: '/etc/NetworkManager/system-connections/lan.nmconnection',
        content:
          '[connection]\nid=lan\nuuid=11111111-1111-1111-1111-111111111111\ntype=ethernet\ninterface-name=enp0s6\n\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=disabled\n',
        mode: 0o600,
      },
      {
        path: '/etc/NetworkManager/conf.d/office.conf',
        content:
          '[main]\nno-auto-default=*\ndns=none\n\n[keyfile]\nunmanaged-devices=interface-name:enp0s4;interface-name:enp0s7\n',
      },
    ],
  },
  {
    ...{ by: 'netplan', bridge: 'br7', slot: 7, model: 'virtio-net-pci' },
    seed: [
      {
        path: '/etc/netplan/50-lan.yaml',
        content:
          'network:\n  version: 2\n  renderer: networkd\n  ethernets:\n    # The office LAN.\n    enp0s7:\n      dhcp4: true\n',
        mode: 0o600,
      },
    ],
  },
];

/** ifupdown's as well; no bridge over it is ever confirmed. */
export const ON_TRIAL = { bridge: 'br8', slot: 8, model: 'virtio-net-pci' } as const;
