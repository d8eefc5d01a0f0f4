/** A VM whose record can not be read, seen by what else tells of it: its processes, and how it ended. */
import { lstatSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FILES } from '../../plan/vm/waiter.ts';
import { qemuPid, waiterPid } from './alive.ts';
import { isName, isPlaceOf, ownerOf, readText, type VmRecord } from './store.ts';

/**
 * A stand-in for the record: what is not known is empty. undefined: no file of that name, or nothing shows that there
 * ever was a VM.
 */
export function damagedRecord(dir: string): VmRecord | undefined {
  const uid = ownerOf(dir);
  const file = lstatSync(join(dir, FILES.record), { throwIfNoEntry: false });
  if (uid === undefined || file === undefined || !isName(basename(dir))) return undefined;
  const pid = qemuPid(dir);
  const isKnown =
    pid !== undefined || waiterPid(dir) !== undefined || readText(join(dir, FILES.exit)) !== undefined;
  if (!isKnown) return undefined;
  const argv = (pid === undefined ? '' : (readText(`/proc/${pid}/cmdline`) ?? '')).split('\0').slice(0, -1);
  return {
    v: 1,
    name: basename(dir),
    identity: '',
    uid,
    startedAt: (lstatSync(join(dir, FILES.lock), { throwIfNoEntry: false }) ?? file).birthtime.toISOString(),
    detached: true,
    argv,
    socketDir: socketsOf(argv, dir, uid),
    serial: '',
    nics: [],
    disks: [],
  };
}

/** From the option of the command monitor, whose commas are doubled. */
function socketsOf(argv: readonly string[], dir: string, uid: number): string {
  const end = `/${FILES.command}`;
  const paths = argv.flatMap((word) => /path=((?:[^,]|,,)*)/.exec(word)?.[1]?.replaceAll(',,', ',') ?? []);
  const found = paths.find((path) => path.endsWith(end))?.slice(0, -end.length);
  return found !== undefined && isPlaceOf(found, dir, uid) ? found : dir;
}
