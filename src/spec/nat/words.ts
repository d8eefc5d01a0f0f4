/** Texts that end up in dnsmasq's configuration, in nft's syntax and in file names: each has a narrow alphabet. */
import { parseIfName } from '../ifname.ts';
import { isProblem, type Problem } from '../raw.ts';

export function parseNetworkName(text: string, at: string): string | Problem {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/.test(text)) return text;
  return {
    at,
    what: `"${text}" can not name a network`,
    hint: 'up to 50 letters, digits, "-", "_" and "."; the first is a letter or a digit',
  };
}

/** Directories under /proc/sys/net/ipv4/conf that are no interfaces, and the one that is there always. */
const RESERVED: ReadonlySet<string> = new Set(['all', 'default', 'lo']);

export function parseBridgeName(text: string, at: string): string | Problem {
  const name = parseIfName(text, at);
  if (isProblem(name)) return name;
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) && !RESERVED.has(text)) return text;
  return {
    at,
    what: `"${text}" can not name the bridge of a network`,
    hint: 'letters, digits, "-", "_" and "."; not all, default or lo',
  };
}

/** RFC 1123, 2.1: labels of letters, digits and "-". */
export function parseDomain(text: string, at: string): string | Problem {
  const label = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
  if (text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(text)) return text;
  return { at, what: `"${text}" is not a domain name`, hint: 'write lab.example' };
}

/** With dashes or without, as libvirt takes it. */
export function parseUuid(text: string, at: string): string | Problem {
  const hex = text.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(hex)) return { at, what: `"${text}" is not a UUID` };
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Bytes in hex with colons, as libvirt and dnsmasq write them. Its type is two bytes; 130 in all (RFC 8415, 11.1). */
export function parseDuid(text: string, at: string): string | Problem {
  if (/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){2,129}$/i.test(text)) return text.toLowerCase();
  return { at, what: `"${text}" is not a DUID`, hint: 'write 0:3:0:1:52:54:0:0:0:1' };
}

/** As a domain, and with "_", which records that are no hosts begin with (RFC 8552). */
export function parseDnsName(text: string, at: string): string | Problem {
  const label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
  if (text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(text)) return text;
  return { at, what: `"${text}" is not a name in the DNS`, hint: 'write _dmarc.lab.example' };
}

/** Of a service or its protocol, without the "_" (RFC 6335, 5.1). */
export function parseService(text: string, at: string): string | Problem {
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,14}$/.test(text)) return text;
  return { at, what: `"${text}" is not the name of a service`, hint: 'write ldap, or tcp' };
}

/** One string of a TXT record (RFC 1035, 3.3.14). */
export function parseTxt(text: string, at: string): string | Problem {
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return { at, what: 'has a control character' };
  if (Buffer.byteLength(text) > 255) return { at, what: 'is longer than 255 bytes' };
  return text;
}

/** What dnsmasq's configuration takes as one word without quotes. */
const isPathWord = (text: string): boolean => /^[!-~]+$/.test(text) && !/[",#\\]/.test(text);

/** An absolute directory. */
export function parseServedPath(text: string, at: string): string | Problem {
  if (text.startsWith('/') && !text.split('/').includes('..') && isPathWord(text)) return text;
  return {
    at,
    what: `"${text}" is not a directory for TFTP`,
    hint: 'an absolute path without , # " \\ and blanks',
  };
}

/** As long as the field of BOOTP (RFC 951, 3). */
export function parseBootFile(text: string, at: string): string | Problem {
  if (isPathWord(text) && text.length < 128) return text;
  return { at, what: `"${text}" is not a boot file`, hint: 'write pxelinux.0' };
}

/** Of firewalld (its src/firewall/core/io/zone.py: up to 17 characters, or no chain of iptables could be named so). */
export function parseZone(text: string, at: string): string | Problem {
  if (/^[A-Za-z0-9_][A-Za-z0-9_-]{0,16}$/.test(text)) return text;
  return { at, what: `"${text}" is not a zone of firewalld`, hint: 'write libvirt, or trusted' };
}
