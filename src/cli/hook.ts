/** What both hooks share: QEMU gives the interface's name, and reads nothing but the exit status. */
import { EXIT, QlaunchError, renderError } from '../errors.ts';
import { linuxMachine } from '../host/linux.ts';
import { plugIn, unplug } from '../run/hook.ts';

const DOC = {
  up: 'makes the tap a port of a bridge and brings it up',
  down: 'takes the tap out of its bridge',
};

/** QEMU's stdout may carry QMP (`-qmp stdio`), so everything is said on stderr. */
export function runHook(which: 'up' | 'down', argv: readonly string[]): void {
  const [ifname] = argv;
  if (ifname === undefined || argv.length > 1 || ifname.startsWith('-')) {
    const usage = `usage: qemu-if${which} IFNAME\n${DOC[which]}; QEMU calls it as ${which === 'up' ? 'script=' : 'downscript='}. The bridge is\n$QLAUNCH_BRIDGE, else the one that carries the default route.\n`;
    process.stderr.write(usage);
    process.exitCode = ifname === '-h' || ifname === '--help' ? EXIT.ok : EXIT.usage;
    return;
  }
  const machine = linuxMachine();
  const work =
    which === 'up' ? plugIn(machine, ifname, process.env['QLAUNCH_BRIDGE']) : unplug(machine, ifname);
  void work.then(
    () => undefined,
    (error: unknown) => {
      const known = error instanceof QlaunchError;
      process.stderr.write(
        `${known ? renderError(error) : String(error instanceof Error ? error.stack : error)}\n`,
      );
      process.exitCode = known ? error.exit : EXIT.bug;
    },
  );
}
