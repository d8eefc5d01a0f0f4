/** The helper itself: may this user run it, and does it then have CAP_NET_ADMIN? */
import { readFileSync, statSync } from 'node:fs';
import { DEFAULT_GROUP } from '../../../plan/acl/helper.ts';
import type { Finding, Fix } from '../../../plan/doctor/finding.ts';
import { shellWord } from '../../../plan/shell.ts';
import { octal } from '../../../plan/words.ts';
import { which } from '../../linux-files.ts';
import type { Host } from '../../port.ts';
import { installLine } from '../../qemu/install.ts';
import { groupId, groupName, isMember, userName } from '../../vm/names.ts';
import { asUser } from '../../vm/user.ts';
import type { ChainWish } from '../chain.ts';
import { grantSteps } from '../grant.ts';
import { type BridgeHelper, chosenHelper, inspectHelper, mayGetRights } from '../helper.ts';
import { mountOptions } from '../mounts.ts';
import { barrier } from '../reach.ts';

export async function helperFindings(
  host: Pick<Host, 'run'>,
  helper: BridgeHelper,
  wish: ChainWish,
): Promise<readonly Finding[]> {
  const privilege = await privilegeFinding(host, helper, wish);
  const mount = wish.user.user.uid === 0 ? [] : [mountFinding(helper)];
  const ofFile = [runsFinding(helper, wish), privilege, ...mount];
  const found = mayGetRights(helper) ? ofFile : ofFile.map((finding) => withoutRights(finding, helper));
  return wish.user.user.uid === 0 ? found : [...found, noNewPrivsFinding()];
}

/** What the cures would give away belongs to a file that we do not know: none of them is done, or told to anybody. */
function withoutRights({ id, state, fact }: Finding, helper: BridgeHelper): Finding {
  if (state === 'ok') return { id, state, fact };
  const installed = chosenHelper({});
  const cure =
    installed === undefined
      ? installLine('bridge-helper')
      : inspectHelper(installed)?.real === helper.real
        ? `have root put the package’s own ${installed} back, in a directory that only root may write`
        : `leave helper= out, or take the one that is installed: helper=${installed}`;
  const why = 'nobody is told to give it rights, for only a distribution’s own, put there by root, is known';
  return { id, state, fact: `${fact}; ${why}`, cure: [cure] };
}

const rights = ({ uid, gid, mode }: BridgeHelper): string =>
  `${userName(uid)}:${groupName(gid)} ${octal(mode)}`;

function runsFinding(helper: BridgeHelper, { user }: ChainWish): Finding {
  const id = 'helper-runs';
  const name = userName(user.user.uid);
  if (asUser(user, () => mayRun(helper.path))) return { id, state: 'ok', fact: `${name} may run it` };
  const closed = barrier(helper.real, user);
  const byGroup = (helper.mode & 0o011) === 0o010 && helper.gid !== 0;
  return {
    id,
    state: 'problem',
    fact: `${name} may not run ${helper.path}, which is ${rights(helper)}`,
    cure: [
      ...(closed === undefined ? [] : [`sudo chmod a+x ${shellWord(closed)}`]),
      ...(byGroup
        ? [`sudo usermod -aG ${groupName(helper.gid)} ${name}    # then log in again`]
        : (helper.mode & 0o001) === 0
          ? [`sudo chmod a+rx ${shellWord(helper.real)}`]
          : []),
    ],
  };
}

/** With our effective rights: access(2) would look at the real ones. */
function mayRun(path: string): boolean {
  try {
    const { mode, uid, gid } = statSync(path);
    const me = process.geteuid?.() ?? 0;
    if (me === 0) return (mode & 0o111) !== 0;
    const groups = [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])];
    const bit = me === uid ? 0o100 : groups.includes(gid) ? 0o010 : 0o001;
    return (mode & bit) !== 0;
  } catch {
    return false;
  }
}

/** linux/include/uapi/linux/capability.h */
const NET_ADMIN = 12n;
const SETPCAP = 8n;

