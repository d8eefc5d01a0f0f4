/** Attributes under /proc/sys/net. */
import { DEADLINE_MS, type HostPath, type Owns, type Step } from './step.ts';

/**
 * 1 = the host routes IPv4. Writing it also writes conf/{all,default,IF}/forwarding = the same and
 * conf/all/accept_redirects = the opposite, even over what an administrator had set there.
 * Source: linux/net/ipv4/devinet.c, inet_forward_change(); measured on 6.18.
 */
export const IPV4_FORWARD: HostPath = '/proc/sys/net/ipv4/ip_forward';

/**
 * 1 = the host routes IPv6. Writing it also writes conf/{default,IF}/forwarding; hosts that live on router
 * advertisements lose their default route unless accept_ra is 2 there.
 * Source: linux/net/ipv6/addrconf.c, addrconf_fixup_forwarding(); measured on 6.18.
 */
export const IPV6_FORWARD: HostPath = '/proc/sys/net/ipv6/conf/all/forwarding';

/** 2 = router advertisements are heard also while the host routes IPv6 (linux/Documentation/networking/ip-sysctl.rst). */
export const keepHearing = (dev: string): Step =>
  shareAttribute(
    `/proc/sys/net/ipv6/conf/${dev}/accept_ra`,
    '2',
    `hear router advertisements on ${dev} also while the host routes IPv6`,
  );

export const isAcceptRa = (path: string): boolean =>
  path.startsWith('/proc/sys/net/ipv6/conf/') && path.endsWith('/accept_ra');

/** What the kernel changes along with a shared attribute. */
export interface Along {
  /** Of every directory here … */
  readonly under: string;
  /** … this attribute. */
  readonly each: string;
  /** And these. */
  readonly also: readonly HostPath[];
}

export const ALONG: Readonly<Record<string, Along>> = {
  [IPV4_FORWARD]: {
    under: '/proc/sys/net/ipv4/conf',
    each: 'forwarding',
    also: ['/proc/sys/net/ipv4/conf/all/accept_redirects'],
  },
  [IPV6_FORWARD]: { under: '/proc/sys/net/ipv6/conf', each: 'forwarding', also: [] },
};

/** An attribute nobody else uses. On an interface of ours, `owns` says which: a later one of that name is not it. */
export function setAttribute(path: HostPath, value: string, why: string, owns?: Owns): Step {
  const mark = owns === undefined ? {} : { owns };
  return {
    title: why,
    do: { write: path, value },
    undo: { restore: true },
    deadlineMs: DEADLINE_MS,
    ...mark,
  };
}

/** An attribute that others use as well: put back when the last user has left. */
export function shareAttribute(path: HostPath, value: string, why: string): Step {
  return { title: why, do: { share: path, value }, undo: { restore: true }, deadlineMs: DEADLINE_MS };
}
