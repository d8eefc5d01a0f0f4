/** The one QMP session in which a QEMU is asked what it is: what to send, and what to read in the answer. Pure. */

/** Sent at once. The netdev_add fails either way; how it fails tells whether `passt` is more than a name. */
const QUESTIONS = [
  { execute: 'qmp_capabilities' },
  { execute: 'query-version', id: 'version' },
  { execute: 'query-machines', id: 'machines' },
  { execute: 'query-command-line-options', id: 'options' },
  { execute: 'qom-list-types', arguments: { implements: 'accel', abstract: false }, id: 'accels' },
  { execute: 'query-qmp-schema', id: 'schema' },
  {
    execute: 'netdev_add',
    arguments: { type: 'passt', id: 'probe', path: '/nonexistent/passt' },
    id: 'passt',
  },
  { execute: 'quit' },
];

export const SESSION_INPUT: string = QUESTIONS.map((question) => `${JSON.stringify(question)}\n`).join('');

export const SESSION_ARGS: readonly string[] = [
  ...['-machine', 'none'],
  '-nodefaults',
  '-no-user-config',
  ...['-display', 'none'],
  '-S',
  ...['-qmp', 'stdio'],
];

interface Version {
  readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number };
  readonly package: string;
}
interface Machine {
  readonly name: string;
  readonly alias?: string;
}
interface Option {
  readonly option: string;
  readonly parameters: readonly { readonly name: string }[];
}

export interface SessionAnswers {
  readonly version: Version;
  /** With their aliases. */
  readonly machines: readonly string[];
  /** Option without its dash, to its parameters. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly accels: readonly string[];
  readonly schema: unknown;
  /** False when `passt` is unknown, or listed though it was not compiled in (seen in 11.1's development). */
  readonly passt: boolean;
}

interface Reply {
  readonly id?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** A line that is cut off, or no JSON at all, answers nothing. */
function readReply(line: string): Reply | undefined {
  try {
    return line.trim().startsWith('{') ? (JSON.parse(line) as Reply) : undefined;
  } catch {
    return undefined;
  }
}

/** undefined when a question has no answer: then this is no QEMU that we know. */
export function readSession(output: string): SessionAnswers | undefined {
  const replies = new Map<string, Reply>();
  for (const line of output.split('\n')) {
    const reply = readReply(line);
    if (typeof reply?.id === 'string') replies.set(reply.id, reply);
  }
  const of = <T>(id: string): T | undefined => replies.get(id)?.return as T | undefined;
  const version = of<Version>('version');
  const schema = of<unknown>('schema');
  if (!version || !schema) return undefined;
  const passtRefusal = replies.get('passt')?.error?.desc ?? '';
  return {
    version,
    schema,
    machines: (of<Machine[]>('machines') ?? []).flatMap(({ name, alias }) =>
      alias ? [name, alias] : [name],
    ),
    options: new Map(
      (of<Option[]>('options') ?? []).map(({ option, parameters }) => [
        option,
        parameters.map((p) => p.name),
      ]),
    ),
    accels: (of<{ name: string }[]>('accels') ?? [])
      .map(({ name }) => name)
      .filter((name) => name.endsWith('-accel'))
      .map((name) => name.slice(0, -'-accel'.length)),
    passt: !/not compiled into|does not accept value/.test(passtRefusal),
  };
}
