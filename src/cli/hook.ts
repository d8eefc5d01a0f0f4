/** What both hooks share: QEMU gives the interface's name, and reads nothing but the exit status. */
import { EXIT, QlaunchError, renderError } from '../errors.ts';
import { forSudo } from '../host/program.ts';
import { statePaths } from '../host/state-paths.ts';
import { openEngine } from '../run/open-engine.ts';
import { parseIfName } from '../spec/ifname.ts';
import { isProblem } from '../spec/raw.ts';

declare const QLAUNCH_VERSION: string;

export interface HookCall {
  readonly ifname: string;
  readonly engine: ReturnType<typeof openEngine>;
  readonly paths: ReturnType<typeof statePaths>;
  /** Somebody tries it by hand: print what would be done. QEMU gives the name and nothing else. */
  readonly dryRun: boolean;
}

/** QEMU's stdout may carry QMP (`-qmp stdio`), so everything is said on stderr. The result of `work` is a remark. */
export async function runHook(
  argv: readonly string[],
  usage: string,
  work: (call: HookCall) => Promise<string | undefined>,
): Promise<void> {
  const words = argv.filter((word) => word !== '--dry-run');
  const [ifname] = words;
  if (ifname === undefined || words.length > 1 || ifname.startsWith('-')) {
    say(usage);
    process.exitCode = ifname === '-h' || ifname === '--help' ? EXIT.ok : EXIT.usage;
    return;
  }
  try {
    const checked = parseIfName(ifname, 'the argument');
    if (isProblem(checked))
      throw new QlaunchError('QL_USAGE', EXIT.usage, { what: `${checked.at}: ${checked.what}` });
    const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
    const paths = statePaths(process.env, process.geteuid?.() ?? 0, engine.world.bootId);
    const remark = await work({ ifname: checked, engine, paths, dryRun: words.length < argv.length });
    if (remark !== undefined) say(remark);
  } catch (error) {
    const known = error instanceof QlaunchError;
    say(known ? renderError(error) : String(error instanceof Error ? error.stack : error));
    process.exitCode = known ? error.exit : EXIT.bug;
  }
}

function say(text: string): void {
  process.stderr.write(`${forSudo(text)}\n`);
}
