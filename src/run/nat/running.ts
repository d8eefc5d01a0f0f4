/** The definition by which a network runs: kept beside its status when it is started, and when it is updated. */
import { QlaunchError } from '../../errors.ts';
import type { NatPlaces } from '../../host/nat/places.ts';
import { readText } from '../../host/vm/store.ts';
import { putFile } from '../../plan/files.ts';
import { type DefinedNetwork, isDefined } from '../../plan/nat/defined.ts';
import { withLive } from '../../plan/nat/difference.ts';
import type { Step } from '../../plan/step.ts';
import { readNetwork } from '../../spec/nat/read.ts';

export const keepStarted = (places: NatPlaces, name: string, xml: string): Step =>
  putFile({ path: places.running(name).started, content: xml });

/** Of it counts what dnsmasq reads. */
export const keepUpdated = (places: NatPlaces, name: string, xml: string): Step =>
  putFile({ path: places.running(name).updated, content: xml });

/** undefined: an earlier version has started it, which kept none. */
export function runningAs(places: NatPlaces, name: string): DefinedNetwork | undefined {
  const { started, updated } = places.running(name);
  const [first, then] = [read(started), read(updated)];
  return first === undefined || then === undefined ? first : withLive(first, then);
}

function read(path: string): DefinedNetwork | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    const { network } = readNetwork(text, path);
    return isDefined(network) ? network : undefined;
  } catch (error) {
    // What an earlier version took may be refused by now.
    if (error instanceof QlaunchError) return undefined;
    throw error;
  }
}
