/** The policy rules of this host that somebody made. */
import type { Rule } from '../../plan/bridge/rule.ts';
import { askJson } from '../ip-json.ts';
import type { Machine } from '../port.ts';

/** With -d they tell who made them: the kernel, or "unspec" where nobody said so. Errors: QL_IP. */
export async function foreignRules(machine: Machine): Promise<readonly Rule[]> {
  const found: Rule[] = [];
  for (const family of ['inet', 'inet6'] as const) {
    const rows = await askJson(machine, ['ip', family === 'inet' ? '-4' : '-6', '-d', '-j', 'rule', 'show']);
    for (const { protocol, ...row } of rows)
      if (protocol !== 'kernel')
        found.push({ family, row: protocol === 'unspec' ? row : { ...row, protocol } });
  }
  return found;
}
