/** qlaunch install: a new disk, the CD booted once, the disk from then on. */
import { EXIT, QlaunchError } from '../errors.ts';
import { linuxMachine } from '../host/linux.ts';
import { usualFormat } from '../plan/disk/argv.ts';
import { diskOption } from '../plan/disk/disk-option.ts';
import { DEADLINE_MS, type Step } from '../plan/step.ts';
import { type CreatePlan, createDisk, dropDisk, planCreate } from '../run/disk/create.ts';
import { diskTools } from '../run/disk/tools.ts';
import { planVm } from '../run/vm/plan.ts';
import { parseBytes } from '../spec/size.ts';
import { parseVmSpec } from '../spec/vm.ts';
import type { DiskSpec, VmSpec } from '../spec/vm-spec.ts';
import { readDescription } from './describe.ts';
import { type Given, isDetached, launchPlan, type RunOptions, show } from './run.ts';

type InstallOptions = RunOptions &
  Record<string, unknown> & { readonly size: string; readonly force?: boolean };

export async function install(options: InstallOptions, { extra, procLocks }: Given): Promise<number> {
  const { who, raw, context } = readDescription(undefined, options, extra);
  const wanted = parseVmSpec(raw, context);
  const disk = onlyDisk(wanted);
  const format = newFormat(disk);
  const host = linuxMachine();
  const tools = { ...diskTools(host, who, process.env), procLocks };
  const create = await planCreate(tools, {
    file: disk.file,
    format,
    force: options.force === true,
    sizeBytes: sizeOf(options.size),
  });
  // The CD once; a reboot out of the installer then finds the disk.
  const boot = { ...wanted.boot, ...(wanted.boot.once === undefined ? { once: 'd' } : {}) };
  const wish = {
    host,
    who,
    env: process.env,
    procLocks,
    detached: isDetached(options),
    toBeMade: new Map([[disk.id, format]] as const),
  };
  const plan = await planVm({ ...wanted, boot }, wish);
  if (options.dryRun) return show(plan, options, [asStep(create)]);
  await createDisk(tools, create);
  try {
    return await launchPlan(plan, host, who, options);
  } catch (error) {
    // QEMU did not start, so nothing is on it: the next try should not meet a disk that "is there already".
    if (error instanceof QlaunchError && NOT_STARTED.includes(error.code)) await dropDisk(tools, create);
    throw error;
  }
}

/** Errors from before QEMU ran; any other may come from a guest that was being installed. */
const NOT_STARTED: readonly string[] = [
  ...['QL_QEMU_FAILED', 'QL_LOCKED', 'QL_STEP_REFUSED', 'QL_STATE_DIR'],
  ...['QL_STOPPED', 'QL_MAC_TAKEN', 'QL_USAGE'],
];

function asStep({ argv }: CreatePlan): Step {
  return {
    title: 'make the disk',
    do: { run: argv },
    undo: { nothing: 'the guest is installed on it' },
    deadlineMs: DEADLINE_MS,
  };
}

function newFormat({ id, file, format = usualFormat(file) }: DiskSpec): 'raw' | 'qcow2' {
  if (format === 'raw' || format === 'qcow2') return format;
  throw new QlaunchError('QL_INSTALL', EXIT.usage, {
    what: `a new disk is qcow2 or raw, not ${format}`,
    why: [`${id} asks for ${format}`],
    todo: [diskOption(file, { format: 'qcow2' })],
  });
}

function onlyDisk({ disks, cdroms }: VmSpec): DiskSpec {
  const [disk] = disks;
  if (disk !== undefined && disks.length === 1 && cdroms.length > 0) return disk;
  throw new QlaunchError('QL_INSTALL', EXIT.usage, {
    what: 'nothing to install, or nowhere to install it',
    why: [`an installation needs a CD and one disk; there are ${cdroms.length} and ${disks.length}`],
    todo: ['qlaunch install --cdrom debian.iso --disk vm.qcow2 --size 20G'],
  });
}

function sizeOf(text: string): number {
  const bytes = parseBytes(text, '--size');
  if (typeof bytes === 'number') return bytes;
  throw new QlaunchError('QL_SPEC', EXIT.usage, {
    what: `${bytes.at}: ${bytes.what}`,
    ...(bytes.hint === undefined ? {} : { todo: [bytes.hint] }),
  });
}
