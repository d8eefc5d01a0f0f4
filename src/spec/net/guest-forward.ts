import { parseIPv4 } from '../ip.ts';
import { parseWhole } from '../number.ts';
import { isProblem, type Problem } from '../raw.ts';
import { parseText } from '../text.ts';

const HINT = 'write tcp:10.0.2.100:80-cmd:PROGRAM or tcp:10.0.2.100:80-tcp:127.0.0.1:8080';

/** What stands behind the first "-"; undefined address: slirp's own, the fourth of its network. */
export interface GuestForwardParts {
  readonly address?: string;
  readonly port: string;
  readonly target: string;
}

/** `[tcp]:[ADDR]:PORT-TARGET` (slirp_guestfwd() in qemu/net/slirp.c). */
export function guestForwardParts(text: string): GuestForwardParts | undefined {
  const [, address = '', port, target] = /^(?:tcp)?:([^:]*):([^-]*)-(.+)$/s.exec(text) ?? [];
  if (port === undefined || target === undefined) return undefined;
  return address === '' ? { port, target } : { address, port, target };
}

/** The text itself, when QEMU will take it. */
export function parseGuestForward(text: string, at: string): string | Problem {
  const given = parseText(text, at);
  if (isProblem(given)) return given;
  const parts = guestForwardParts(given);
  if (parts === undefined) return { at, what: `"${text}" is not a guest forward`, hint: HINT };
  const checks = [
    parts.address === undefined ? undefined : parseIPv4(parts.address, at),
    parseWhole(parts.port, at, 1, 65535),
  ];
  const problem = checks.find(isProblem);
  if (problem !== undefined) return { at, what: `"${text}": ${problem.what}`, hint: HINT };
  if (isTarget(parts.target)) return given;
  return { at, what: `"${text}": "${parts.target}" is no place to forward to`, hint: HINT };
}

/** A program, or one of QEMU's character devices in its short form (qemu_chr_parse_compat() in chardev/char.c). */
function isTarget(target: string): boolean {
  return (
    /^(null|pty|stdio|vc|msmouse|wctablet|braille|testdev)$/.test(target) ||
    /^(cmd|chardev|file|pipe|unix|vc|mon):./s.test(target) ||
    // Its reader ends the host at the first colon, brackets or not.
    /^(tcp|telnet|tn3270|websocket|udp):[^:,]*:\d/.test(target) ||
    target.startsWith('/dev/')
  );
}
