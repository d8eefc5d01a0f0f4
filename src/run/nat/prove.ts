/** Whether a start would go through, as far as that is known before anything of what runs is touched. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { NatPaths } from '../../plan/nat/start.ts';
import type { Step } from '../../plan/step.ts';
import { checkTools } from '../change/execute.ts';
import type { Engine } from '../engine.ts';

const DEADLINE_MS = 10_000;

/** Throws QL_DNSMASQ_CONF (exit 3) with dnsmasq's words. */
async function proveConf({ machine }: Engine, name: string, conf: string): Promise<void> {
  const argv = ['dnsmasq', '--test', '--conf-file=-'] as const;
  const { status, stderr } = await machine.run(argv, { stdin: conf, timeoutMs: DEADLINE_MS });
  if (status === 0) return;
  const [, line] = /at line (\d+) of/.exec(stderr) ?? [];
  const words = line === undefined ? undefined : conf.split('\n')[Number(line) - 1];
  throw new QlaunchError('QL_DNSMASQ_CONF', EXIT.refused, {
    what: `dnsmasq does not take the configuration of the network ${name}; nothing was changed`,
    why: [stderr.trim() || 'it said nothing', ...(words === undefined ? [] : [`line ${line}: ${words}`])],
    todo: [`sudo qlaunch net edit ${name}`],
  });
}

/** Errors: QL_TOOL_MISSING, QL_DNSMASQ_CONF. */
export async function proveStart(
  engine: Engine,
  name: string,
  { conf }: NatPaths,
  steps: readonly Step[],
): Promise<void> {
  await checkTools(engine, steps);
  for (const { do: action } of steps)
    if ('file' in action && action.file === conf) await proveConf(engine, name, action.content);
}
