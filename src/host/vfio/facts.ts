/** One look at all that matters to passing devices on. Never waits for a device that hangs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { VfioFacts } from '../../plan/vfio/facts.ts';
import type { Host } from '../port.ts';
import { readDisks } from './blocks.ts';
import { names, readFunctions, readGroups } from './bus.ts';
import { readClaims } from './claims.ts';
import { readHolders } from './holders.ts';
import { readNetdevs, readReasons, sshPeers } from './net.ts';
import { readOverrides } from './overrides.ts';

export interface Whereabouts {
  /** '' for the machine itself; a folder that has sys/ and proc/ in it for tests. */
  readonly root?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly pid?: number;
}

export async function readVfioFacts(host: Pick<Host, 'run'>, where: Whereabouts = {}): Promise<VfioFacts> {
  const { root = '', env = process.env, pid = process.pid } = where;
  const plain = readFunctions(root, readDisks(root));
  const [overrides, netdevs, reasons] = await Promise.all([
    readOverrides(
      host,
      root,
      plain.map(({ address }) => address),
    ),
    readNetdevs(host, root),
    readReasons(host, root, sshPeers(root, env, pid)),
  ]);
  const functions = plain.map((one) => {
    const override = overrides.get(one.address);
    return override === undefined ? one : { ...one, override };
  });
  const acpi = ['DMAR', 'IVRS'].find((table) => existsSync(join(root, '/sys/firmware/acpi/tables', table)));
  const noIommu = names(join(root, '/dev/vfio')).flatMap((name) => /^noiommu-(\d+)$/.exec(name)?.[1] ?? []);
  return {
    functions,
    groups: readGroups(root),
    iommu: names(join(root, '/sys/class/iommu')).length > 0,
    ...(acpi === undefined ? {} : { firmware: acpi }),
    noIommuGroups: noIommu.map(Number),
    netdevs,
    reasons,
    holders: readHolders(root),
    claims: readClaims(root),
    modules: {
      pci: existsSync(join(root, '/sys/bus/pci/drivers/vfio-pci')),
      type1: existsSync(join(root, '/sys/module/vfio_iommu_type1')),
    },
  };
}
