/** Networks of libvirt that run: their guests may be ours, they themselves are not altered. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HostFacts, linkNamed } from '../../plan/facts.ts';
import { DEFAULT } from '../../plan/nat/default.ts';

/** One NAME.xml for each that runs; root's. */
const STATUS = '/run/libvirt/network';

/** Its bridge; undefined: libvirt has no such network, or it does not run. */
export function libvirtBridge(name: string, facts: HostFacts, dir: string = STATUS): string | undefined {
  const file = join(dir, `${name}.xml`);
  const bridge = existsSync(file) ? bridgeIn(file, name) : undefined;
  return bridge !== undefined && linkNamed(facts, bridge)?.kind === 'bridge' ? bridge : undefined;
}

/** For who may not read it: that of `default` has the same name everywhere. */
function bridgeIn(file: string, name: string): string | undefined {
  try {
    return /<bridge name=["']([^"'/]{1,15})["']/.exec(readFileSync(file, 'utf8'))?.[1];
  } catch {
    return name === DEFAULT ? 'virbr0' : undefined;
  }
}
