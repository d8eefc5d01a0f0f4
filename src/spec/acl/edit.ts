/** Changes to bridge.conf, text to text. What is not asked for stays byte for byte, and keeps its meaning. */
import { type AclMeaning, type AclStatement, type AclVerb, parseAcl, printAcl } from './statement.ts';

/** The rule at the end of the file; the same text when it stands there already. */
export function addRule(text: string, verb: AclVerb, bridge: string): string {
  const there = (meaning: AclMeaning): boolean =>
    meaning.kind === 'rule' && meaning.verb === verb && meaning.bridge === bridge;
  return append(text, `${verb} ${bridge}`, there);
}

/** @param path absolute, without white space at its ends: the helper would cut that off */
export function addInclude(text: string, path: string): string {
  const there = (meaning: AclMeaning): boolean => meaning.kind === 'include' && meaning.path === path;
  return append(text, `include ${path}`, there);
}

/** Every allow and every deny of this name. */
export function removeRules(text: string, bridge: string): string {
  const kept = parseAcl(text).flatMap((statement) => {
    const { meaning } = statement;
    return meaning.kind === 'rule' && meaning.bridge === bridge ? without(statement) : [statement];
  });
  return printAcl(kept);
}

function append(text: string, line: string, there: (meaning: AclMeaning) => boolean): string {
  if (parseAcl(text).some(({ meaning }) => there(meaning))) return text;
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${end}${line}\n`;
}

/** The tail of an over-long line leaves its line end: the next line would become the tail. */
function without(statement: AclStatement): readonly AclStatement[] {
  return statement.continued && statement.raw.endsWith('\n') ? [{ ...statement, raw: '\n' }] : [];
}
