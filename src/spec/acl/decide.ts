/** What the helper says about a bridge. */
import type { AclFailure, AclRule, AclRules } from './rules.ts';

export const ALL = 'all';

export type AclVerdict =
  | { readonly kind: 'allowed'; readonly by: AclRule }
  /** Without `by`: no rule allows it. `despite`: the rule that would have allowed it. */
  | { readonly kind: 'denied'; readonly by?: AclRule; readonly despite?: AclRule }
  | { readonly kind: 'failed'; readonly failure: AclFailure };

/**
 * Allowed when some rule allows it and none denies it; the order of rules means nothing. Names are compared byte
 * for byte. The deciding rule is the first that names the bridge, else the first for all.
 * @param bridge latin1, as the rules
 */
export function decide({ rules, failure }: AclRules, bridge: string): AclVerdict {
  if (failure !== undefined) return { kind: 'failed', failure };
  const first = (verb: AclRule['verb']): AclRule | undefined => {
    const matching = rules.filter(
      (rule) => rule.verb === verb && (rule.bridge === bridge || rule.bridge === ALL),
    );
    return matching.find((rule) => rule.bridge !== ALL) ?? matching[0];
  };
  const [allow, deny] = [first('allow'), first('deny')];
  if (deny !== undefined)
    return { kind: 'denied', by: deny, ...(allow === undefined ? {} : { despite: allow }) };
  return allow === undefined ? { kind: 'denied' } : { kind: 'allowed', by: allow };
}
