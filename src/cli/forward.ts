/** qlaunch forward add | list | remove: ports of this host that lead to a guest, while it runs. */
import type { Command } from 'commander';

/** What the commands do is loaded only when one is called. */
export function registerForward(root: Command, done: (status: number) => void): void {
  const forward = root
    .command('forward')
    .description('ports of this host that lead to a guest: added and removed while it runs');
  forward
    .command('add <name> <spec>')
    .summary('let a port of this host lead to the guest')
    .description(
      'Add a forward, written as in --net …,fwd=SPEC: [tcp|udp:][ADDR:]HOST:GUEST. It ends with the VM.',
    )
    .option('--nic <id>', 'which NIC, where several take forwards')
    .option('--dry-run', 'print what would be done, and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .action(async (name, spec, options) =>
      done(await (await import('./forward/live.ts')).add(name, spec, options)),
    );
  forward
    .command('remove <name> <spec>')
    .description('Remove a forward: [tcp|udp:][ADDR:]HOST, or SPEC as it was added.')
    .option('--nic <id>', 'of this NIC')
    .option('--dry-run', 'print what would be done, and do nothing')
    .option('--json', 'what was removed, as JSON')
    .action(async (name, spec, options) =>
      done(await (await import('./forward/live.ts')).remove(name, spec, options)),
    );
  forward
    .command('list <name>')
    .description('List the forwards of a VM that runs.')
    .option('--json', 'one object per forward')
    .action(async (name, options) => done(await (await import('./forward/live.ts')).list(name, options)));
}
