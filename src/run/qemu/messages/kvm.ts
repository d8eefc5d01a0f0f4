/** Accelerator, CPU, memory. */
import { CURES } from '../../../plan/doctor/cures.ts';
import type { MessageRow } from './row.ts';

export const kvmMessages: readonly MessageRow[] = [
  {
    pattern:
      /Could not access KVM kernel module: Permission denied|failed to initialize kvm: Permission denied/,
    cause: 'you may not open /dev/kvm',
    cure: [...CURES.kvmDenied, CURES.tcg],
    check: 'kvm',
  },
  {
    pattern:
      /Could not access KVM kernel module: No such file or directory|failed to initialize kvm: No such file/,
    cause: 'there is no /dev/kvm: its module is not loaded, or this machine offers no virtualization',
    cure: [...CURES.kvmMissing, CURES.tcg],
    check: 'kvm',
  },
  {
    pattern: /failed to initialize kvm: (?<errno>.+)|invalid accelerator kvm/i,
    cause: 'KVM does not work here: nested without support, used by another hypervisor, or not in this QEMU',
    cure: ['--accel tcg   # slow'],
    check: 'kvm',
  },
  {
    pattern: /KVM internal error|kvm run failed|error: failed to set MSR/,
    cause: 'KVM gave up while the guest ran: usual on nested machines whose /dev/kvm only exists by name',
    cure: ['--accel tcg   # slow'],
    check: 'kvm',
  },
  {
    pattern: /The -accel and "-machine accel=" options are incompatible/,
    cause: '-enable-kvm and -machine accel= are the old spelling of -accel, which qlaunch already gives',
    cure: ['leave it out behind -- and use --accel kvm'],
  },
  {
    pattern: /cannot set up guest memory '[^']+': Cannot allocate memory/,
    cause: 'this host does not have the memory that was asked for',
    cure: ['free -m', 'take a smaller --memory'],
  },
  {
    pattern: /unable to find CPU model '(?<model>[^']+)'/,
    cause: 'this QEMU has no CPU model "$<model>"',
    cure: ['qemu-system-x86_64 -cpu help'],
  },
  {
    pattern: /CPU model '(?<model>host|max)' requires KVM|requires KVM or HVF/,
    cause: 'that CPU model is a copy of this machine’s CPU, which only KVM can give to a guest',
    cure: ['--cpu max works with every accelerator'],
  },
  {
    pattern:
      /Invalid SMP CPUs (?<cpus>\d+)\. The max CPUs supported by machine '(?<machine>[^']+)' is (?<max>\d+)/,
    cause: 'machine $<machine> has room for $<max> CPUs',
    cure: ['--cpus $<max> at most'],
  },
  {
    pattern: /unsupported machine type/,
    cause:
      'this QEMU has no such machine, or has it no longer: versioned machine types are deleted after six years',
    cure: ['qemu-system-x86_64 -machine help', '--machine q35'],
  },
];
