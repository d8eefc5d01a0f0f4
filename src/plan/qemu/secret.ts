/** QEMU takes every byte of a secret's file, and a file that was written with an editor or echo ends in a newline. */
import type { VmSpec } from '../../spec/vm-spec.ts';
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';
import type { RunPaths } from './context.ts';

/** `$(…)` leaves the newline out; printf is the shell's own, so that no list of processes shows the password. */
const COPY = 'umask 077; printf %s "$(cat -- "$1")" >"$2"';

/** The VNC password without the newline at its end, in the VM's own directory, made with the rights of QEMU's user. */
export function secretSteps(
  { vnc }: VmSpec,
  { paths, runAs }: { readonly paths: RunPaths; readonly runAs: readonly string[] },
): readonly Step[] {
  if (vnc?.passwordFile === undefined) return [];
  const copy = ['/bin/sh', '-c', COPY, 'copy-password', vnc.passwordFile, paths.vncPassword];
  return [
    {
      title: 'copy the VNC password without the newline at its end',
      do: { run: [...runAs, ...copy] as unknown as Argv },
      undo: { nothing: 'it goes with the VM’s own directory' },
      deadlineMs: DEADLINE_MS,
    },
  ];
}
