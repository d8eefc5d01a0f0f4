/**
 * What QEMU says on a QMP monitor, told apart.
 * Source: docs/interop/qmp-spec.rst; only one member decides the kind (`QMP`, `event`, `return`, `error`).
 */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [member: string]: Json | undefined };
export type JsonObject = { readonly [member: string]: Json | undefined };

/** `class` is one of GenericError, CommandNotFound, DeviceNotFound, DeviceNotActive, KVMMissingCap. */
export interface QmpFailure {
  readonly class: string;
  /** For people. Its wording changes between versions: never decide by it. */
  readonly desc: string;
}

export type QmpResult =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly error: QmpFailure };

export interface QmpEvent {
  readonly name: string;
  readonly data: JsonObject;
  /** Host time, milliseconds since 1970; undefined where QEMU could not read its clock. */
  readonly atMs?: number;
}

export interface QmpGreeting {
  readonly version: { readonly major: number; readonly minor: number; readonly micro: number };
  /** The distribution's own version text, e.g. `Debian 1:7.2+dfsg-7+deb12u18+b3`. */
  readonly package: string;
  readonly capabilities: readonly string[];
}

export type QmpMessage =
  | { readonly kind: 'greeting'; readonly greeting: QmpGreeting }
  | { readonly kind: 'event'; readonly event: QmpEvent }
  /** `id` is undefined when QEMU could not even read the command it answers. */
  | { readonly kind: 'reply'; readonly id: Json | undefined; readonly result: QmpResult }
  | { readonly kind: 'unknown' };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const count = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);
const members = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

export function readMessage(json: Json): QmpMessage {
  if (!isObject(json)) return { kind: 'unknown' };
  if (isObject(json['QMP'])) return { kind: 'greeting', greeting: readGreeting(json['QMP']) };
  if (typeof json['event'] === 'string') return { kind: 'event', event: readEvent(json['event'], json) };
  const id = json['id'];
  if (isObject(json['error'])) {
    const error = { class: text(json['error']['class']), desc: text(json['error']['desc']) };
    return { kind: 'reply', id, result: { ok: false, error } };
  }
  const value = json['return'];
  return value === undefined ? { kind: 'unknown' } : { kind: 'reply', id, result: { ok: true, value } };
}

function readGreeting(body: JsonObject): QmpGreeting {
  const version = members(body['version']);
  const qemu = members(version['qemu']);
  const capabilities = Array.isArray(body['capabilities']) ? body['capabilities'] : [];
  return {
    version: { major: count(qemu['major']), minor: count(qemu['minor']), micro: count(qemu['micro']) },
    package: text(version['package']),
    capabilities: capabilities.filter((item): item is string => typeof item === 'string'),
  };
}

function readEvent(name: string, json: JsonObject): QmpEvent {
  const stamp = members(json['timestamp']);
  // QEMU writes -1 for both numbers when gettimeofday() failed.
  const known = count(stamp['seconds']) > 0;
  const atMs = count(stamp['seconds']) * 1000 + Math.floor(count(stamp['microseconds']) / 1000);
  return { name, data: members(json['data']), ...(known ? { atMs } : {}) };
}
