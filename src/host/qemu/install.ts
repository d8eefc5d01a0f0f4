/** What to type on this distribution to get a program that is missing. */
import { readFileSync } from 'node:fs';

export type Family = 'debian' | 'fedora' | 'rhel' | 'arch' | 'alpine' | 'suse' | 'other';

/** The things that distributions pack separately. */
export type Part = 'qemu' | 'qemu-img' | 'ovmf' | 'bridge-helper';

const PACKAGES: Record<Exclude<Family, 'other'>, { command: string; names: Record<Part, string> }> = {
  debian: {
    command: 'sudo apt install',
    names: {
      qemu: 'qemu-system-x86 qemu-utils',
      'qemu-img': 'qemu-utils',
      ovmf: 'ovmf',
      'bridge-helper': 'qemu-system-common',
    },
  },
  fedora: {
    command: 'sudo dnf install',
    names: {
      qemu: 'qemu-system-x86-core qemu-img',
      'qemu-img': 'qemu-img',
      ovmf: 'edk2-ovmf',
      'bridge-helper': 'qemu-common',
    },
  },
  rhel: {
    command: 'sudo dnf install',
    names: {
      qemu: 'qemu-kvm qemu-img',
      'qemu-img': 'qemu-img',
      ovmf: 'edk2-ovmf',
      'bridge-helper': 'qemu-kvm-common',
    },
  },
  arch: {
    command: 'sudo pacman -S',
    names: { qemu: 'qemu-base', 'qemu-img': 'qemu-img', ovmf: 'edk2-ovmf', 'bridge-helper': 'qemu-common' },
  },
  alpine: {
    command: 'sudo apk add',
    names: {
      qemu: 'qemu-system-x86_64 qemu-img',
      'qemu-img': 'qemu-img',
      ovmf: 'ovmf',
      'bridge-helper': 'qemu-bridge-helper',
    },
  },
  suse: {
    command: 'sudo zypper install',
    names: {
      qemu: 'qemu-x86 qemu-img',
      'qemu-img': 'qemu-img',
      ovmf: 'qemu-ovmf-x86_64',
      'bridge-helper': 'qemu-tools',
    },
  },
};

/** From the text of os-release(5): ID first, then what it says it is like. */
export function familyOf(osRelease: string): Family {
  const field = (name: string): string =>
    new RegExp(`^${name}=["']?([^"'\\n]*)`, 'm').exec(osRelease)?.[1]?.toLowerCase() ?? '';
  for (const id of `${field('ID')} ${field('ID_LIKE')}`.split(/\s+/)) {
    if (id === 'debian' || id === 'ubuntu') return 'debian';
    if (id === 'rhel' || id === 'centos') return 'rhel';
    if (id === 'fedora') return 'fedora';
    if (id === 'arch' || id === 'archlinux') return 'arch';
    if (id === 'alpine') return 'alpine';
    if (id === 'suse' || id === 'opensuse' || id.startsWith('opensuse-') || id === 'sles') return 'suse';
  }
  return 'other';
}

export function installLine(part: Part, family: Family = thisFamily()): string {
  if (family === 'other') return `install QEMU's "${part}" by your distribution's package manager`;
  const { command, names } = PACKAGES[family];
  return `${command} ${names[part]}`;
}

function thisFamily(): Family {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return familyOf(readFileSync(path, 'utf8'));
    } catch {
      // os-release(5): the second file stands in when the first is missing.
    }
  }
  return 'other';
}
