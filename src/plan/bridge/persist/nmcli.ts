/** A profile as the line that makes it by hand: nmcli(1), with the properties of nm-settings-nmcli(5). */
import type { Section } from '../../../spec/bridge/sections.ts';
import { shellLine } from '../../shell.ts';

const TYPES: ReadonlySet<string> = new Set(['id', 'type', 'interface-name']);

export function nmcliLine(sections: readonly Section[]): string {
  const connection = new Map(
    sections
      .filter(({ name }) => name === 'connection')
      .flatMap(({ entries }) => entries.map(({ key, value }) => [key, value])),
  );
  const words: string[] = [];
  for (const [name, key, value] of propertiesOf(sections)) words.push(`${name}.${key}`, value);
  return shellLine([
    'nmcli',
    ...['connection', 'add', 'type', connection.get('type') ?? ''],
    ...['con-name', connection.get('id') ?? '', 'ifname', connection.get('interface-name') ?? ''],
    ...words,
  ]);
}

/** Numbered keys are one property; the gateway may be behind the first address. */
function propertiesOf(sections: readonly Section[]): readonly (readonly [string, string, string])[] {
  const found = new Map<string, [name: string, key: string, value: string]>();
  const put = (name: string, key: string, value: string): void => {
    const before = found.get(`${name}.${key}`)?.[2];
    const joins = before !== undefined && /^(addresses|routes|routing-rules)$/.test(key);
    found.set(`${name}.${key}`, [name, key, joins ? `${before}, ${value}` : value]);
  };
  for (const { name, entries } of sections)
    for (const { key, value } of entries) {
      const [, word] = /^(address|route|routing-rule)\d+$/.exec(key) ?? [];
      if (name === 'connection' && TYPES.has(key)) continue;
      if (word === 'address') {
        const [address = '', gateway] = value.split(',').map((one) => one.trim());
        put(name, 'addresses', address);
        if (gateway !== undefined) put(name, 'gateway', gateway);
      } else if (word === 'route')
        put(
          name,
          'routes',
          value
            .split(',')
            .map((one) => one.trim())
            .join(' '),
        );
      else if (word === 'routing-rule') put(name, 'routing-rules', value);
      else if (!/_options$/.test(key)) put(name, key, listOf(value));
    }
  return [...found.values()];
}

/** "10.9.0.1;10.9.0.2;" */
const listOf = (value: string): string =>
  value.endsWith(';') ? value.slice(0, -1).replaceAll(';', ',') : value;
