/** What makes a bridge again at boot: the network managers whose files qlaunch writes. */
import type { Problem } from '../raw.ts';

export const BACK_ENDS = ['ifupdown', 'networkd', 'netplan', 'networkmanager', 'ifcfg'] as const;
export type BackEnd = (typeof BACK_ENDS)[number];

export function parseBackEnd(text: string, at: string): BackEnd | Problem {
  const found = BACK_ENDS.find((one) => one === text.toLowerCase());
  return (
    found ?? {
      at,
      what: `"${text}" is no network manager that qlaunch writes for`,
      hint: BACK_ENDS.join(', '),
    }
  );
}
