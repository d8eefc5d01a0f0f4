/** qlaunch vfio: NICs and other PCI devices for guests, and back. */
import type { Command } from 'commander';

/** What the commands do is loaded only when one is called. */
export function registerVfio(program: Command, done: (status: number) => void): void {
  const vfio = program
    .command('vfio')
    .summary('NICs and other PCI devices for guests, and back')
    .description(
      'Take PCI devices from the host’s drivers for guests, and give them back exactly as they were. SEL is an address (81:00.0), an interface’s name, mac:…, id:VENDOR:DEVICE or PF/vfN.',
    );
  vfio
    .command('list')
    .description('List the NICs of this host: driver, IOMMU group, what they carry. Waits for no device.')
    .option('-v, --verbose', 'all functions, with more about each')
    .option('--tree', 'by IOMMU group')
    .option('--json', 'one object per function')
    .action(async (options) => done(await (await import('./vfio/list.ts')).list(options)));
  vfio
    .command('explain <selector>')
    .description('Every check of one device, and what QEMU would say. Changes nothing.')
    .option('--json', 'the same as JSON')
    .action(async (selector, options) =>
      done(await (await import('./vfio/list.ts')).explain(selector, options)),
    );
  vfio
    .command('bind <selector...>')
    .summary('take devices from the host, for guests')
    .description(
      'Give devices to vfio-pci, and write down what they had. They stay there until `vfio restore`.',
    )
    .option('--group', 'also everything that keeps their IOMMU groups from being used')
    .option('--force <checks>', 'go on in spite of these checks (comma-separated; `vfio explain` names them)')
    .option('-u, --user <user>', 'who may open the groups (unless given: who called sudo)')
    .option('--confirm <time>', 'take it back after this time (60s), unless `qlaunch confirm` is called')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .action(async (selectors, options) =>
      done(await (await import('./vfio/bind.ts')).bind(selectors, options)),
    );
  vfio
    .command('unbind <selector...>')
    .description('Leave devices without any driver, until `vfio restore`.')
    .option('--force <checks>', 'go on in spite of these checks')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .action(async (selectors, options) =>
      done(await (await import('./vfio/bind.ts')).unbind(selectors, options)),
    );
  vfio
    .command('restore [selector...]')
    .summary('give devices back exactly as they were')
    .description(
      'Give devices back: driver, override, interface with its addresses. Without a selector: what dead VMs and killed commands left.',
    )
    .option('--all', 'everything that qlaunch took and nobody uses')
    .option('--dry-run', 'print what would be taken back, and do nothing')
    .option('--json', 'what was taken back and what is left')
    .action(async (selectors, options) =>
      done(await (await import('./vfio/bind.ts')).restore(selectors, options)),
    );
  registerVf(vfio, done);
}

function registerVf(vfio: Command, done: (status: number) => void): void {
  const vf = vfio.command('vf').description('virtual functions of SR-IOV cards');
  vf.command('create <pf> <count>')
    .summary('make virtual functions')
    .description(
      'Make COUNT virtual functions of PF, for guests. They stay until `vfio vf release` or the next boot.',
    )
    .option('--persist', 'also after a boot: a rule for udev in /etc, removed by `vfio vf release`')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .action(async (pf, count, options) =>
      done(await (await import('./vfio/vf.ts')).create(pf, count, options)),
    );
  vf.command('list <pf>')
    .description('List the virtual functions of PF: who has them, and what is set for them.')
    .option('--json', 'one object per function')
    .action(async (pf, options) => done(await (await import('./vfio/vf.ts')).list(pf, options)));
  vf.command('set <vf> <settings...>')
    .summary('mac= vlan= spoofchk= trust= rate= of one')
    .description(
      'Set what the guest can not change: mac=, vlan= (0 none), spoofchk=on|off, trust=on|off, rate= (Mbit/s, 0 none). VF is PF/vfN.',
    )
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .action(async (one, settings, options) =>
      done(await (await import('./vfio/vf.ts')).set(one, settings, options)),
    );
  vf.command('release <pf>')
    .description('Take back what `vf create` and `vf set` did for PF.')
    .option('--dry-run', 'print what would be taken back, and do nothing')
    .option('--json', 'what was taken back and what is left')
    .action(async (pf, options) => done(await (await import('./vfio/vf.ts')).release(pf, options)));
}
