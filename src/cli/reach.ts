/** qlaunch ip | ssh: their options. What they do is loaded only when one is called. */
import { type Command, InvalidArgumentError } from 'commander';

export function registerIp(root: Command, done: (status: number) => void): void {
  root
    .command('ip <name>')
    .summary('the addresses of a guest')
    .description(
      'Show which addresses a guest has: from DHCP leases on this host and from its neighbour table.',
    )
    .option('--wait <seconds>', 'ask again for that long until there is one', seconds)
    .option('--json', 'one object per address')
    .action(async (name, options) => done(await (await import('./ip.ts')).ip(name, options)));
  root
    .command('ssh <[user@]name> [words...]')
    .summary('ssh into a guest, by its forward or its address')
    .description(
      'Run ssh to a guest: through a forward to its port 22, else to its address. What stands behind -- goes to ssh.',
    )
    .option('--wait <seconds>', 'wait that long until it has an address', seconds)
    .action(async (name, words, options) => done(await (await import('./ip.ts')).ssh(name, words, options)));
}

function seconds(text: string): number {
  const value = Number(text.replace(/s$/, ''));
  if (Number.isFinite(value) && value >= 0 && value <= 3600) return value;
  throw new InvalidArgumentError('Write a number of seconds, 0 to 3600.');
}
