#!/bin/bash
# A machine of its own for one QEMU: no network but what is made here, and every write goes to memory. Must be run as
# `unshare --net --mount bash world.sh`. Says "ready", waits for a line (the caller puts files in place through
# /proc/PID/root), then runs the shell text in $COMMAND, which ends in an exec.
set -euo pipefail
layers=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs layers "$layers"
for dir in /etc /srv /home /root /usr/local /var/lib /run; do
  mkdir -p "$layers$dir/upper" "$layers$dir/work"
  mount -t overlay "$(basename "$dir")" -o "lowerdir=$dir,upperdir=$layers$dir/upper,workdir=$layers$dir/work" "$dir"
done
ip link set lo up
mkdir -p /etc/qemu /usr/local/libexec /srv/vm /home/user /var/lib/libvirt/images
echo 'allow all' >/etc/qemu/bridge.conf
for helper in /usr/local/libexec/qemu-bridge-helper "/usr/local/libexec/it's a,helper"; do
  cp /usr/lib/qemu/qemu-bridge-helper "$helper"
done
for script in /etc/qemu-ifup /etc/qemu-ifdown /usr/local/libexec/if,up /usr/local/libexec/ifdown; do
  printf '#!/bin/sh\nexec ip link set dev "$1" up >&2\n' >"$script"
  chmod +x "$script"
done
for bridge in br0 vmbr0 'b;$(id)'; do ip link add "$bridge" type bridge; done
for tap in qt-vm-0 qt-vm-1 qn-vm-0 tap0 tap1 tap3 tap4; do ip tuntap add dev "$tap" mode tap; done
for tap in tap2 qn-vm-1; do ip tuntap add dev "$tap" mode tap multi_queue; done
echo ready
read -r _
eval "$COMMAND"
