/**
 * What a VM is, after every value was checked. Made only by parseVmSpec(); paths are absolute, sizes and
 * counts are numbers with their unit in the name.
 */
import type { NetSpec } from './net-spec.ts';
import type { HostdevSpec } from './vfio/hostdev.ts';

export type DiskBus = 'virtio' | 'scsi' | 'nvme' | 'ide';
export type DiskCache = 'none' | 'writeback' | 'writethrough' | 'directsync' | 'unsafe';
export type DiskFormat = 'qcow2' | 'raw' | 'vmdk' | 'vdi' | 'vhdx' | 'vpc';

export interface DiskSpec {
  /** Unique in the VM: disk0, disk1, … unless given. */
  readonly id: string;
  readonly file: string;
  /** undefined: what was recorded at first use, else probed once (design.md, untrusted images). */
  readonly format?: DiskFormat;
  readonly bus: DiskBus;
  readonly cache?: DiskCache;
  readonly discard?: 'unmap' | 'ignore';
  /** Files outside the image's directory that it may refer to (a backing file, a data file). */
  readonly backing?: readonly string[];
  readonly readOnly: boolean;
}

export interface SmpSpec {
  readonly cpus: number;
  readonly sockets?: number;
  readonly cores?: number;
  readonly threads?: number;
}

export interface VncSpec {
  /** IPv4 or IPv6 literal; 127.0.0.1 unless asked for. */
  readonly address: string;
  /** TCP port 5900 + display. */
  readonly display: number;
  /** File that holds the password; given to QEMU as a secret, never on the command line. */
  readonly passwordFile?: string;
}

export type SerialSpec =
  | { readonly kind: 'stdio' }
  | { readonly kind: 'socket' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'none' };

export interface KernelSpec {
  readonly kernel: string;
  readonly initrd?: string;
  readonly append?: string;
}

export interface BootSpec {
  /** QEMU's letters (c disk, d CD-ROM, n network), in this order. */
  readonly order?: string;
  /** Used for the first boot only. */
  readonly once?: string;
  readonly menu: boolean;
}

export interface UefiSpec {
  /** undefined: found on this distro. */
  readonly code?: string;
  readonly vars?: string;
}

export interface VmSpec {
  /** 1–63 bytes of [A-Za-z0-9._-], beginning with a letter or digit. */
  readonly name: string;
  /** The name was given by the user; a default name may take a suffix. */
  readonly nameGiven: boolean;
  /** What the MACs are derived from: the canonical profile or image path, else the VM's name. */
  readonly identity: string;
  readonly machine: string;
  readonly accel: 'auto' | 'kvm' | 'tcg';
  readonly cpu?: string;
  readonly smp: SmpSpec;
  readonly memoryMiB: number;
  readonly disks: readonly DiskSpec[];
  readonly cdroms: readonly string[];
  readonly snapshot: boolean;
  readonly boot: BootSpec;
  readonly kernel?: KernelSpec;
  readonly uefi?: UefiSpec;
  readonly display: 'none' | 'gtk' | 'sdl';
  readonly vnc?: VncSpec;
  readonly serial: SerialSpec;
  readonly rng: boolean;
  readonly balloon: boolean;
  /** Never empty unless every --net was `none`. */
  readonly nets: readonly NetSpec[];
  readonly hostdevs: readonly HostdevSpec[];
  /** QEMU's own arguments after `--`, passed through untouched. */
  readonly extra: readonly string[];
  /** A QEMU binary by name or path; undefined: found. */
  readonly qemu?: string;
}
