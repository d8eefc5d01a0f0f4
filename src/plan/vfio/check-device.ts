/** Checks of the function itself: is it one that VFIO takes, is it free, can it be reset. */
import type { Check } from './checks.ts';
import { functionAt, type PciFunction, type VfioFacts } from './facts.ts';

export function deviceChecks(one: PciFunction, facts: VfioFacts): readonly Check[] {
  const refuse = (id: string, what: string, ...todo: string[]): Check => ({
    id,
    device: one.address,
    severity: 'refuse',
    what,
    todo,
  });
  const warn = (id: string, what: string, ...todo: string[]): Check => ({
    ...refuse(id, what, ...todo),
    severity: 'warn',
  });
  const found: Check[] = [];
  // 0604 leads to another bus; 0600 and 0601 are the chipset itself.
  if (one.bridge || one.pciClass.startsWith('0604'))
    found.push(
      refuse(
        'bridge',
        'it is a PCI bridge: QEMU can only take what is behind it',
        'qlaunch vfio list --tree',
      ),
    );
  else if (/^(06|0c05|0806)/.test(one.pciClass))
    found.push(
      refuse(
        'system',
        'it is a part of the machine itself (host or ISA bridge, SMBus, IOMMU)',
        'qlaunch vfio list',
      ),
    );
  if (one.vfs.length > 0)
    found.push(
      refuse(
        'vfs',
        `it has ${one.vfs.length} virtual functions, which would all go away: ${one.vfs.join(', ')}`,
        `qlaunch IMAGE --net vf:${one.address}   # give the guest one of them`,
        `sudo qlaunch vfio vf release ${one.address}`,
      ),
    );
  const pf = one.pf === undefined ? undefined : functionAt(facts, one.pf);
  if (pf?.vfio === true)
    found.push(
      refuse(
        'pf-vfio',
        `its physical function ${pf.address} is bound to ${pf.driver}`,
        `sudo qlaunch vfio restore ${pf.address}`,
      ),
    );
  for (const { pid, command } of facts.holders.filter(({ group }) => group === one.group))
    found.push(refuse('held', `pid ${pid} (${command}) has IOMMU group ${one.group} open`, `ps -fp ${pid}`));
  for (const { by } of facts.claims.filter(({ address }) => address === one.address))
    found.push(
      by.startsWith('/etc/driverctl.d/')
        ? warn(
            'owner',
            `driverctl has a setting for it (${by})`,
            `sudo driverctl unset-override ${one.address}`,
          )
        : refuse('owner', `${by} uses it`, 'stop that guest first'),
    );
  if (one.resets.length === 0)
    found.push(
      warn(
        'reset',
        'it cannot be reset: what one guest leaves in it the next one finds, and a second start may fail',
      ),
    );
  return found;
}
