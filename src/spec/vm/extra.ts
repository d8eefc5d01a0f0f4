/** What must not stand behind `--`, because QEMU would hide from us, hang or crash: qemu.md 2.1, 6.4 and 9. */
import type { NetSpec } from '../net-spec.ts';
import type { Gathering } from '../raw.ts';
import type { VmSpec } from '../vm-spec.ts';

/** What would hide QEMU from the one who looks after it. */
const NOT_FOR_EXTRA: Readonly<Record<string, string>> = {
  daemonize: 'QEMU would leave its waiter, and its end would never be known (write -d before the --)',
  pidfile: 'qlaunch finds QEMU by a pid file of its own',
};

export function checkExtra({ extra, nets }: VmSpec, gathering: Gathering): void {
  const options = extra.flatMap((word, i) =>
    word.startsWith('-') ? [{ word, name: word.replace(/^--?/, ''), value: extra[i + 1] ?? '' }] : [],
  );
  for (const { word, name } of options) {
    const why = NOT_FOR_EXTRA[name];
    if (why !== undefined) gathering.refuse(`${word} behind --`, why);
  }
  const all = options.map(({ name, value }) => `${name} ${value}`);
  const starts = nets.flatMap((net) => startedBy(net) ?? []);
  const spawnDeny = all.some((text) => /^sandbox (.*,)?spawn=deny(,|$)/.test(text));
  if (spawnDeny)
    for (const { at, what } of starts)
      gathering.refuse(at, `-sandbox spawn=deny forbids QEMU to start ${what}`, 'tap:IFNAME,script=no');
  const dropsUser = all.some((text) => /^(runas |run-with (.*,)?user=)/.test(text));
  const denies = all.some((text) => /^sandbox (.*,)?elevateprivileges=(deny|children)(,|$)/.test(text));
  if (dropsUser && denies)
    gathering.refuse(
      '-sandbox behind --',
      'elevateprivileges kills a QEMU that changes its user',
      '--run-as USER',
    );
  const chroot = all.some((text) => /^(chroot |run-with (.*,)?chroot=)/.test(text));
  const qmpStdio = all.some((text) => /^qmp(-pretty)? stdio$/.test(text));
  for (const net of nets) {
    if (net.mode !== 'tap') continue;
    if (chroot && isProgram(net.downscript ?? net.script))
      gathering.refuse(net.at, 'QEMU would look for the downscript inside its chroot', 'downscript=no');
    // Ours say everything on stderr.
    if (qmpStdio && isProgram(net.script) && net.script !== 'yes')
      gathering.refuse(
        net.at,
        'what the script prints would land inside the QMP stream',
        'qlaunch qmp NAME …',
      );
  }
}

const isProgram = (script: string | undefined): boolean => script !== undefined && script !== 'no';

/** A program that QEMU itself starts for this NIC. */
function startedBy(net: NetSpec): { at: string; what: string } | undefined {
  if (net.mode === 'bridge') return { at: net.at, what: 'the bridge helper' };
  return net.mode === 'tap' && isProgram(net.script) ? { at: net.at, what: 'the network script' } : undefined;
}
