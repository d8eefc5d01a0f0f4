/** A NIC that systemd-networkd has, also one that netplan told it about. */
import { QlaunchError } from '../../../errors.ts';
import {
  changedSince,
  leasedAddress,
  type NetworkdLink,
  networkdFilesNow,
} from '../../../host/bridge/persist/unit-files.ts';
import { foreignRules } from '../../../host/bridge/rules.ts';
import type { Machine } from '../../../host/port.ts';
import { networkdHandover } from '../../../plan/bridge/handover/networkd.ts';
import { modelForNow } from '../../../plan/bridge/persist/model.ts';
import { iaidOf, LIVE_DIR, networkdFiles } from '../../../plan/bridge/persist/networkd.ts';
import type { KeptFile } from '../../../plan/bridge/persist/wish.ts';
import { familiesOf } from '../../../plan/bridge/readdress.ts';
import type { UplinkFacts } from '../../../plan/bridge/uplink.ts';
import type { LinkFact } from '../../../plan/facts.ts';
import { shellWord } from '../../../plan/shell.ts';
import type { Held, HeldWish, Objection } from './holder.ts';

const ANSWER_MS = 5_000;

export async function handNetworkd(
  machine: Machine,
  wish: HeldWish,
  { ifname, ifindex, address: mac }: LinkFact,
  facts: UplinkFacts,
  { file, lease, configuring }: NetworkdLink,
): Promise<Held> {
  const refused = (why: string, todo: string): Held => ({
    objections: [{ why: `systemd-networkd has ${ifname} (${file ?? 'by a .network file'}), ${why}`, todo }],
  });
  if (file === undefined) return refused('and does not say which', 'networkctl status');
  if (configuring)
    return refused(
      'and is still configuring it: what it waits for would be lost',
      `networkctl status ${shellWord(ifname)}   # until it says "configured" (or: why it waits); then the same command`,
    );
  if ((await machine.which('networkctl')) === undefined)
    return refused('and there is no networkctl to tell it about the bridge', 'sudo apt install systemd');
  const said = await machine.run(['networkctl', '--no-pager', 'list', ifname], { timeoutMs: ANSWER_MS });
  if (said.status !== 0 || said.stderr.includes('not running'))
    return refused(
      `and does not answer now (${said.stderr.trim().split('\n')[0] ?? ''})`,
      'sudo systemctl restart systemd-networkd   # then the same command',
    );
  const { readdress } = wish;
  const leased = leasedAddress(lease);
  const iaid = lease === undefined ? undefined : iaidOf(lease);
  let files: readonly KeptFile[];
  try {
    files = networkdFiles(
      {
        ...{ ...wish, ...modelForNow(facts, readdress) },
        ...(mac === undefined ? {} : { mac }),
      },
      {
        ...{ files: await networkdFilesNow(machine), ruling: file, live: true },
        ...(iaid === undefined ? {} : { iaid }),
      },
    );
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    return refused(
      `and can not have ${wish.name} in its place: ${error.why.join('; ')}`,
      error.todo.join('; '),
    );
  }
  const hold = {
    ...(leased === undefined ? {} : { leased }),
    ...(readdress !== undefined && familiesOf(readdress).includes('inet') ? { anew: readdress.dhcp } : {}),
    ...{ bridge: wish.name, index: ifindex, files },
    makesDir: (await machine.stat(LIVE_DIR)) === undefined,
    foreign: { rules: await foreignRules(machine), routes: facts.routes },
  };
  return {
    handover: networkdHandover(hold, facts, { link: ifname, ...(mac === undefined ? {} : { mac }) }),
    objections: await alsoReloaded(machine, ifname, file, wish.force),
  };
}

/** `networkctl reload` reads all files: what somebody has begun to change is not for us to bring about. */
async function alsoReloaded(
  machine: Machine,
  nic: string,
  ruling: string,
  force: boolean,
): Promise<readonly Objection[]> {
  const found = await changedSince(machine);
  // It would have the NIC in place of ours, and again after the way back.
  const grave = found.filter(
    ({ path, link }) => link === nic && path !== ruling && path.endsWith('.network'),
  );
  return (force ? grave : found).map(({ path, link }) => ({
    why: `${path} was changed after systemd-networkd has read it, and would count for ${link} from now on`,
    todo: `sudo networkctl reload   # where you may lose the session; then the same command, or with --force both at once; where it is said again (a clock that was behind): sudo networkctl reconfigure ${shellWord(link)}`,
  }));
}
