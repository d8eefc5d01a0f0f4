import type { Problem } from './raw.ts';

declare const brand: unique symbol;
/** A name the kernel takes for an interface, and that means exactly itself. */
export type IfName = string & { readonly [brand]: 'IfName' };

/** Longest interface name, in bytes, without the closing NUL. IFNAMSIZ (16) in linux/include/uapi/linux/if.h. */
const MAX_BYTES = 15;

/**
 * dev_valid_name() in linux/net/core/dev.c refuses '', '.', '..', '/', ':' and white space. QEMU cuts a longer name
 * silently (qemu.md 2.2) and the kernel expands `%d`, so these are refused as well; so is a control character.
 */
export function parseIfName(text: string, at: string): IfName | Problem {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0) return { at, what: 'an interface name is missing' };
  if (bytes > MAX_BYTES)
    return { at, what: `"${text}" is ${bytes} bytes long; the kernel allows ${MAX_BYTES}` };
  if (text === '.' || text === '..') return { at, what: `"${text}" can not be an interface name` };
  if (/[/:\s\u0000-\u001f\u007f]/.test(text))
    return { at, what: `"${text}" must not contain "/", ":" or white space` };
  if (text.includes('%'))
    return { at, what: `"${text}" must not contain "%": the kernel would choose another name` };
  // Neither is there a way to say these to `ip -batch` (iproute2, lib/utils.c: makeargs and getcmdline).
  if (/[#\\]/.test(text) || (text.includes('"') && text.includes("'")))
    return {
      at,
      what: `"${text}" must not contain "#", "\\", or both kinds of quotes: ip -batch can not be told it`,
    };
  return text as IfName;
}

/**
 * For a link that we make: its name will stand in nft's syntax, where a star at the end means "any that begins so"
 * (nft(8), "ifname"), in batches, in file names, and on lines that people paste.
 */
export function parseNewIfName(text: string, at: string): IfName | Problem {
  const name = parseIfName(text, at);
  // Their settings' directories in /proc/sys/net/ipv4/conf would be these (linux/net/ipv4/devinet.c).
  if (text === 'all' || text === 'default')
    return { at, what: `"${text}" means every interface to the kernel, and can not name one` };
  if (typeof name !== 'string' || /^[A-Za-z0-9_.@][A-Za-z0-9_.@-]*$/.test(text)) return name;
  return {
    at,
    what: `"${text}" can not name an interface that qlaunch makes`,
    hint: 'letters, digits, "_", ".", "@" and "-", which is not the first',
  };
}
