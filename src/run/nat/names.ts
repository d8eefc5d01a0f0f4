/** Words about networks that several commands say. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { didYouMean } from '../../spec/did-you-mean.ts';

export function noNetwork(name: string, known: readonly string[]): QlaunchError {
  const near = didYouMean(name, known);
  return new QlaunchError('QL_NO_NETWORK', EXIT.usage, {
    what: `there is no network ${name}`,
    why: [known.length === 0 ? 'no network is defined' : `defined: ${known.join(', ')}`],
    todo: [near === undefined ? 'qlaunch net list --all' : `did you mean ${near}?`],
  });
}

/** QL_NO_NETWORK where it is not even known, else QL_NET_INACTIVE (exit 3). */
export function inactive(name: string, known: readonly string[]): QlaunchError {
  if (!known.includes(name)) return noNetwork(name, known);
  return new QlaunchError('QL_NET_INACTIVE', EXIT.refused, {
    what: `the network ${name} is not started`,
    todo: [`sudo qlaunch net start ${name}`],
  });
}
