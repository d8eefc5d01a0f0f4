/** A PCI function's change of driver. Each write is checked by looking: several succeed without an effect. */
import type { Machine } from '../../host/port.ts';
import type { ActionOf } from '../../plan/step.ts';
import type { NetdevBefore, SettledUndo } from '../../plan/undo.ts';
import { devicePath, driverPath, NO_OVERRIDE, NOBODY, overridePath } from '../../plan/vfio/rebind.ts';
import { readNetdevsOf } from './netdevs-before.ts';
import { errorCode, errorText } from './outcome.ts';

/** One write. An unbind takes as long as whoever has the device open. */
const WRITE_MS = 10_000;
/** For a link in /sys to go or come after its write has returned. */
const LINK_MS = 2_000;

/** undefined: none, or no device. */
export async function driverOf(address: string, machine: Machine): Promise<string | undefined> {
  return baseName(await linkOf(`${devicePath(address)}/driver`, machine));
}

export async function linkOf(path: string, machine: Machine): Promise<string | undefined> {
  const found = (await machine.stat(path)) === undefined ? undefined : await machine.capture(path);
  return found !== undefined && 'linkTo' in found ? found.linkTo : undefined;
}

const baseName = (path: string | undefined): string | undefined => path?.slice(path.lastIndexOf('/') + 1);

/** '' none. The kernel says so as "(null)". */
export async function overrideOf(address: string, machine: Machine): Promise<string> {
  const text = await machine.read(overridePath(address));
  if (text === undefined) throw new Error(`there is no ${overridePath(address)}`);
  return text === '(null)' ? '' : text;
}

export async function setOverride(address: string, name: string, machine: Machine): Promise<void> {
  if ((await overrideOf(address, machine)) === name) return;
  await machine.write(overridePath(address), name === '' ? NO_OVERRIDE : name, WRITE_MS);
  const now = await overrideOf(address, machine);
  if (now !== name) throw new Error(`${overridePath(address)} reads "${now}" after "${name}" was written`);
}

/** What the undo needs to know. `nothing` where it has that driver already: then it is not for us to take it away. */
export async function settleRebind(action: ActionOf<'rebind'>, machine: Machine): Promise<SettledUndo> {
  const { rebind: address, to } = action;
  if ((await machine.stat(devicePath(address))) === undefined)
    throw new Error(`there is no PCI device ${address}`);
  const driver = (await driverOf(address, machine)) ?? null;
  if (driver === to) return { nothing: `it had ${to ?? 'no driver'} before` };
  const module =
    driver === null ? undefined : baseName(await linkOf(`${driverPath(driver)}/module`, machine));
  const netdevs: readonly NetdevBefore[] = await readNetdevsOf(address, machine);
  return {
    rebind: address,
    to,
    driver,
    ...(module === undefined ? {} : { module }),
    override: await overrideOf(address, machine),
    netdevs,
  };
}

export async function rebind(action: ActionOf<'rebind'>, machine: Machine): Promise<void> {
  const { rebind: address, to } = action;
  await setOverride(address, to ?? NOBODY, machine);
  await unbind(address, machine);
  if (to === null) await setOverride(address, '', machine);
  else await bind(address, to, machine);
}

/** Does nothing where it has no driver. */
export async function unbind(address: string, machine: Machine): Promise<void> {
  const driver = await driverOf(address, machine);
  if (driver === undefined) return;
  await machine.write(`/sys/bus/pci/drivers/${driver}/unbind`, address, WRITE_MS);
  const gone = await until(async () => (await driverOf(address, machine)) === undefined);
  if (!gone) throw new Error(`${address} is still bound to ${await driverOf(address, machine)}`);
}

export async function bind(address: string, driver: string, machine: Machine): Promise<void> {
  let refused: unknown;
  try {
    await machine.write(`/sys/bus/pci/drivers/${driver}/bind`, address, WRITE_MS);
  } catch (error) {
    refused = error;
  }
  // EBUSY when it was bound meanwhile, which may have been to the right one.
  if (await until(async () => (await driverOf(address, machine)) === driver, refused === undefined)) return;
  const why = refused === undefined ? 'the kernel took the write and did nothing' : bindError(refused);
  throw Object.assign(new Error(`${address} could not be bound to ${driver}: ${why}`), {
    code: errorCode(refused) ?? 'EIO',
  });
}

/** linux/drivers/base/bus.c, bind_store(), and probe() of vfio-pci. */
const BIND_ERRNO: Readonly<Record<string, string>> = {
  ENODEV: 'the driver does not take this device',
  EINVAL: 'the driver refuses it (no IOMMU group, a bridge, or on its list of unfit devices)',
  EBUSY: 'it is in use, or has virtual functions',
  ENOENT: 'there is no such driver',
};

const bindError = (error: unknown): string => {
  const known = BIND_ERRNO[errorCode(error) ?? ''];
  return known === undefined ? errorText(error) : `${known} (${errorCode(error)})`;
};

async function until(holds: () => Promise<boolean>, wait: boolean = true): Promise<boolean> {
  const end = Date.now() + (wait ? LINK_MS : 0);
  for (;;) {
    if (await holds()) return true;
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
