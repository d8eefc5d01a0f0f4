/**
 * Questions to the answer of `query-qmp-schema`. Its type names are numbers that change from build to build, so a
 * question is a path from a command down, in the spelling that libvirt uses (virQEMUQAPISchemaPathGet):
 *
 *   netdev_add/arg-type/+stream/reconnect-ms   the member of the variant `stream` of the command's arguments
 *   netdev_add/arg-type/type/^passt            a value of the enumeration that the member `type` has
 *   device_add/$json-cli-hotplug               a feature flag
 */

/** One entry of SchemaInfo (qapi/introspect.json); only what the walk needs. */
interface SchemaEntry {
  readonly name: string;
  readonly 'meta-type': string;
  readonly features?: readonly string[];
  readonly members?: readonly { readonly name: string; readonly type?: string }[];
  readonly values?: readonly string[];
  readonly variants?: readonly { readonly case: string; readonly type: string }[];
  readonly 'arg-type'?: string;
  readonly 'ret-type'?: string;
  readonly 'element-type'?: string;
}

export type Schema = ReadonlyMap<string, SchemaEntry>;

export function readSchema(answer: unknown): Schema {
  const entries = Array.isArray(answer) ? (answer as SchemaEntry[]) : [];
  return new Map(entries.map((entry) => [entry.name, entry]));
}

export function commandsOf(schema: Schema): string[] {
  return [...schema.values()].filter((entry) => entry['meta-type'] === 'command').map((entry) => entry.name);
}

/** Commands and events keep their names; everything else in the schema is a number or a builtin. */
export function schemaHas(schema: Schema, path: string): boolean {
  const [root = '', ...steps] = path.split('/');
  let here = schema.get(root);
  for (const [i, step] of steps.entries()) {
    if (!here) return false;
    const last = i === steps.length - 1;
    if (step.startsWith('$')) return last && (here.features ?? []).includes(step.slice(1));
    if (step.startsWith('^')) return last && values(here).includes(step.slice(1));
    const type = nextType(here, step);
    if (type === undefined) return false;
    here = schema.get(type);
    // A list stands for its elements.
    if (here?.['element-type']) here = schema.get(here['element-type']);
    if (last) return true;
  }
  return here !== undefined;
}

function values(entry: SchemaEntry): readonly string[] {
  // Since 6.2 an enumeration tells its members as objects; `values` stays for older readers.
  return entry.values ?? (entry.members ?? []).map((member) => member.name);
}

function nextType(entry: SchemaEntry, step: string): string | undefined {
  if (step === 'arg-type' || step === 'ret-type') return entry[step];
  if (step.startsWith('+')) return entry.variants?.find((variant) => variant.case === step.slice(1))?.type;
  return entry.members?.find((member) => member.name === step)?.type;
}
