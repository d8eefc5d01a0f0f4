/** qlaunch net: networks of this host, with DHCP, DNS and a way out. */
import { type Command, Option } from 'commander';

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
    .option('--no-probe', 'where a firewall was opened: do not try it as a guest would')
    .addOption(
      new Option('--dns <who>', 'whom guests ask for names where another server has port 53')
        .choices(['host', 'upstream', 'off'])
        .default('host'),
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
    .option('--no-probe', 'do not try it as a guest would, from a namespace on its bridge')
    .option('--dry-run', 'with --fix: print the steps and do nothing')
    .option('--json', 'print { ok, findings, mended } (with --dry-run: the plan)')
    .action(async (name, options) => done(await (await import('./net/check.ts')).check(name, options)));
  net
    .command('probe <order>', { hidden: true })
    .description('What `net check` runs in a namespace of its own.')
    .action(async (order) => done(await (await import('./net/probe.ts')).probe(order)));
  net
    .command('create <name>')
    .summary('define a network by flags instead of XML')
    .description('Define a network. It has DHCP and DNS; --dry-run prints its XML.')
    .option('--subnet <cidr>', 'IPv4; an address in it is the gateway’s (a free one unless given)')
    .option('--mode <mode>', 'nat, route, open or isolated', 'nat')
    .option('--dhcp-range <first,last>', 'what guests get (all of the subnet unless given)')
    .option('--no-dhcp', 'guests have addresses of their own')
    .option('--domain <domain>', 'guests find each other as NAME.DOMAIN')
    .option('--dev <interface>', 'the only way out')
    .option('--bridge <bridge>', 'its name (a free one unless given)')
    .option('--mtu <bytes>', 'of the bridge and its guests')
    .option('--dry-run', 'print the XML and do nothing')
    .option('--json', 'print the result (with --dry-run: the XML) as JSON')
    .action(async (name, options) => done(await (await import('./net/create.ts')).create(name, options)));
  net
    .command('edit <name>')
    .description('Open a definition in $EDITOR. It is checked before it takes the place of the old one.')
    .option('--dry-run', 'open the editor, print the steps and do nothing')
    .option('--json', JSON_PLAN)
    .action(async (name, options) => done(await (await import('./net/create.ts')).edit(name, options)));
  const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];
  net
    .command('update <name>')
    .summary('which guest always gets which address, and names; live')
    .description('Change a definition and, while the network runs, what its dnsmasq answers.')
    .option('--host <mac,ip[,name]>', 'give a guest this address and name (repeatable)', collect)
    .option('--remove-host <mac>', 'no more (repeatable)', collect)
    .option('--dns-host <ip,name…>', 'answer this name, or these, with the address (repeatable)', collect)
    .option('--remove-dns-host <ip>', 'no more (repeatable)', collect)
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', JSON_PLAN)
    .action(async (name, options) => done(await (await import('./net/update.ts')).update(name, options)));
  net
    .command('autostart [name]')
    .summary('start a network at boot; without a name: which ones do')
    .description('Let a network start at boot, by a small unit of systemd; elsewhere it says what to set up.')
    .option('--disable', 'no more')
    .option('--start', 'without a name: start them all now, as the boot does')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', JSON_PLAN)
    .action(async (name, options) =>
      done(await (await import('./net/autostart.ts')).autostart(name, options)),
    );
}
