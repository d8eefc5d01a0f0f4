/** `--ip-forward`: whether this host routes IPv4. A bridge does not need it: frames go from port to port below IP. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { IpForward } from '../../spec/bridge/settings.ts';
import { makeDirectory, putFile } from '../files.ts';
import type { FilePath, Step } from '../step.ts';
import { IPV4_FORWARD, shareAttribute } from '../sysctl.ts';

export interface ForwardFacts {
  /** "1" or "0". */
  readonly now: string;
  /** Who needs it on: "docker0", "nft table ip nat". */
  readonly users: readonly string[];
  /** Files of sysctl that come after ours at boot, with what they say of it. */
  readonly later: readonly { readonly path: string; readonly value: string }[];
}

interface ForwardWish {
  readonly name: string;
  readonly ipForward?: IpForward;
  /** Also after the next boot. */
  readonly persist: boolean;
}

const fileOf = (name: string): FilePath => `/etc/sysctl.d/60-qlaunch-${name}-forward.conf`;

/** Throws QL_IP_FORWARD (exit 3). */
export function forwardSteps(
  { name, ipForward, persist }: ForwardWish,
  facts: ForwardFacts,
): readonly Step[] {
  if (ipForward === undefined || ipForward === 'leave') return [];
  const value = ipForward === 'on' ? '1' : '0';
  if (value === '0' && facts.users.length > 0)
    throw new QlaunchError('QL_IP_FORWARD', EXIT.refused, {
      what: 'will not keep this host from routing IPv4',
      why: facts.users.map((user) => `${user} needs it: what it has behind it would reach nothing any more`),
      todo: [`the same command with --ip-forward leave   # ${name} does as well with it on`],
    });
  const other = persist ? facts.later.find((one) => one.value !== value) : undefined;
  if (other !== undefined)
    throw new QlaunchError('QL_IP_FORWARD', EXIT.refused, {
      what: `can not keep net.ipv4.ip_forward at ${value} over a boot`,
      why: [`${other.path} says ${other.value}, and is read after ${fileOf(name)}`],
      todo: [`take net.ipv4.ip_forward out of ${other.path}`, 'the same command without --persist'],
    });
  const title = value === '1' ? 'let this host route IPv4' : 'keep this host from routing IPv4';
  return [
    // Also where it is so already: who leaves last puts it back.
    shareAttribute(IPV4_FORWARD, value, `${title} (${stateText(facts)})`),
    ...(persist
      ? [
          makeDirectory('/etc/sysctl.d'),
          putFile({
            path: fileOf(name),
            content: `# qlaunch: \`qlaunch bridge delete ${name}\` removes this file.\nnet.ipv4.ip_forward = ${value}\n`,
          }),
        ]
      : []),
  ];
}

function stateText({ now, users }: ForwardFacts): string {
  const who = users.length === 0 ? 'nothing here needs it' : `${users.join(', ')} needs it`;
  return `it is ${now === '1' ? 'on' : 'off'}; ${who}`;
}

const MEANS: Readonly<Record<IpForward, string>> = {
  on: 'whoever uses this host as his router gets from any of its networks to any other, as far as the firewall lets him',
  off: 'nothing is routed here any more, from namespaces, containers and NAT networks neither',
  leave: 'as it was',
};

/** How it stood, who needs it, and what it means now: for a person. */
export const forwardReport = (ipForward: IpForward, facts: ForwardFacts): string =>
  `IPv4 forwarding: ${stateText(facts).replace('it is', ipForward === 'leave' ? 'it is' : 'it was')}; ` +
  `now ${ipForward === 'leave' ? '' : `${ipForward}: `}${MEANS[ipForward]}. A bridge does not need it`;
