/** /dev/net/tun and /dev/vhost-net: the driver, the node, and the right of QEMU's user to it. */
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { CURES, filled } from '../../plan/doctor/cures.ts';
import type { Finding, Fix } from '../../plan/doctor/finding.ts';
import { loadModule } from '../../plan/doctor/steps.ts';
import type { Argv } from '../../plan/step.ts';
import { octal } from '../../plan/words.ts';
import { dropPrivileges } from '../vm/spawn.ts';
import { asUser, type Identity } from '../vm/user.ts';
import type { DoctorContext } from './context.ts';
import { type Driver, driverState } from './modules.ts';

const TUN = '/dev/net/tun';
const VHOST = '/dev/vhost-net';

/** `lsmod | grep tun`, `grep CONFIG_TUN`, `ls -l /dev/net/tun`; then the node is opened, which makes no interface. */
export async function tunFindings(context: DoctorContext): Promise<readonly Finding[]> {
  const driver = await driverState(context.host, 'tun', 'TUN');
  const refused = await usable(TUN, driver, context);
  return [tunDriver(driver, refused === undefined), tunDevice(refused, context.who, driver)];
}

function tunDriver(driver: Driver, works: boolean): Finding {
  const id = 'tun-driver';
  const facts: Readonly<Record<Driver, string>> = {
    loaded: 'the module tun is loaded',
    'built in': 'tun is built into this kernel (CONFIG_TUN=y)',
    module: `the module tun is not loaded yet: opening ${TUN} loads it`,
    'module not installed': `the module tun of the running kernel ${release()} is not installed: after a kernel upgrade reboot, in a container load it outside`,
    'not in this kernel': `this kernel, ${release()}, was built without tun (CONFIG_TUN)`,
    unknown: 'neither a module tun nor the configuration of this kernel is to be seen',
  };
  const fact = facts[driver];
  if (works) return { id, state: 'ok', fact: driver === 'unknown' ? 'tun works' : fact };
  if (driver === 'loaded' || driver === 'built in') return { id, state: 'ok', fact };
  if (driver === 'module') {
    const missing = 'the module tun is not loaded';
    return { id, state: 'problem', fact: missing, cure: [CURES.tun[0]], fix: { steps: [loadModule('tun')] } };
  }
  return { id, state: 'problem', fact, cure: CURES.tunGone };
}

function tunDevice(refused: string | undefined, who: Identity, driver: Driver): Finding {
  const id = 'tun-device';
  if (refused === undefined) return { id, state: 'ok', fact: `${whom(who)} may use ${TUN}` };
  if (refused === 'EACCES' || refused === 'EPERM')
    return {
      id,
      state: 'problem',
      fact: `${whom(who)} may not open ${TUN} (${rightsOf(TUN)}): no tap and no bridge helper`,
      cure: [`sudo chmod 0666 ${TUN}`],
      fix: { steps: [openForAll(TUN)] },
    };
  const fact = refused === 'ENOENT' ? `there is no ${TUN}` : `${TUN} can not be opened: ${refused}`;
  const fix: { fix?: Fix } = driver === 'module' ? { fix: { steps: [loadModule('tun')] } } : {};
  return { id, state: 'problem', fact, cure: CURES.tun, ...fix };
}

/** Slower without, but everything works: never more than a warning. */
export async function vhostFindings(context: DoctorContext): Promise<readonly Finding[]> {
  const id = 'vhost-net';
  const { host, who } = context;
  const driver = await driverState(host, 'vhost_net', 'VHOST_NET');
  const refused = await usable(VHOST, driver, context);
  if (refused === undefined) return [{ id, state: 'ok', fact: `${whom(who)} may use ${VHOST}` }];
  const slower = 'taps work, with more CPU time for each packet';
  if (refused === 'EACCES' || refused === 'EPERM') {
    const fact = `${whom(who)} may not open ${VHOST} (${rightsOf(VHOST)}): ${slower}`;
    return [
      {
        id,
        state: 'warning',
        fact,
        cure: filled([CURES.vhostNet[1]], { user: who.dropTo ? who.user.name : '$USER' }),
      },
    ];
  }
  if (driver === 'module') {
    const fix: Fix = { steps: [loadModule('vhost_net')] };
    const fact = `the module vhost_net is not loaded: ${slower}`;
    return [{ id, state: 'warning', fact, cure: [CURES.vhostNet[0]], fix }];
  }
  const why = driver === 'not in this kernel' ? 'this kernel has no vhost-net' : `there is no ${VHOST}`;
  return [{ id, state: 'warning', fact: `${why}: ${slower}` }];
}

const whom = ({ dropTo, user }: Identity): string => (dropTo ? user.name : 'you');

/**
 * With the rights of QEMU's user; undefined when it may, else the errno. A node whose module is not loaded is only
 * looked at: opening it would load the module, and a look changes nothing.
 */
async function usable(
  path: string,
  driver: Driver,
  { host, who }: DoctorContext,
): Promise<string | undefined> {
  if (driver !== 'module') return opening(path, who);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return 'ENOENT';
  const argv = [...dropPrivileges(who), 'test', '-r', path, '-a', '-w', path] as unknown as Argv;
  return (await host.run(argv)).status === 0 ? undefined : 'EACCES';
}

function opening(path: string, who: Identity): string | undefined {
  try {
    closeSync(asUser(who, () => openSync(path, constants.O_RDWR | constants.O_NONBLOCK)));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO';
  }
}

function rightsOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'not there' : `mode ${octal(stat.mode & 0o7777)}, ${stat.uid}:${stat.gid}`;
}

function openForAll(path: string): NonNullable<Extract<Fix, { steps: unknown }>['steps']>[number] {
  const mode = octal((statSync(path, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o7777);
  return {
    title: `let everybody open ${path}, as udev does`,
    do: { run: ['chmod', '0666', path] },
    undo: { run: ['chmod', mode, path], gone: ['No such file or directory'] },
    deadlineMs: 10_000,
  };
}