async function privilegeFinding(
  host: Pick<Host, 'run'>,
  helper: BridgeHelper,
  wish: ChainWish,
): Promise<Finding> {
  const id = 'helper-privilege';
  const limit = missingFromBounds(helper, wish);
  if (limit !== undefined)
    return {
      id,
      state: 'problem',
      fact: `this container or service takes ${limit} away from all it runs: the helper can not make a tap`,
      cure: ['start the container with --cap-add NET_ADMIN --cap-add SETPCAP'],
    };
  if (wish.user.user.uid === 0)
    return { id, state: 'ok', fact: 'QEMU runs as root: it needs no setuid helper' };
  if ((helper.mode & 0o4000) !== 0 && helper.uid === 0)
    return { id, state: 'ok', fact: `it is setuid root (${rights(helper)})` };
  if (await hasCapability(host, helper))
    return { id, state: 'ok', fact: 'it has the capability cap_net_admin' };
  const why = (helper.mode & 0o4000) === 0 ? 'not setuid' : 'setuid, but does not belong to root';
  const group = wish.group ?? DEFAULT_GROUP;
  const fix = await grantFix(host, helper, group);
  return {
    id,
    state: 'problem',
    fact: `${helper.path} is ${why} (${rights(helper)}) and has no capability cap_net_admin`,
    cure: grantCure(helper, group, wish),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** By `qlaunch acl init`, where it would take the same helper. */
function grantCure(helper: BridgeHelper, group: string, { user: { user } }: ChainWish): readonly string[] {
  const path = shellWord(helper.real);
  const grant =
    chosenHelper({}) === helper.path
      ? `sudo qlaunch acl init --helper ${group}`
      : `sudo chown root:${group} ${path} && sudo chmod 4750 ${path}`;
  const make = groupId(group) === undefined ? [`sudo groupadd --system ${group}`] : [];
  const join = isMember(user, group)
    ? []
    : [`sudo usermod -aG ${group} ${userName(user.uid)}    # then log in again`];
  return [...make, grant, ...join];
}

async function grantFix(
  host: Pick<Host, 'run'>,
  helper: BridgeHelper,
  group: string,
): Promise<Fix | undefined> {
  const groupGid = groupId(group);
  return groupGid === undefined ? undefined : { steps: await grantSteps(host, helper, group, groupGid) };
}

/** Of a helper that gives its privileges away: CAP_SETPCAP as well, to empty its bounding set. */
function missingFromBounds({ strings }: BridgeHelper, { user }: ChainWish): string | undefined {
  const bounds = BigInt(`0x${ownStatus('CapBnd') ?? 'ffffffffffffffff'}`);
  const needs = user.user.uid !== 0 && strings.dropsPrivileges ? [NET_ADMIN, SETPCAP] : [NET_ADMIN];
  const missing = needs.filter((bit) => (bounds & (1n << bit)) === 0n);
  const names = missing.map((bit) => (bit === NET_ADMIN ? 'CAP_NET_ADMIN' : 'CAP_SETPCAP'));
  return names.length === 0 ? undefined : names.join(' and ');
}

function ownStatus(key: string): string | undefined {
  return new RegExp(`^${key}:\\s*(\\S+)$`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
}

/** "PATH cap_net_admin=ep", or with a + in older versions. Node can not read extended attributes. */
async function hasCapability(host: Pick<Host, 'run'>, { real }: BridgeHelper): Promise<boolean> {
  if (which('getcap') === undefined) return false;
  const { stdout } = await host.run(['getcap', real], { timeoutMs: 10_000 });
  return /cap_net_admin[a-z_,]*[=+]e?p?e/.test(stdout.slice(real.length));
}

function mountFinding({ real }: BridgeHelper): Finding {
  const id = 'helper-mount';
  const mount = mountOptions(real);
  if (!mount.options.includes('nosuid'))
    return { id, state: 'ok', fact: `set-id bits count on ${mount.point}` };
  return {
    id,
    state: 'problem',
    fact: `${real} lies on ${mount.point}, which is mounted nosuid: neither setuid nor capabilities count there`,
    cure: [`sudo mount -o remount,suid ${shellWord(mount.point)}`],
  };
}

function noNewPrivsFinding(): Finding {
  const id = 'no-new-privs';
  if (ownStatus('NoNewPrivs') !== '1')
    return { id, state: 'ok', fact: 'set-id programs keep their rights here' };
  return {
    id,
    state: 'problem',
    fact: 'this process has no_new_privs set: the setuid helper gets no rights (a sandbox, a container, systemd’s NoNewPrivileges=)',
    cure: [
      'start qlaunch from a plain login shell',
      'or let root prepare a tap once, and use it: --net tap:NAME',
    ],
  };
}
