/**
 * What to type about the host's devices: said by `qlaunch doctor` before a start, and below QEMU's own message when
 * it failed; remarks stand behind ` #`. `$<user>` and the other names in `$<>` are filled in by whoever says it.
 */

export const CURES = {
  tun: ['sudo modprobe tun', 'in a container: --device /dev/net/tun'],
  tunGone: ['ls -l /dev/net/tun; uname -r; ls /lib/modules'],
  vhostNet: ['sudo modprobe vhost_net', 'ls -l /dev/vhost-net; sudo setfacl -m u:$<user>:rw /dev/vhost-net'],
  kvmDenied: ['sudo usermod -aG kvm $<user>   # then log in again'],
  kvmMissing: ['sudo modprobe kvm_intel || sudo modprobe kvm_amd'],
  tcg: 'or --accel tcg   # slow',
} as const;

/** With the names in it filled in. */
export function filled(cures: readonly string[], names: Readonly<Record<string, string>>): readonly string[] {
  return cures.map((text) => text.replace(/\$<(\w+)>/g, (_, name) => names[name] ?? '?'));
}
