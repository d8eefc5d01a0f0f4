/** The files that a VM's command names: disks of the right format, a firmware, a kernel that QEMU takes. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DiskFormat, VmSpec } from '../../../src/spec/vm-spec.ts';
import { parentIn, type World } from './world.ts';

/** Small, of every sector size QEMU asks for. */
const DISK_BYTES = 1024 * 1024;

export function makeFiles(
  place: World,
  spec: VmSpec,
  formats: Readonly<Record<string, DiskFormat>>,
  runDir: string,
): void {
  mkdirSync(place.path(runDir), { recursive: true });
  for (const disk of spec.disks) makeDisk(parentIn(place, disk.file), formats[disk.id] ?? 'qcow2');
  for (const file of spec.cdroms) makeDisk(parentIn(place, file), 'raw');
  if (spec.uefi) {
    copyFileSync(
      '/usr/share/OVMF/OVMF_VARS_4M.fd',
      parentIn(place, spec.uefi.vars ?? join(runDir, 'vars.fd')),
    );
    if (spec.uefi.code) copyFileSync('/usr/share/OVMF/OVMF_CODE_4M.fd', parentIn(place, spec.uefi.code));
  }
  if (spec.kernel) writeFileSync(parentIn(place, spec.kernel.kernel), fakeKernel());
  if (spec.kernel?.initrd) writeFileSync(parentIn(place, spec.kernel.initrd), 'initrd');
  if (spec.vnc?.passwordFile) writeFileSync(place.path(join(runDir, 'vnc.password')), 'secret');
  for (const net of spec.nets) if (net.romFile) writeFileSync(parentIn(place, net.romFile), 'rom');
}

function makeDisk(path: string, format: DiskFormat): void {
  if (format === 'raw') {
    writeFileSync(path, '');
    truncateSync(path, DISK_BYTES);
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), 'disk-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  execFileSync('qemu-img', ['create', '-q', '-f', format, join(dir, 'disk'), String(DISK_BYTES)]);
  copyFileSync(join(dir, 'disk'), path);
}

/** A header of the x86 boot protocol 2.12 (linux/Documentation/arch/x86/boot.rst) and nothing behind it. */
function fakeKernel(): Buffer {
  const kernel = Buffer.alloc(64 * 1024);
  kernel.writeUInt8(1, 0x1f1);
  kernel.writeUInt16LE(0xaa55, 0x1fe);
  kernel.write('HdrS', 0x202, 'latin1');
  kernel.writeUInt16LE(0x20c, 0x206);
  kernel.writeUInt8(1, 0x211);
  kernel.writeUInt32LE(0x7fffffff, 0x22c);
  return kernel;
}
