# shellcheck shell=bash
# Sourced by scripts/guest and scripts/lab: an initramfs made of Debian's busybox and some of its kernel's modules.

# install_modules LINUX BUSYBOX TREE MODULE…: the modules, those they need and their index, into TREE/lib/modules.
# LINUX and BUSYBOX are unpacked packages (scripts/debian-package).
install_modules() {
  local linux=$1 busybox=$2 tree=$3 release closure
  shift 3
  release=$(basename "$linux"/lib/modules/*)
  mkdir -p "$tree/lib/modules/$release"
  cp "$linux/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$tree/lib/modules/$release/"
  closure=$(module_closure "$linux/lib/modules/$release" "$@") || return 1
  while read -r file; do
    install -D -m 644 "$file" "$tree/lib/modules/$release/${file#"$linux/lib/modules/$release/"}"
  done <<<"$closure"
  "$busybox/bin/busybox" depmod -b "$tree" "$release"
}

# module_closure DIR MODULE…: the files of the modules and of those they need, each once. A module's ELF file names
# what it needs as "depends=a,b".
module_closure() {
  local dir=$1 name path
  local -A file_of=() seen=()
  shift
  local queue=("$@")
  while read -r path; do
    name=${path##*/} name=${name%.ko}
    file_of[${name//-/_}]=$path
  done < <(find "$dir/kernel" -name '*.ko')
  while [ "${#queue[@]}" -gt 0 ]; do
    name=${queue[0]//-/_} queue=("${queue[@]:1}")
    [ -z "${seen[$name]:-}" ] || continue
    seen[$name]=1
    path=${file_of[$name]:-}
    if [ -z "$path" ]; then
      grep -q "/${name//_/[-_]}\.ko$" "$dir/modules.builtin" && continue
      echo "this kernel has no module $name" >&2
      return 1
    fi
    printf '%s\n' "$path"
    IFS=, read -ra more <<<"$(tr '\0' '\n' <"$path" | sed -n 's/^depends=//p' | head -n 1)"
    queue+=("${more[@]}")
  done
}

# pack TREE FILE: a compressed cpio that is the same for the same content.
pack() {
  find "$1" -exec touch -h -d @0 {} +
  (cd "$1" && find . -print0 | LC_ALL=C sort -z | cpio --quiet --null -o -H newc -R 0:0 --reproducible) | gzip -9n >"$2"
}

# kernel_package SCRIPTS: the package that linux-image-amd64 stands for today. Fetching that one first makes sure that
# apt has its lists.
kernel_package() {
  "$1/debian-package" linux-image-amd64 >/dev/null
  apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}
