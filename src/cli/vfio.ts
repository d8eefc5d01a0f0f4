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
}
