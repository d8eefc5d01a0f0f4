/** A PCI function back to the driver, the override and the interface that it had. */
import type { Machine } from '../../host/port.ts';
import type { SettledOf } from '../../plan/undo.ts';
import { devicePath, driverPath, NOBODY } from '../../plan/vfio/rebind.ts';
import { NETDEV_SCRIPT, netdevWords } from './netdevs-before.ts';
import { errorCode, errorText } from './outcome.ts';
import { bind, driverOf, linkOf, overrideOf, setOverride, unbind } from './rebind.ts';
import type { UndoOutcome } from './undo-entry.ts';

type How = SettledOf<'rebind'>;

const NETDEV_MS = 20_000;
const MODPROBE_MS = 20_000;

export async function undoRebind(how: How, machine: Machine): Promise<UndoOutcome> {
  const { rebind: address } = how;
  if ((await machine.stat(devicePath(address))) === undefined)
    return { kind: 'undone', note: `left alone: ${address} is not there any more` };
  const now = (await driverOf(address, machine)) ?? null;
  if (now !== how.to && now !== null && now !== how.driver) return strangers(how, now, machine);
  if (now !== null && now === how.to) {
    const held = await holdersOf(address, machine);
    if (held.length > 0) return { kind: 'left', why: `${address} is in use by ${held.join(', ')}` };
  }
  try {
    if (now !== how.driver) await giveBack(how, machine);
  } catch (error) {
    return failed(how, error, machine);
  }
  await setOverride(address, how.override, machine);
  return netdevsBack(how, machine);
}

/** The name first: between unbind and bind nobody else can take it, and of several drivers that fit it is this one. */
async function giveBack(how: How, machine: Machine): Promise<void> {
  const { rebind: address, driver, module } = how;
  await setOverride(address, driver ?? NOBODY, machine);
  await unbind(address, machine);
  if (driver === null) return;
  if ((await machine.stat(driverPath(driver))) === undefined)
    await machine.run(['modprobe', module ?? driver], { timeoutMs: MODPROBE_MS });
  await bind(address, driver, machine);
}

/** Somebody bound it to a third driver since. What is ours is only the override, if it still is. */
async function strangers(how: How, now: string, machine: Machine): Promise<UndoOutcome> {
  if ((await overrideOf(how.rebind, machine)) === how.to)
    await setOverride(how.rebind, how.override, machine);
  return { kind: 'undone', note: `left alone: somebody bound ${how.rebind} to ${now} since` };
}

/** A driver that does not take it back must not leave an override behind that keeps every other one away. */
async function failed(how: How, error: unknown, machine: Machine): Promise<UndoOutcome> {
  if (errorCode(error) === 'ETIMEDOUT') {
    const held = await holdersOf(how.rebind, machine);
    const whom = held.length === 0 ? '' : `; ${held.join(', ')} has it open`;
    return { kind: 'stuck', why: `${errorText(error)}${whom}` };
  }
  if ((await driverOf(how.rebind, machine)) === undefined)
    await setOverride(how.rebind, how.override, machine);
  return { kind: 'left', why: errorText(error) };
}

async function netdevsBack({ rebind: address, netdevs }: How, machine: Machine): Promise<UndoOutcome> {
  for (const before of netdevs) {
    const words = netdevWords(address, before);
    const result = await machine.run(['/bin/sh', '-c', NETDEV_SCRIPT, 'qlaunch-netdev', ...words], {
      timeoutMs: NETDEV_MS,
    });
    if (result.status !== 0)
      return {
        kind: 'undone',
        note: `${address} has its driver again, but ${before.name} is not as it was: ${result.stderr.trim() || 'no answer'}`,
      };
  }
  return { kind: 'undone' };
}

/** "pid 4711 (qemu-system-x86)": who has its IOMMU group open. */
async function holdersOf(address: string, machine: Machine): Promise<readonly string[]> {
  const group = (await linkOf(`${devicePath(address)}/iommu_group`, machine))?.split('/').at(-1);
  if (group === undefined) return [];
  const node = `/dev/vfio/${group}`;
  const found: string[] = [];
  for (const pid of (await machine.list('/proc')) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    if (await hasOpen(pid, node, machine))
      found.push(`pid ${pid} (${(await machine.read(`/proc/${pid}/comm`)) ?? '?'})`);
  }
  return found;
}

async function hasOpen(pid: string, node: string, machine: Machine): Promise<boolean> {
  try {
    for (const fd of (await machine.list(`/proc/${pid}/fd`)) ?? [])
      if ((await linkOf(`/proc/${pid}/fd/${fd}`, machine)) === node) return true;
  } catch {
    // It has ended, or is not for us to look into.
  }
  return false;
}
