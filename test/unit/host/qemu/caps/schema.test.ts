import { expect, test } from 'vitest';
import { commandsOf, readSchema, schemaHas } from '../../../../../src/host/qemu/caps/schema.ts';

/** Cut from the answer of QEMU 10.0: names of types are numbers there. */
const schema = readSchema([
  { name: 'netdev_add', 'meta-type': 'command', 'arg-type': '12', 'ret-type': '0' },
  {
    name: 'device_add',
    'meta-type': 'command',
    'arg-type': '13',
    features: ['json-cli', 'json-cli-hotplug'],
  },
  { name: 'query-machines', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '[20]' },
  { name: 'STOP', 'meta-type': 'event', 'arg-type': '0' },
  {
    name: '12',
    'meta-type': 'object',
    tag: 'type',
    members: [
      { name: 'id', type: 'str' },
      { name: 'type', type: '15' },
    ],
    variants: [
      { case: 'stream', type: '16' },
      { case: 'none', type: '0' },
    ],
  },
  {
    name: '15',
    'meta-type': 'enum',
    members: [{ name: 'none' }, { name: 'stream' }],
    values: ['none', 'stream'],
  },
  {
    name: '16',
    'meta-type': 'object',
    members: [
      { name: 'addr', type: '17' },
      { name: 'reconnect-ms', type: 'int' },
    ],
  },
  { name: '[20]', 'meta-type': 'array', 'element-type': '20' },
  { name: '20', 'meta-type': 'object', members: [{ name: 'alias', type: 'str' }] },
  { name: 'str', 'meta-type': 'builtin' },
  { name: 'int', 'meta-type': 'builtin' },
  { name: '0', 'meta-type': 'object', members: [] },
]);

test.each([
  ['netdev_add', true],
  ['netdev_addd', false],
  ['netdev_add/arg-type/+stream/reconnect-ms', true],
  ['netdev_add/arg-type/+stream/reconnect', false],
  ['netdev_add/arg-type/+passt/path', false],
  ['netdev_add/arg-type/type/^stream', true],
  ['netdev_add/arg-type/type/^passt', false],
  ['device_add/$json-cli-hotplug', true],
  ['device_add/$json', false],
  ['query-machines/ret-type/alias', true],
  ['query-machines/ret-type/aliass', false],
])('%s: %s', (path, there) => {
  expect(schemaHas(schema, path)).toBe(there);
});

test('commands are told from events and types', () => {
  expect(commandsOf(schema)).toEqual(['netdev_add', 'device_add', 'query-machines']);
});
