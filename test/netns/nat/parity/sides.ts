/** What is compared: libvirt's networks and ours, each on a host of its own. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { scratchDir } from '../../../tiers/guest.ts';
import { type OtherHost, otherHost } from './host.ts';
import type { Network } from './networks.ts';

const root = new URL('../../../..', import.meta.url).pathname;
const QLAUNCH = join(root, 'dist/bin/qlaunch');

export interface Side {
  readonly host: OtherHost;
  start(network: Network): Promise<void>;
  stop(network: Network): Promise<void>;
}

export const virsh = (host: OtherHost, words: string): Promise<string> =>
  host.run(`virsh -q -c network:///system ${words}`);
export const qlaunch = (host: OtherHost, words: string): Promise<string> => host.run(`${QLAUNCH} ${words}`);

function fileOf({ xml }: Network): string {
  const file = join(scratchDir(), 'network.xml');
  writeFileSync(file, xml ?? '');
  return file;
}

/** Networks only, as the package brings them, started by hand as where no systemd is. */
export async function libvirtSide(): Promise<Side> {
  const tree = execFileSync(join(root, 'scripts/libvirt'), { encoding: 'utf8' }).trim();
  const host = await otherHost(tree);
  await host.run(`mkdir -p /etc/libvirt/qemu/networks /var/log/libvirt
    cp /usr/share/libvirt/networks/default.xml /etc/libvirt/qemu/networks/
    libvirtd -d`);
  // Its dnsmasq would outlive it.
  onTestFinished(
    async () =>
      void (await host.run(`for name in $(virsh -q -c network:///system net-list --name); do
        virsh -q -c network:///system net-destroy "$name" > /dev/null; done
        kill "$(cat /run/libvirtd.pid)"`)),
  );
  return {
    host,
    start: async (network) => {
      if (network.xml !== undefined) await virsh(host, `net-define ${fileOf(network)}`);
      await virsh(host, `net-start ${network.name}`);
    },
    stop: async ({ name }) => void (await virsh(host, `net-destroy ${name}`)),
  };
}

export async function qlaunchSide(): Promise<Side> {
  const host = await otherHost();
  const names: string[] = [];
  onTestFinished(async () => {
    for (const name of names) await qlaunch(host, `net stop ${name} --force`);
  });
  return {
    host,
    start: async (network) => {
      if (network.xml !== undefined) await qlaunch(host, `net define ${fileOf(network)}`);
      await qlaunch(host, `net start ${network.name}`);
      names.push(network.name);
    },
    stop: async ({ name }) => {
      await qlaunch(host, `net stop ${name} --force`);
      names.splice(names.indexOf(name), 1);
    },
  };
}
