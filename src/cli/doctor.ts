/** qlaunch doctor: its options. What it does is loaded only when it is called. */
import type { Command } from 'commander';

export function registerDoctor(program: Command, done: (status: number) => void): void {
  program
    .command('doctor [check...]')
    .summary('say what on this host is in the way of VMs and their networks')
    .description(
      'Look at KVM, QEMU, tun, vhost-net, bridges, the firewall and left-overs; say what is wrong and what cures it. CHECK narrows it: qemu, kvm, tun, vhost-net, bridge, bridge-helper, bridge-filter, mac, tap-filter, left-overs, node-environment. Status 3 when a problem remains.',
    )
    .option('--fix', 'do the cures that qlaunch can do; each can be undone')
    .option('--dry-run', 'with --fix: print what would be done')
    .option('--json', 'one object')
    .action(async (checks, options) =>
      done(await (await import('./doctor/show.ts')).doctor(checks, options)),
    );
}
