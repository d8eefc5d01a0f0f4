/** A NIC that NetworkManager has. */
import { QlaunchError } from '../../../errors.ts';
import { keyfilesNow, type NmLink } from '../../../host/bridge/persist/keyfiles.ts';
import type { Machine } from '../../../host/port.ts';
import { ASKING, nmHandover } from '../../../plan/bridge/handover/networkmanager.ts';
import { keyfileFiles, LIVE_KEYFILES, uuidsOf } from '../../../plan/bridge/persist/keyfile.ts';
import { modelForNow } from '../../../plan/bridge/persist/model.ts';
import type { KeptFile } from '../../../plan/bridge/persist/wish.ts';
import { familiesOf, readdressed } from '../../../plan/bridge/readdress.ts';
import type { UplinkFacts } from '../../../plan/bridge/uplink.ts';
import type { LinkFact } from '../../../plan/facts.ts';
import { shellWord } from '../../../plan/shell.ts';
import type { Held, HeldWish } from './holder.ts';

const ANSWER_MS = 5_000;

export async function handNetworkManager(
  machine: Machine,
  wish: HeldWish,
  { ifname, address: mac }: LinkFact,
  facts: UplinkFacts,
  { uuid, clientId, iaid6 }: NmLink,
): Promise<Held> {
  const refused = (why: string, todo: string): Held => ({
    objections: [{ why: `NetworkManager has ${ifname}, ${why}`, todo }],
  });
  const letGo = `sudo nmcli device set ${shellWord(ifname)} managed no   # keeps its addresses; a lease is not renewed any more`;
  const nmcli = await machine.which('nmcli');
  if (nmcli === undefined) return refused('and there is no nmcli to tell it about the bridge', letGo);
  const said = await machine.run([nmcli, '-g', 'GENERAL.STATE', 'device', 'show', ifname], {
    timeoutMs: ANSWER_MS,
  });
  if (said.status !== 0)
    return refused(
      `and does not answer now (${said.stderr.trim().split('\n')[0] ?? ''})`,
      'sudo systemctl restart NetworkManager   # then the same command',
    );
  const all = await keyfilesNow(machine);
  const used = all.find(({ content }) => uuid !== undefined && content.includes(`uuid=${uuid}`));
  if (uuid === undefined || used === undefined)
    return refused(
      `by a profile that is in no keyfile (${uuid ?? 'without a UUID'})`,
      `sudo nmcli connection migrate ${uuid ?? ''}   # of an ifcfg file; or: ${letGo}`,
    );
  if (/^\[802-1x\]$/m.test(used.content))
    return refused('and logs it in to the switch (802.1X), which would end with the move', letGo);
  const { readdress } = wish;
  const own = { ...wish, ...modelForNow(facts, readdress), ...(mac === undefined ? {} : { mac }) };
  let files: readonly KeptFile[];
  try {
    files = keyfileFiles(own, {
      ...{ files: all, ruling: uuid, live: true },
      ...(clientId === undefined ? {} : { clientId }),
      ...(iaid6 === undefined ? {} : { iaid6 }),
    });
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    return refused(
      `and can not have ${wish.name} in its place: ${error.why.join('; ')}`,
      error.todo.join('; '),
    );
  }
  const lease = `/var/lib/NetworkManager/internal-${uuid}-${ifname}.lease`;
  const asks: Record<string, string> = {};
  for (const name of facts.genMode === undefined ? [] : ASKING)
    asks[name] = (await machine.read(`/proc/sys/net/ipv6/conf/${ifname}/${name}`)) ?? '1';
  const isAnew = readdress !== undefined && familiesOf(readdress).includes('inet');
  const hold = {
    ...(isAnew ? { anew: readdress.dhcp } : {}),
    ...{ nmcli, bridge: wish.name, old: uuid, uuids: uuidsOf(own), files },
    makesDir: (await machine.stat(LIVE_KEYFILES)) === undefined,
    asks,
    hasLease: (!isAnew || readdress.dhcp) && (await machine.stat(lease)) !== undefined,
  };
  const owns = { link: ifname, ...(mac === undefined ? {} : { mac }) };
  const arriving = readdress === undefined ? facts : readdressed(facts, readdress).layer;
  return { handover: nmHandover(hold, facts, owns, arriving), objections: [] };
}
