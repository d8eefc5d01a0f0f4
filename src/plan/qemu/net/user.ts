import type { Forward, UserNet } from '../../../spec/net-spec.ts';
import { opt } from '../opt.ts';

export function userBackend(net: UserNet): string {
  return opt('user', {
    id: net.id,
    ipv4: net.ipv4,
    ipv6: net.ipv6,
    net: net.net,
    host: net.host,
    'ipv6-prefix': net.ipv6Prefix,
    'ipv6-prefixlen': net.ipv6PrefixLen,
    'ipv6-host': net.ipv6Host,
    restrict: net.restrict || undefined,
    hostname: net.hostname,
    dhcpstart: net.dhcpStart,
    dns: net.dns,
    'ipv6-dns': net.ipv6Dns,
    dnssearch: net.dnsSearch,
    tftp: net.tftp,
    bootfile: net.bootFile,
    smb: net.smb,
    smbserver: net.smbServer,
    hostfwd: net.forwards.map(hostForward),
    guestfwd: net.guestForwards,
  });
}

/** `[tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport` (slirp_hostfwd() in net/slirp.c). */
export function hostForward({ proto, address, hostPort, guestAddress = '', guestPort }: Forward): string {
  return `${proto}:${address}:${hostPort}-${guestAddress}:${guestPort}`;
}
