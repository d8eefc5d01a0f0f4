/** What the kernel is told of both links of a move: /proc/sys/net/ipv4/conf and ipv6/conf. */
import { DEADLINE_MS, type HostPath, type Owns, type Step } from '../step.ts';
import { setAttribute } from '../sysctl.ts';

export interface LinkSetting {
  readonly family: 'ipv4' | 'ipv6';
  readonly name: string;
  readonly value: string;
}

const conf = (family: 'ipv4' | 'ipv6', link: string, name: string): HostPath =>
  `/proc/sys/net/${family}/conf/${link}/${name}`;

export function copySetting(bridge: string, { family, name, value }: LinkSetting): Step {
  return {
    title: `set ${family} ${name} of ${bridge} as the NIC has it`,
    do: { write: conf(family, bridge, name), value },
    undo: { nothing: `goes away with ${bridge}` },
    deadlineMs: DEADLINE_MS,
  };
}

/** None: the kernel makes no link-local address (IN6_ADDR_GEN_MODE_NONE in linux/if_link.h). */
const NO_LINK_LOCAL = '1';

/** Addresses from a secret (RFC 7217), which is the NIC's; a bridge without one would refuse to be told so. */
const OWN_SECRET = '2';
const RANDOM_SECRET = '3';

/**
 * A link-local address that the kernel makes is asked for first (RFC 4862, 5.4), and can not be used for a second. So it
 * is given like any other, on the bridge now and on the NIC on the way back.
 */
export function quiet(bridge: string, nic: string, genMode: string | undefined, owns: Owns): readonly Step[] {
  if (genMode === undefined) return [];
  return [
    ownSetting(bridge, 'addr_gen_mode', NO_LINK_LOCAL, `let ${bridge} make no link-local address`),
    setAttribute(
      conf('ipv6', nic, 'addr_gen_mode'),
      NO_LINK_LOCAL,
      `let ${nic} make none when it is put back`,
      owns,
    ),
  ];
}

/** What is left of IPv6 on the port would answer nobody, and send what goes to its network nowhere. */
export function settle(
  bridge: string,
  nic: string,
  genMode: string | undefined,
  owns: Owns,
): readonly Step[] {
  if (genMode === undefined) return [];
  return [
    setAttribute(conf('ipv6', nic, 'disable_ipv6'), '1', `leave IPv6 of ${nic} to ${bridge}`, owns),
    ...(genMode === NO_LINK_LOCAL
      ? []
      : [
          ownSetting(
            bridge,
            'addr_gen_mode',
            genMode === OWN_SECRET ? RANDOM_SECRET : genMode,
            `let ${bridge} make one again when it loses it`,
          ),
        ]),
  ];
}

function ownSetting(bridge: string, name: string, value: string, title: string): Step {
  return {
    title,
    do: { write: conf('ipv6', bridge, name), value },
    undo: { nothing: `goes away with ${bridge}` },
    deadlineMs: DEADLINE_MS,
  };
}
