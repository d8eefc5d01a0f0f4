/** qlaunch bridge create | delete | add-port | remove-port | set | persist | show: bridges of this host. */
import type { Command } from 'commander';

const DRY = ['--dry-run', 'print the steps and do nothing'] as const;
const JSON_RESULT = ['--json', 'print the result (with --dry-run: the plan) as JSON'] as const;

const MANAGERS = 'ifupdown, networkd, netplan, networkmanager or ifcfg';
const PHYSDEV = [
  '--physdev',
  'with ifupdown: let frames between its ports pass iptables, by a rule that comes and goes with it',
] as const;

const collect = (value: string, all: readonly string[] | undefined): readonly string[] => [
  ...(all ?? []),
  value,
];

/** What the commands do is loaded only when one is called. */
export function registerBridge(program: Command, done: (status: number) => void): void {
  const bridge = program.command('bridge').description('bridges of this host, made and taken back');
  settings(
    bridge
      .command('create <name>')
      .summary('make a bridge')
      .description('Make a bridge. It stays until `bridge delete` or the next boot.')
      .option('--uplink <nic>', 'move this NIC and all that is on it to the bridge')
      .option('--keep', 'with --uplink: addresses, routes and all else stay as they are [so it is]')
      .option('--dhcp', 'with --uplink: an IPv4 address from a DHCP server in place of those of the NIC')
      .option('--confirm <time>', 'with --uplink: put all back after TIME unless it is confirmed [60s]')
      .option('--no-confirm', 'with --uplink: keep it at once')
      .option(
        '--force',
        'with --uplink: also where a failure could not be put back, or your session is cut off',
      )
      .option(
        '--persist [manager]',
        `also make it at every boot, once it is confirmed; by ${MANAGERS} [what has the NIC]`,
      )
      .option(...PHYSDEV)
      .option(
        '--address <cidr>',
        'an address of this host there, with --uplink in place of those of the NIC; may be given again',
        collect,
      ),
    '',
  )
    .option(...DRY)
    .option(...JSON_RESULT)
    .action(async (name, options) => done(await (await import('./bridge/made.ts')).create(name, options)));
  bridge
    .command('delete <name>')
    .summary('take back what `bridge` commands made of it')
    .description('Remove a bridge that `bridge create` made, and put back what was before.')
    .option('--force', 'also while other ports are on it')
    .option('--dry-run', 'print what would be taken back, and do nothing')
    .option('--json', 'what was taken back and what is left')
    .action(async (name, options) => done(await (await import('./bridge/made.ts')).remove(name, options)));
  bridge
    .command('add-port <bridge> <link>')
    .description(
      'Make a link a port of a bridge: brctl addif. One with addresses is refused: they would be dead.',
    )
    .option(...DRY)
    .option(...JSON_RESULT)
    .action(async (name, port, options) =>
      done(await (await import('./bridge/made.ts')).addPort(name, port, options)),
    );
  bridge
    .command('remove-port <bridge> <link>')
    .description('Take a port out of its bridge: brctl delif.')
    .option(...DRY)
    .option(...JSON_RESULT)
    .action(async (name, port, options) =>
      done(await (await import('./bridge/made.ts')).removePort(name, port, options)),
    );
  settings(
    bridge.command('set <name>').description('Change settings of a bridge; `undo` puts them back.'),
    ' [on|off]',
  )
    .option(...DRY)
    .option(...JSON_RESULT)
    .action(async (name, options) => done(await (await import('./bridge/made.ts')).set(name, options)));
  bridge
    .command('persist <name>')
    .summary('make a bridge at every boot as well')
    .description(
      'Let the network manager of this host make a bridge of `bridge create` at every boot as well.',
    )
    .option('--persist <manager>', `${MANAGERS}, or none: print what would make it [what has the NIC]`)
    .option(...PHYSDEV)
    .option(...DRY)
    .option(...JSON_RESULT)
    .action(async (name, options) =>
      done(await (await import('./bridge/persist.ts')).persist(name, options)),
    );
  bridge
    .command('confirm [name]')
    .description('Keep a bridge that was made with --uplink and would be taken back.')
    .action(async (name) => done(await (await import('./bridge/trial.ts')).confirm(name)));
  bridge
    .command('revert [name]')
    .description('Take back at once a bridge that was made with --uplink and is not confirmed.')
    .option('--json', 'what was taken back and what is left')
    .action(async (name, options) => done(await (await import('./bridge/trial.ts')).revert(name, options)));
  bridge
    .command('show [name]')
    .description('List the bridges of this host with their ports, and who made them.')
    .option('--json', 'one object per bridge')
    .action(async (name, options) => done(await (await import('./bridge/show.ts')).show(name, options)));
}

function settings(command: Command, vlanValue: string): Command {
  return command
    .option('--stp <on|off>', 'spanning tree [off]')
    .option('--delay <seconds>', 'forward delay of STP [4]')
    .option('--mtu <bytes>', 'keep this MTU whatever port comes')
    .option(`--vlan-aware${vlanValue}`, 'ports have VLANs of their own')
    .option(
      '--bridge-nf <off|accept|leave>',
      'what crosses bridges: keep it from the firewall, or let that accept it [leave]',
    )
    .option(
      '--ip-forward <on|off|leave>',
      'whether this host routes IPv4, which no bridge needs: say how it is, or change it [leave]',
    );
}
