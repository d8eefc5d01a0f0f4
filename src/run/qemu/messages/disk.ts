/** Images, firmware, kernels: block/, hw/. */
import type { MessageRow } from './row.ts';

export const diskMessages: readonly MessageRow[] = [
  {
    pattern:
      /Failed to (get|lock) (shared )?("(?<lock>\w+)" lock|byte \d+)|Is another process using the image/,
    cause: 'another QEMU, or qemu-img, uses this image',
    cure: ['fuser -v $<image>', 'qlaunch ps   # whose it is, if it is one of qlaunch’s'],
  },
  {
    pattern: /Image is not in (?<format>\w+) format/,
    cause: 'the image has another format than $<format>',
    cure: ['qemu-img info -U $<image>', 'leave format= out'],
  },
  {
    pattern: /Could not open backing (?:file|image)(?:.*Could not open '(?<file>[^']+)')?/,
    cause: 'the image builds on another file, which is not where it was',
    cure: [
      'namei -l $<file>',
      'qemu-img info -U $<image>   # names the file it builds on',
      'qemu-img rebase -u -b NEW_PATH -F qcow2 $<image>   # NEW_PATH: where it is now',
    ],
  },
  {
    pattern: /Could not open '(?<file>[^']+)': No such file or directory/,
    cause: '$<file> does not exist, or not for the user QEMU runs as',
    cure: ['ls -l $<file>'],
  },
  {
    pattern: /Could not open '(?<file>[^']+)': Permission denied/,
    cause:
      'the user QEMU runs as may not open $<file>, or not for writing, or AppArmor or SELinux forbids it',
    cure: ['namei -l $<file>', '--snapshot   # when it is only to be read'],
  },
  {
    pattern: /Could not open '(?<file>[^']+)': Is a directory/,
    cause: '$<file> is a directory',
    cure: ['ls $<file>'],
  },
  {
    pattern:
      /could not load PC BIOS '(?<file>[^']+)'|could not (load|open) kernel( file)? '(?<kernel>[^']+)'|could not load initrd/,
    cause: 'the firmware, kernel or initrd cannot be read, or is not one',
    cure: ['file -L $<file>', 'file -L $<kernel>'],
  },
  {
    pattern: /failed to find romfile "(?<file>[^"]+)"/,
    cause: 'the option ROM $<file> is not there; network boot ROMs come in a package of their own',
    cure: ['sudo apt install ipxe-qemu', 'or rom=off: this NIC then cannot boot from the network'],
  },
  {
    pattern: /No space left on device/,
    cause: 'the file system that holds the image is full',
    cure: ['df -h'],
  },
];
