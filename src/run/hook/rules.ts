/** ifup.ini, read when there is one: QEMU waits for the hooks. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readRulesFile } from '../../host/hook/rules-file.ts';
import { type HookRule, parseHookRules, ruleFor } from '../../spec/hook/rules.ts';

/** The section that fits. Throws QL_STATE_UNSAFE (exit 3), QL_HOOK_RULES (exit 2) with every mistake in the file. */
export function readRule(path: string, ifname: string): HookRule | undefined {
  const ini = readRulesFile(path);
  if (ini === undefined) return undefined;
  const { rules, problems } = parseHookRules(ini, path);
  if (problems.length === 0) return ruleFor(rules, ifname);
  throw new QlaunchError('QL_HOOK_RULES', EXIT.usage, {
    what: `cannot read ${path}`,
    why: problems.map(({ at, what, hint }) => `${at}: ${what}${hint === undefined ? '' : ` (${hint})`}`),
  });
}
