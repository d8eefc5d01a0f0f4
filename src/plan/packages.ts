/** Which package has a program: Debian's names, most other distributions share them. */

const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
  modprobe: 'kmod',
  dnsmasq: 'dnsmasq-base',
  setpriv: 'util-linux',
  dd: 'coreutils',
};

/** One line to type. A program that is not in the list is taken for its package. */
export function installLine(programs: readonly string[]): string {
  const names = new Set(programs.map((program) => PACKAGES[program] ?? program.split('/').at(-1) ?? program));
  return `sudo apt install ${[...names].join(' ')}   # has ${programs.join(', ')}; elsewhere: the package of that name`;
}
