/** qlaunch acl: who may plug a guest into which bridge (QEMU's bridge.conf). */
import type { Command } from 'commander';
import type { Session } from './program.ts';

/** The sub-commands are made, and what they do is loaded, only when one is called. */
export function registerAcl(program: Command, { called, done }: Session): void {
  const acl = program
    .command('acl')
    .summary('who may plug a guest into which bridge (bridge.conf)')
    .description(
      'Read and edit the list of bridges that QEMU’s bridge helper lets users join: /etc/qemu/bridge.conf, or where this helper has it.',
    );
  if (called !== 'acl') return;
  const command = (usage: string, summary: string, description: string): Command =>
    acl
      .command(usage)
      .summary(summary)
      .description(description)
      .option('--file <file>', 'another list than the one the helper reads');
  const edit = (usage: string, summary: string, description: string): Command =>
    command(usage, summary, description)
      .option('--dry-run', 'print what would change, as a unified diff, and do nothing')
      .option('--json', 'print the result as JSON');
  command('list', 'show every rule', 'Print every rule with its file and line, those of included files too.')
    .option('--json', 'one object')
    .action(async (options) => done(await (await import('./acl/look.ts')).list(options)));
  command(
    'check <bridge>',
    'say whether a bridge is allowed, and why',
    'Say whether the helper allows a bridge, and which line decides it.',
  )
    .option('--user <name>', 'as this user could read the list (needs root for another user)')
    .option('--json', 'one object')
    .addHelpText('after', '\nExit status: 0 allowed, 3 denied, 2 the list can not be read or parsed.')
    .action(async (bridge, options) => done(await (await import('./acl/look.ts')).check(bridge, options)));
  edit('allow <bridge>', 'allow a bridge', 'Add a rule that allows a bridge (or `all`).').action(
    async (bridge, options) => done(await (await import('./acl/edit.ts')).rule('allow', bridge, options)),
  );
  edit(
    'deny <bridge>',
    'deny a bridge',
    'Add a rule that denies a bridge (or `all`); it wins over every allow.',
  ).action(async (bridge, options) =>
    done(await (await import('./acl/edit.ts')).rule('deny', bridge, options)),
  );
  edit(
    'remove <bridge>',
    'remove the rules of a bridge',
    'Remove the rules of a bridge, allow and deny, from the list itself; included files stay as they are.',
  ).action(async (bridge, options) => done(await (await import('./acl/edit.ts')).remove(bridge, options)));
  edit(
    'include <rules>',
    'include another file',
    'Have the list include another file. One that only a group may read gives that group rules of its own.',
  ).action(async (rules, options) => done(await (await import('./acl/edit.ts')).include(rules, options)));
  edit(
    'init',
    'make the list, and let a group use the helper',
    'Make the list where there is none. With --helper: let a group use the helper (Debian leaves both to you).',
  )
    .option('--helper <group>', 'make the helper setuid root for the members of this group (4750)')
    .action(async (options) => done(await (await import('./acl/doctor.ts')).init(options)));
  edit(
    'doctor [bridge]',
    'look at all that the bridge helper needs',
    'Look at all that has to be right before a user gets a tap on a bridge (br0 unless given).',
  )
    .option('--user <name>', 'for this user’s QEMU (needs root for another user)')
    .option('--fix', 'do what can be done about it, as one change that `qlaunch undo` takes back')
    .option('--helper <group>', 'with --fix: who may use the helper [kvm]')
    .addHelpText('after', '\nExit status: 3 when problems remain.')
    .action(async (bridge, options) => done(await (await import('./acl/doctor.ts')).doctor(bridge, options)));
}
