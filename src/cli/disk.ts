/** qlaunch disk create | info | resize: images, by qemu-img. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { NewFormat } from '../plan/disk/argv.ts';
import type { CreateWish } from '../run/disk/create.ts';
import type { DiskInfo } from '../run/disk/info.ts';
import type { ResizeWish } from '../run/disk/resize.ts';
import type { DiskTools } from '../run/disk/tools.ts';
import type { DiskFormat } from '../spec/vm-spec.ts';

interface Show {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface CreateOptions extends Show {
  readonly format?: NewFormat;
  readonly backing?: NonNullable<CreateWish['backing']>;
  readonly force?: boolean;
}

interface ResizeOptions extends Show {
  readonly format?: DiskFormat;
  readonly shrink?: boolean;
}

/** What the commands do is loaded only when one is called. */
export function registerDisk(program: Command, done: (status: number) => void): void {
  const disk = program.command('disk').description('make, look at and resize disk images');
  disk
    .command('create <file> [size]')
    .summary('make a new image')
    .description('Make a new image of SIZE (8G, 512M). It takes room on the host only as the guest writes.')
    .addOption(
      new Option('-f, --format <format>', 'how it is stored [raw for NAME.raw, else qcow2]').choices([
        'qcow2',
        'raw',
      ]),
    )
    .option(
      '-b, --backing <file[,format]>',
      'begin with this image’s content and store the differences only',
      backing,
    )
    .option('--force', 'overwrite what is there')
    .option('--dry-run', 'print the qemu-img line and do nothing')
    .option('--json', 'print the result as JSON')
    .action(async (file, size, options) => done(await create(file, size, options)));
  disk
    .command('info <file>')
    .description('Print format, sizes, backing file and who uses it; also while a VM runs.')
    .option('--json', 'one object')
    .action(async (file, options) => done(await info(file, options)));
  disk
    .command('resize <file> <size>')
    .summary('make an image larger')
    .description(
      'Give an image a new SIZE, or +SIZE more. The guest sees a larger disk; its partitions are its own affair.',
    )
    .option('-f, --format <format>', 'of the image, when it is not to be found out')
    .option('--shrink', 'allow a smaller size: what lies behind the new end is lost')
    .option('--dry-run', 'print the qemu-img line and do nothing')
    .option('--json', 'print the result as JSON')
    .action(async (file, size, options) => done(await resize(file, size, options)));
}

async function create(file: string, size: string | undefined, options: CreateOptions): Promise<number> {
  const { planCreate, createDisk } = await import('../run/disk/create.ts');
  const { usualFormat } = await import('../plan/disk/argv.ts');
  const { shellLine } = await import('../plan/shell.ts');
  const { json, out } = await import('./terminal.ts');
  if (size === undefined && options.backing === undefined)
    throw await usage('the size of the new disk is missing', [
      shellLine(['qlaunch', 'disk', 'create', file, '8G']),
    ]);
  if (options.format === 'raw' && options.backing !== undefined)
    throw await usage('a raw image can not build on another one', ['--format qcow2']);
  const wish: CreateWish = {
    file: resolve(file),
    // Only qcow2 can build on another image.
    format: options.format ?? (options.backing === undefined ? usualFormat(file) : 'qcow2'),
    force: options.force === true,
    ...(size === undefined ? {} : { sizeBytes: await bytes(size) }),
    ...(options.backing === undefined
      ? {}
      : { backing: { ...options.backing, file: resolve(options.backing.file) } }),
  };
  const use = await tools();
  const plan = await planCreate(use, wish);
  if (options.dryRun) return dryRun(plan.argv, options);
  await createDisk(use, plan);
  if (options.json) json({ file: wish.file, format: wish.format, argv: plan.argv });
  else out(`made ${file} (${wish.format}${size === undefined ? '' : `, ${human(wish.sizeBytes ?? 0)}`})`);
  return 0;
}

async function info(file: string, options: Show): Promise<number> {
  const { diskInfo } = await import('../run/disk/info.ts');
  const { json, out } = await import('./terminal.ts');
  const found = await diskInfo(await tools(), resolve(file));
  if (options.json) json(found);
  else out(await describe(found));
  return 0;
}

