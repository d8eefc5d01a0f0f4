/** What one run of the probe guest means. Pure. */
import type { RunResult } from '../../port.ts';
import type { NoKvm } from './kvm-device.ts';
import { PROOF } from './probe-rom.ts';

/** undefined: a KVM guest runs here. */
export function judge(result: RunResult, deadlineMs: number): NoKvm | undefined {
  if (result.stdout.includes(PROOF)) return undefined;
  const words = ownWords(result.stderr);
  if (result.timedOut) {
    const how = reached(result.stdout);
    return {
      because: `a KVM guest on this host ${how} within ${deadlineMs / 1000} s: an emulated or broken /dev/kvm, as on many nested machines`,
      cure: [],
    };
  }
  const denied = /Permission denied/.test(result.stderr);
  return {
    because: `a KVM guest does not start (${words ?? `QEMU ended with ${result.signal ?? result.status}`})`,
    cure: denied ? ['sudo usermod -aG kvm $USER   # the user that QEMU runs as; then log in again'] : [],
  };
}

function reached(letters: string): string {
  if (letters.includes('L')) return 'runs, but slower than plain emulation: it did not finish a 10 ms loop';
  if (letters.includes('P')) return 'stops on the way to long mode and does not go on';
  if (letters.includes('R')) return 'stops on the way to protected mode and does not go on';
  return 'executes nothing';
}

/** QEMU's last line that is not a warning, without its program name. */
function ownWords(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/: warning: /.test(line));
  return lines
    .at(-1)
    ?.replace(/^[^ :]+: /, '')
    .trim();
}
