/** What the helper needs once the list allows the bridge: a tun device, and the bridge. */

import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import type { Finding } from '../../../plan/doctor/finding.ts';
import { shellWord } from '../../../plan/shell.ts';
import { DEADLINE_MS, type Step } from '../../../plan/step.ts';
import { octal } from '../../../plan/words.ts';
import type { Host } from '../../port.ts';
import { userName } from '../../vm/names.ts';
import { asUser, type Identity } from '../../vm/user.ts';
import { findLink, readLinks } from '../links.ts';

const TUN = '/dev/net/tun';

/** Opened for real: a node without its driver is there and answers ENODEV. Opening alone makes no interface. */
export function tunFinding(user: Identity): Finding {
  const id = 'tun-device';
  try {
    closeSync(asUser(user, () => openSync(TUN, constants.O_RDWR)));
    return { id, state: 'ok', fact: `${TUN} may be used` };
  } catch (error) {
    return { id, state: 'problem', ...tunTrouble((error as NodeJS.ErrnoException).code ?? '', user) };
  }
}

function tunTrouble(code: string, { user }: Identity): Pick<Finding, 'fact' | 'cure' | 'fix'> {
  if (code === 'EACCES' || code === 'EPERM') {
    const mode = octal((lstatSync(TUN, { throwIfNoEntry: false })?.mode ?? 0) & 0o7777);
    return {
      // The helper opens it after it has given up root.
      fact: `${userName(user.uid)} may not open ${TUN}, which is ${mode}`,
      cure: [`sudo chmod 666 ${TUN}`],
      fix: { steps: [openTun(mode)] },
    };
  }
  const fact =
    code === 'ENOENT' || code === 'ENOTDIR' ? `there is no ${TUN}` : `${TUN} has no driver (${code})`;
  return {
    fact,
    cure: [
      'sudo modprobe tun',
      'after a kernel upgrade: reboot, the running kernel’s modules are gone',
      'in a container: start it with --device /dev/net/tun',
    ],
    fix: { steps: [LOAD_TUN] },
  };
}

const LOAD_TUN: Step = {
  title: 'load the tun driver',
  do: { load: 'tun' },
  undo: { restore: true },
  deadlineMs: DEADLINE_MS,
};

const openTun = (mode: string): Step => ({
  title: `let everybody open ${TUN}`,
  do: { run: ['chmod', '0666', TUN] },
  undo: { run: ['chmod', mode, TUN], gone: ['No such file or directory'] },
  deadlineMs: DEADLINE_MS,
});

export async function bridgeFinding(host: Pick<Host, 'run'>, name: string): Promise<Finding> {
  const id = 'bridge';
  const links = await readLinks(host);
  const link = findLink(links, name);
  if (link === undefined) {
    const others = links.filter(({ isBridge }) => isBridge).map((one) => one.name);
    const there = others.length === 0 ? 'there is no bridge at all' : `there are ${others.join(', ')}`;
    return {
      id,
      state: 'problem',
      fact: `there is no bridge ${name} in this network namespace; ${there}`,
      cure: [`sudo qlaunch bridge create ${shellWord(name)}`],
    };
  }
  if (!link.isBridge)
    return {
      id,
      state: 'problem',
      fact: `${name} is not a bridge`,
      cure: ['ip -br link show type bridge'],
    };
  if (link.name !== name)
    return {
      id,
      state: 'warning',
      fact: `${name} is another name of ${link.name}; the list of bridges is compared with what is typed`,
      cure: [`--net ${shellWord(`bridge:${link.name}`)}`],
    };
  if (link.isUp) return { id, state: 'ok', fact: `${name} is a bridge and is up` };
  return {
    id,
    state: 'warning',
    fact: `the bridge ${name} is down: the guest would be alone`,
    cure: [`sudo ip link set ${shellWord(name)} up`],
    fix: { steps: [bringUp(name)] },
  };
}

const bringUp = (name: string): Step => ({
  title: `bring ${name} up`,
  do: { run: ['ip', 'link', 'set', 'dev', name, 'up'] },
  undo: { run: ['ip', 'link', 'set', 'dev', name, 'down'], gone: ['Cannot find device'] },
  deadlineMs: DEADLINE_MS,
});
