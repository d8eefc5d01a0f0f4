/**
 * `dnsmasq:options`: lines of the user's own. A definition may come from anywhere, and dnsmasq begins as root: what it
 * answers may be said here, not what it runs, reads, writes or becomes.
 */
import type { Gathering, Problem } from '../raw.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

/** Of dnsmasq(8). */
const ANSWERS: ReadonlySet<string> = new Set(
  `address alias all-servers auth-ttl bogus-priv bogus-nxdomain caa-record cache-size cname dhcp-boot dhcp-broadcast
  dhcp-circuitid dhcp-generate-names dhcp-host dhcp-ignore dhcp-ignore-names dhcp-mac dhcp-match dhcp-name-match
  dhcp-no-override dhcp-option dhcp-option-force dhcp-option-pxe dhcp-rapid-commit dhcp-remoteid
  dhcp-reply-delay dhcp-sequential-ip dhcp-subscrid dhcp-ttl dhcp-userclass dhcp-vendorclass dns-forward-max dns-rr
  domain domain-needed edns-packet-max expand-hosts filter-A filter-AAAA filterwin2k host-record
  ignore-address local local-ttl localise-queries localmx log-dhcp log-queries max-cache-ttl max-ttl min-cache-ttl
  mx-host mx-target naptr-record neg-ttl no-0x20-encode no-hosts no-negcache no-ping no-poll no-resolv no-round-robin
  ptr-record pxe-prompt pxe-service quiet-dhcp quiet-dhcp6 quiet-ra ra-param rebind-domain-ok
  rebind-localhost-ok rev-server selfmx server srv-host stop-dns-rebind strict-order synth-domain tag-if
  tftp-lowercase tftp-max tftp-mtu tftp-no-blocksize txt-record`
    .trim()
    .split(/\s+/),
);

export function readOptions(gathering: Gathering, root: Element): readonly string[] {
  return childrenNamed(root, 'dnsmasq:options')
    .flatMap((element) => childrenNamed(element, 'dnsmasq:option'))
    .flatMap((element) => {
      const value = element.getAttribute('value');
      if (value === null) return gathering.refuse(placeOf(element, 'value'), 'is missing') ?? [];
      return gathering.take(parseOption(value, placeOf(element, 'value'))) ?? [];
    });
}

function parseOption(text: string, at: string): string | Problem {
  if (/[\u0000-\u001f\u007f\u2028\u2029]/.test(text)) return { at, what: 'has a control character' };
  const name = /^[A-Za-z0-9-]+(?=\s*(=|$))/.exec(text)?.[0];
  if (name === undefined) return { at, what: `"${text}" is not an option of dnsmasq`, hint: 'write foo=bar' };
  if (ANSWERS.has(name)) return text;
  return {
    at,
    what: `the option ${name} of dnsmasq is not taken from a definition`,
    hint: 'only options that say what guests are answered, see dnsmasq(8)',
  };
}
