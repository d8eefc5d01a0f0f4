/** Arrays are QEMU's list options: the key is repeated. */
export type Prop = string | number | boolean | readonly string[] | undefined;

/**
 * One option's argument, `head,key=value,…`. true/false become on/off, undefined is left out, a comma inside a value
 * is doubled (QEMU manual, -drive: "If the filename contains comma, you must double it"); nothing else is special to
 * QEMU (util/qemu-option.c, util/keyval.c). This is the only place where a value becomes part of an option.
 */
export function opt(head: string, props: Readonly<Record<string, Prop>>): string {
  const words = Object.entries(props).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const list = Array.isArray(value) ? (value as readonly string[]) : [value as string | number | boolean];
    return list.map((item) => `${key}=${escaped(item)}`);
  });
  return (head === '' ? words : [head, ...words]).join(',');
}

function escaped(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  const text = String(value);
  if (text.includes('\0')) throw new TypeError('a NUL byte can not be part of an argument');
  return text.replaceAll(',', ',,');
}
