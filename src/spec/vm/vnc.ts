import { readIp } from '../ip.ts';
import { parseWhole } from '../number.ts';
import { parsePath } from '../path.ts';
import { readProps, splitOptions } from '../props.ts';
import { Gathering, type Problem, type RawValue } from '../raw.ts';
import type { VncSpec } from '../vm-spec.ts';

/**
 * `1`, `:1`, `0.0.0.0:1`, `[::1]:1`, each with `,password-file=FILE`. To QEMU `:1` means every address; here an
 * address is asked for by name.
 */
export function parseVnc(value: RawValue, home: string): VncSpec | readonly Problem[] {
  const gathering = new Gathering();
  const { head, props } = splitOptions(value);
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]:|(.*):)?([^:]*)$/.exec(head.text) ?? [];
  const address = (bracketed ?? plain) || '127.0.0.1';
  const ip = readIp(address);
  if (ip === undefined || (bracketed === undefined) !== (ip.family === 4))
    gathering.refuse(head.at, `"${address}" is not an IP address`, 'write 127.0.0.1:1 or [::1]:1');
  // The TCP port is 5900 + display.
  const display = gathering.take(parseWhole(digits, head.at, 0, 65535 - 5900)) ?? 0;
  let passwordFile: string | undefined;
  const password = {
    read: (prop: RawValue): void => {
      passwordFile = gathering.take(parsePath(prop, home));
    },
  };
  readProps(props, { 'password-file': password }, 'vnc', gathering, {
    password: 'password-file=FILE: a password on the command line can be read by everybody',
    listen: 'ADDR:N, as in 0.0.0.0:1',
  });
  if (gathering.problems.length > 0) return gathering.problems;
  return passwordFile === undefined ? { address, display } : { address, display, passwordFile };
}
