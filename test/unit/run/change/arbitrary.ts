/** Hosts and plans as they may be: what a stranger left there, and what somebody wants of us. */
import fc from 'fast-check';
import { QlaunchError } from '../../../../src/errors.ts';
import { planBridge } from '../../../../src/plan/bridge.ts';
import type { HostFacts } from '../../../../src/plan/facts.ts';
import { makeDirectory, putFile } from '../../../../src/plan/files.ts';
import type { Lifetime } from '../../../../src/plan/lifetime.ts';
import type { FilePath, Plan, Step } from '../../../../src/plan/step.ts';
import { IPV4_FORWARD, IPV6_FORWARD, setAttribute, shareAttribute } from '../../../../src/plan/sysctl.ts';
import type { FakeWorld } from '../../../fake-engine.ts';

export const LIFETIME: Lifetime = { vm: 'test' };

type MakeSteps = (facts: HostFacts) => readonly Step[];

const name = fc.constantFrom('br0', 'br1', 'ql000000000000');
const path = fc.constantFrom<FilePath>('/etc/a', '/etc/b', '/etc/d/c', '/run/e');
const bit = fc.constantFrom('0', '1');

const wish: fc.Arbitrary<MakeSteps> = fc.oneof(
  name.map(
    (one): MakeSteps =>
      (facts) =>
        planBridge({ name: one, lifetime: LIFETIME }, facts).steps,
  ),
  fc.tuple(path, fc.constantFrom('one\n', 'two\n'), fc.constantFrom(0o644, 0o600)).map(
    ([file, content, mode]): MakeSteps =>
      () => [putFile({ path: file, content, mode })],
  ),
  fc.constant<MakeSteps>(() => [makeDirectory('/etc/d')]),
  fc.constantFrom('1', '2').map(
    (value): MakeSteps =>
      () => [setAttribute('/proc/sys/net/ipv4/conf/lo/rp_filter', value, 'set the source check of lo')],
  ),
  fc.constantFrom(IPV4_FORWARD, IPV6_FORWARD).map(
    (attribute): MakeSteps =>
      () => [shareAttribute(attribute, '1', 'let the host route')],
  ),
);

/** One wish per stage. */
export const wishes: fc.Arbitrary<readonly MakeSteps[]> = fc.array(wish, { minLength: 1, maxLength: 4 });

/** Two wishes for the same name make a plan that is refused on the way; that is meant. */
export function planOf([first, ...rest]: readonly MakeSteps[]): (facts: HostFacts) => Plan<HostFacts> {
  return (facts) => {
    const steps = first?.(facts) ?? [];
    if (rest.length === 0) return { steps };
    return { steps, next: { waitsFor: 'the test', preview: [], plan: planOf(rest) } };
  };
}

/** What was there before us. */
export type Stranger = (world: FakeWorld) => void;

const stranger: fc.Arbitrary<Stranger> = fc.oneof(
  name.map(
    (one): Stranger =>
      ({ host }) =>
        void host.links.command(['link', 'add', 'name', one, 'type', 'bridge']),
  ),
  fc.tuple(path, fc.constantFrom('one\n', 'theirs\n')).map(
    ([file, content]): Stranger =>
      ({ host }) => {
        if (!file.startsWith('/etc/d/')) host.files.stranger(file, content);
      },
  ),
  fc
    .tuple(
      fc.constantFrom(
        'ipv4/ip_forward',
        'ipv6/conf/all/forwarding',
        'ipv4/conf/lo/forwarding',
        'ipv4/conf/all/accept_redirects',
        'ipv4/conf/lo/rp_filter',
      ),
      bit,
    )
    .map(
      ([attribute, value]): Stranger =>
        ({ host }) =>
          host.links.write(`/proc/sys/net/${attribute}`, value),
    ),
  fc.constant<Stranger>(({ host }) => {
    if (host.files.stat('/etc/d') === undefined) host.files.mkdir('/etc/d', 0o700);
  }),
);

export const strangers: fc.Arbitrary<readonly Stranger[]> = fc.array(stranger, { maxLength: 3 });

/** undefined: it was refused for a reason a user is told. Anything else that is thrown fails the test. */
export async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof QlaunchError) return undefined;
    throw error;
  }
}