async function resize(file: string, size: string, options: ResizeOptions): Promise<number> {
  const { planResize, resizeDisk } = await import('../run/disk/resize.ts');
  const { json, out } = await import('./terminal.ts');
  const wish: ResizeWish = {
    file: resolve(file),
    size: size.startsWith('+') ? { byBytes: await bytes(size.slice(1)) } : { toBytes: await bytes(size) },
    shrink: options.shrink === true,
    ...(options.format === undefined ? {} : { format: options.format }),
  };
  const use = await tools();
  const plan = await planResize(use, wish);
  if (options.dryRun) return dryRun(plan.argv, options);
  await resizeDisk(use, plan, file);
  const { beforeBytes, afterBytes, argv } = plan;
  if (options.json) json({ file: wish.file, beforeBytes, afterBytes, argv });
  else out(`${file}: ${human(beforeBytes)} → ${human(afterBytes)}`);
  return 0;
}

async function tools(): Promise<DiskTools> {
  const { diskTools } = await import('../run/disk/tools.ts');
  const { linuxMachine } = await import('../host/linux.ts');
  const { identity } = await import('../host/vm/user.ts');
  return diskTools(linuxMachine(), identity(process.env), process.env);
}

async function dryRun(argv: readonly string[], options: Show): Promise<number> {
  const { json, out } = await import('./terminal.ts');
  const { shellLine } = await import('../plan/shell.ts');
  if (options.json) json({ argv });
  else out(shellLine(argv));
  return 0;
}

/** A bare number would be bytes: nobody wants a disk of eight bytes. */
async function bytes(text: string): Promise<number> {
  const { parseBytes } = await import('../spec/size.ts');
  const parsed = parseBytes(text, 'SIZE');
  if (typeof parsed === 'number' && parsed >= 512) return parsed;
  const what = typeof parsed === 'number' ? `"${text}" is less than one sector` : parsed.what;
  throw await usage(what, ['write 8G or 512M']);
}

const FORMATS: readonly string[] = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhdx', 'vpc'] satisfies DiskFormat[];

/** A comma belongs to the name unless a format stands behind the last one. */
function backing(text: string): NonNullable<CreateWish['backing']> {
  const [, file, format] = /^(.*),([a-z0-9]+)$/s.exec(text) ?? [];
  if (text === '') throw new InvalidArgumentError('Name a file.');
  if (file && format && FORMATS.includes(format)) return { file, format: format as DiskFormat };
  return { file: text };
}

async function usage(what: string, todo: readonly string[]): Promise<Error> {
  const { EXIT, QlaunchError } = await import('../errors.ts');
  return new QlaunchError('QL_USAGE', EXIT.usage, { what, todo });
}

async function describe(disk: DiskInfo): Promise<string> {
  const { printable } = await import('../errors.ts');
  const { pid, vm } = disk.usedBy ?? {};
  const rows: [string, string | undefined][] = [
    ['file', disk.file],
    ['format', disk.format + (disk.recorded === undefined ? '' : ' (as recorded)')],
    ['begins like', disk.beginsLike],
    ['size', human(disk.virtualBytes)],
    ['on disk', disk.allocatedBytes === undefined ? undefined : human(disk.allocatedBytes)],
    [
      'backing',
      disk.backing && disk.backing + (disk.backingFormat === undefined ? '' : ` (${disk.backingFormat})`),
    ],
    ...disk.dataFiles.map((name): [string, string] => ['data in', name]),
    [
      'used by',
      disk.usedBy &&
        [vm && `VM ${vm}`, pid && `process ${pid}`]
          .filter(Boolean)
          .join(', ')
          .concat(vm || pid ? '' : 'another QEMU'),
    ],
  ];
  const shown = rows.filter(([, value]) => value !== undefined && value !== '');
  return shown.map(([key, value]) => `${key.padEnd(12)}${printable(value ?? '')}`).join('\n');
}

/** 8589934592 → "8 GiB (8589934592 bytes)". */
function human(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  if (power === 0) return `${count} bytes`;
  return `${Number((count / 1024 ** power).toFixed(1))} ${units[power]} (${count} bytes)`;
}
