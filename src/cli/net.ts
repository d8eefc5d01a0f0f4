/** qlaunch net: networks of this host, with DHCP, DNS and a way out. */
import type { Command } from 'commander';

const JSON_PLAN = 'print the result (with --dry-run: the plan) as JSON';

/** What the commands do is loaded only when one is called. */
export function registerNet(program: Command, done: (status: number) => void): void {
  const net = program
    .command('net')
    .description('networks of this host that give guests addresses, names and a way out (NAT)');
  net
    .command('define <file>')
    .summary('write a network down (libvirt’s XML; - reads stdin)')
    .description(
      'Check a network definition in libvirt’s XML and keep it. What it leaves open is filled in once.',
    )
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', JSON_PLAN)
    .action(async (file, options) => done(await (await import('./net/define.ts')).define(file, options)));
  net
    .command('undefine <name>')
    .description('Forget a definition and the leases of its guests.')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', JSON_PLAN)
    .action(async (name, options) => done(await (await import('./net/define.ts')).undefine(name, options)));
  net
    .command('dumpxml <name>')
    .description('Print a definition as it is kept.')
    .action(async (name) => done(await (await import('./net/define.ts')).dumpxml(name)));
  net
    .command('start <name>')
    .summary('make the bridge, the firewall rules and the DHCP server of a network')
    .description(
      'Start a network. It stays until `net stop`, or the next boot. `default` needs no definition.',
    )
    .option(
      '--allow <user|group>',
      'also let their own QEMUs plug guests in, by the bridge helper and bridge.conf',
    )
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', JSON_PLAN)
    .action(async (name, options) => done(await (await import('./net/start.ts')).start(name, options)));
  net
    .command('stop <name>')
    .description('Take back what `net start` made. The definition and the leases stay.')
    .option('--force', 'also while guests are plugged in')
    .option('--dry-run', 'print what would be taken back, and do nothing')
    .option('--json', 'what was taken back and what is left')
    .action(async (name, options) => done(await (await import('./net/start.ts')).stop(name, options)));
  net
    .command('restart <name>')
    .description('Stop a network and start it as it is defined now.')
    .option('--force', 'also while guests are plugged in: they are plugged in again')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', JSON_PLAN)
    .action(async (name, options) => done(await (await import('./net/start.ts')).restart(name, options)));
  net
    .command('list')
    .description('List the networks that are started.')
    .option('--all', 'also those that are only defined')
    .option('--json', 'one object per network')
    .action(async (options) => done(await (await import('./net/show.ts')).list(options)));
  net
    .command('info <name>')
    .description('Show what a network is and whether it runs.')
    .option('--json', 'one object')
    .action(async (name, options) => done(await (await import('./net/info.ts')).info(name, options)));
  net
    .command('leases <name>')
    .description('List the addresses that guests of a network have got.')
    .option('--json', 'one object per lease')
    .action(async (name, options) => done(await (await import('./net/show.ts')).leases(name, options)));
  net
    .command('check [name]')
    .summary('is all of it still there: bridge, rules, forwarding, dnsmasq, and no firewall in the way')
    .description('Look whether a started network (all of them unless named) still has what its guests need.')
    .option('--fix', 'put back what is missing; it ends with the network')
    .option('--dry-run', 'with --fix: print the steps and do nothing')
    .option('--json', 'print { ok, findings, mended } (with --dry-run: the plan)')
    .action(async (name, options) => done(await (await import('./net/check.ts')).check(name, options)));
}
