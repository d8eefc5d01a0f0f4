/** Whether a record read from a journal is one that this version understands wholly. */
export type Fields = Record<string, unknown>;

export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): boolean => typeof value === 'string' && !value.includes('\0');
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isPath = (value: unknown): boolean =>
  typeof value === 'string' &&
  value.startsWith('/') &&
  !value.includes('\0') &&
  !value.split('/').includes('..');
const isAttribute = (value: unknown): boolean =>
  isPath(value) && /^\/(proc\/sys\/net|sys\/class\/net|sys\/bus\/pci|sys\/module)\//.test(String(value));
const isArgv = (value: unknown): boolean => isTexts(value) && Array.isArray(value) && isPath(value[0]);
const optional =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || check(value);
const isProcess = (value: unknown): boolean =>
  isRecord(value) &&
  isNumber(value['pid']) &&
  isNumber(value['start']) &&
  isText(value['bootId']) &&
  isText(value['pidns']);
const isOwner = (value: unknown): boolean =>
  isRecord(value) && isNumber(value['uid']) && isNumber(value['gid']);
const isBefore = (value: unknown): boolean =>
  value === null ||
  (isRecord(value) &&
    (isText(value['linkTo']) ||
      (typeof value['content'] === 'string' &&
        isNumber(value['mode']) &&
        isOwner(value['owner']) &&
        isNumber(value['mtimeMs']))));

const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isNetdev = (value: unknown): boolean =>
  isRecord(value) &&
  isText(value['name']) &&
  isText(value['mac']) &&
  isNumber(value['mtu']) &&
  typeof value['up'] === 'boolean' &&
  (value['master'] === undefined || isText(value['master'])) &&
  isTexts(value['addresses']);

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

/** Exactly these fields: one more may be a condition that we would not honour. */
const fits = (value: Fields, shape: Shape): boolean =>
  Object.keys(value).every((key) => key in shape) &&
  Object.entries(shape).every(([key, check]) => check(value[key]));

/** By the first key, which names the kind. */
const UNDO: Readonly<Record<string, Shape>> = {
  nothing: { nothing: isText },
  run: { run: isArgv, stdin: optional((value) => typeof value === 'string'), gone: isTexts },
  write: { write: isAttribute, value: isText, expect: isText },
  rebind: {
    rebind: isText,
    to: isTextOrNull,
    driver: isTextOrNull,
    module: optional(isText),
    override: isText,
    netdevs: (value) => Array.isArray(value) && value.every(isNetdev),
  },
  unshare: { unshare: isText, user: isText },
  unfile: { unfile: isPath, temp: isPath, sha256: isText, before: isBefore },
  rmdir: { rmdir: isPath, temp: isPath, inode: optional(isText) },
};

const OWNS: Readonly<Record<string, Shape>> = {
  link: { link: isText, mac: optional(isText), alias: optional(isText), macBefore: optional(isText) },
  nft: { nft: isText, comment: isText },
  itself: { itself: isText },
};

function isKind(value: unknown, kinds: Readonly<Record<string, Shape>>): boolean {
  if (!isRecord(value)) return false;
  const kind = Object.keys(kinds).find((key) => key in value);
  const shape = kind === undefined ? undefined : kinds[kind];
  return shape !== undefined && fits(value, shape);
}

const STATES: readonly unknown[] = ['intent', 'done', 'dropped', 'unsure', 'undone', 'stuck'];

const ENTRY: Shape = {
  n: isNumber,
  title: isText,
  undo: (value) => isKind(value, UNDO),
  byHand: isText,
  owns: optional((value) => isKind(value, OWNS)),
  deadlineMs: isNumber,
  state: (value) => STATES.includes(value),
};

const isLifetime = (value: unknown): boolean =>
  isRecord(value) &&
  (isText(value['vm']) ||
    isText(value['net']) ||
    isText(value['untilUndone']) ||
    value['permanent'] === true);

const HEAD: Shape = {
  v: isNumber,
  tool: isText,
  id: isText,
  title: isText,
  place: (value) => value === 'volatile' || value === 'durable',
  bootId: isText,
  netns: isText,
  lifetime: isLifetime,
  actor: isProcess,
  holder: (value) => value === null || value === 'until-undone' || isProcess(value),
  complete: (value) => typeof value === 'boolean',
  sinceMs: isNumber,
};

function problem(what: string, value: Fields, shape: Shape): string | undefined {
  const extra = Object.keys(value).find((key) => !(key in shape));
  if (extra !== undefined) return `${what} says "${extra}", which this version does not know`;
  const wrong = Object.entries(shape).find(([key, check]) => !check(value[key]));
  return wrong === undefined ? undefined : `${what} has a "${wrong[0]}" of a kind this version does not know`;
}

export function headProblem(head: Fields, id: string): string | undefined {
  if (head['id'] !== id) return `it calls itself ${JSON.stringify(head['id'])}`;
  return problem('its head', head, HEAD);
}

export function entryProblem(entry: Fields): string | undefined {
  return problem(`step ${String(entry['n'])}`, entry, ENTRY);
}
