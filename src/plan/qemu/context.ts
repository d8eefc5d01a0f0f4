/** What a QEMU command needs to know besides the VmSpec: decided by others, put together by run. */
import { join } from 'node:path';
import type { IfName } from '../../spec/ifname.ts';
import type { Mac } from '../../spec/mac.ts';
import type { PciAddress } from '../../spec/pci-address.ts';
import type { DiskFormat } from '../../spec/vm-spec.ts';
import { FILES } from '../vm/waiter.ts';
import type { QemuCaps } from './caps.ts';

/** Absolute paths in the VM's private directories. A socket's path has at most 107 bytes. */
export interface RunPaths {
  readonly dir: string;
  readonly supervisorSock: string;
  readonly commandSock: string;
  readonly eventsSock: string;
  readonly serialSock: string;
  readonly serialLog: string;
  readonly pidFile: string;
  /** The VNC password as QEMU reads it. */
  readonly vncPassword: string;
  /** passt's socket for the NIC of this id. */
  passtSock(id: string): string;
}

export interface NicContext {
  readonly mac: Mac;
  /** The tap to open: for nat, vf-less modes made by us, and tap without an ifname. */
  readonly ifname?: string;
  /** Of nat without a tap: the helper makes a port of this bridge. */
  readonly bridge?: IfName;
  /** For vfio and vf: the device the selector means. */
  readonly pci?: PciAddress;
}

export interface Firmware {
  readonly code: string;
  /** This VM's own, writable. */
  readonly vars: string;
  readonly format: 'raw' | 'qcow2';
}

export interface QemuContext {
  readonly binary: string;
  readonly caps: QemuCaps;
  readonly accel: 'kvm' | 'tcg';
  /** By disk id. */
  readonly formats: Readonly<Record<string, DiskFormat>>;
  /** By NIC id. */
  readonly nics: Readonly<Record<string, NicContext>>;
  /** By the id of a host device. */
  readonly hostdevs?: Readonly<Record<string, PciAddress>>;
  /** When the spec has `uefi`. */
  readonly firmware?: Firmware;
  readonly paths: RunPaths;
  /** This distribution's path, for `bridge` without `helper=`. */
  readonly bridgeHelper: string;
  /** QEMU may open /dev/vhost-net: then taps use it with KVM unless the user said otherwise. */
  readonly vhostNet: boolean;
}

/** `socketDir` differs from `dir` when the path of a socket would be too long. */
export function runPaths(dir: string, socketDir: string = dir): RunPaths {
  return {
    dir,
    supervisorSock: join(socketDir, FILES.supervisor),
    commandSock: join(socketDir, FILES.command),
    eventsSock: join(socketDir, FILES.events),
    serialSock: join(socketDir, FILES.serial),
    serialLog: join(dir, FILES.serialLog),
    pidFile: join(dir, FILES.pid),
    vncPassword: join(dir, FILES.vncPassword),
    passtSock: (id) => join(socketDir, `passt-${id}.sock`),
  };
}
