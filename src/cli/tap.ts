/** qlaunch tap add | del | list: taps that root prepares once, and users' VMs open without any right. */
import type { Command } from 'commander';

/** What the commands do is loaded only when one is called. */
export function registerTap(program: Command, done: (status: number) => void): void {
  const tap = program
    .command('tap')
    .description('taps that root prepares once and users’ VMs open without any right');
  tap
    .command('add <name>')
    .summary('make a tap that belongs to a user')
    .description('Make a tap that USER may open: `qlaunch IMAGE --net tap:NAME`. It stays until `tap del`.')
    .option('-u, --user <user>', 'whose it is (unless given: who called sudo)')
    .option('-b, --bridge <bridge>', 'make it a port of this bridge')
    .option('--queues <n>', 'for VMs with queues=N; more than one')
    .option('--mtu <bytes>', 'of a tap in no bridge')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .action(async (name, options) => done(await (await import('./tap/prepared.ts')).add(name, options)));
  tap
    .command('del <name>')
    .description('Remove a tap that `tap add` made.')
    .option('--force', 'also while a VM uses it')
    .option('--dry-run', 'print what would be taken back, and do nothing')
    .option('--json', 'what was taken back and what is left')
    .action(async (name, options) => done(await (await import('./tap/prepared.ts')).del(name, options)));
  tap
    .command('list')
    .description('List the taps of this host: whose, where, and who made them.')
    .option('--json', 'one object per tap')
    .action(async (options) => done(await (await import('./tap/prepared.ts')).list(options)));
}
