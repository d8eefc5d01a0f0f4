/** The files by which a PCI function changes its driver, and what is written there: Documentation/ABI/testing/sysfs-bus-pci. */
import { shellLine } from '../shell.ts';
import type { HostPath } from '../step.ts';
import type { SettledOf } from '../undo.ts';

const BUS = '/sys/bus/pci';

export const devicePath = (address: string): HostPath => `${BUS}/devices/${address}`;
export const driverPath = (driver: string): HostPath => `${BUS}/drivers/${driver}`;
export const overridePath = (address: string): HostPath => `${BUS}/devices/${address}/driver_override`;

/** An empty write is no write at all, so the end of a line clears it: driver_set_override() in linux/drivers/base. */
export const NO_OVERRIDE = '\n';

/** A name that no driver has: nothing takes the device, whatever probes the bus. */
export const NOBODY = 'none';

/** In this order at every moment nobody else takes the device: the name of the driver that may have it comes first. */
export function renderRebind(address: string, to: string | null): string {
  const driver = `${devicePath(address)}/driver`;
  const away = `if [ -e ${driver} ]; then ${write(address, `${driver}/unbind`)}; fi`;
  const name = write(to ?? NOBODY, overridePath(address));
  const last = to === null ? write('', overridePath(address)) : write(address, `${driverPath(to)}/bind`);
  return [name, away, last].join('\n');
}

/** One line. */
export const renderGiveBack = ({ rebind, driver, override }: SettledOf<'rebind'>): string =>
  [...renderRebind(rebind, driver).split('\n'), write(override, overridePath(rebind))].join(' && ');

const write = (value: string, path: string): string =>
  value === '' ? `echo > ${path}` : `${shellLine(['printf', '%s', value])} > ${path}`;
