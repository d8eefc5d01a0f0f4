/** qlaunch bridge persist BR. */
import { EXIT } from '../../errors.ts';
import { planJson } from '../../plan/render.ts';
import { carryOut } from '../../run/bridge/made.ts';
import { type PersistOrder, persistOrder, persistScript } from '../../run/bridge/persist/order.ts';
import { type BackEnd, parseBackEnd } from '../../spec/bridge/back-end.ts';
import { parseIfName } from '../../spec/ifname.ts';
import { requireRoot } from '../root.ts';
import { json, note, out } from '../terminal.ts';
import { checked, engineNow, planText, ROOTS, type Show } from './made.ts';

interface PersistText extends Show {
  readonly persist?: string;
  readonly physdev?: boolean;
}

/**
 * Nothing has to be restarted, for the bridge is there; who wants to see it made the other way types this. By networkd and
 * netplan not: files below /run may stand before theirs until the next boot (a NIC that was handed over), and a reload
 * takes a leased address off until the server answers.
 */
const TAKES_OVER: Readonly<Partial<Record<BackEnd, string>>> = {
  ifupdown: 'sudo ifdown BR; sudo ifup BR',
  networkmanager: 'sudo nmcli connection reload',
  ifcfg: 'sudo systemctl restart network, or sudo nmcli connection reload',
};

export async function persist(name: string, options: PersistText): Promise<number> {
  const { persist: text, physdev } = options;
  const wish = checked('cannot make this bridge outlive a reboot', (gathering) => {
    gathering.take(parseIfName(name, 'NAME'));
    const isNamed = text !== undefined && text !== 'none';
    const backEnd = isNamed ? gathering.take(parseBackEnd(text, '--persist')) : undefined;
    return {
      ...(backEnd === undefined ? {} : { backEnd }),
      ...(physdev === true ? { physdev } : {}),
    };
  });
  const engine = engineNow();
  if (text === 'none') {
    const script = await persistScript(engine, name);
    if (options.json === true) json({ script });
    else out(script);
    return EXIT.ok;
  }
  const order = await persistOrder(engine, name, wish);
  if (options.dryRun === true) {
    const plan = await order.plan();
    if (options.json === true) json(planJson(plan));
    else out([...order.identity.map((one) => `# ${one}`), await planText(engine, plan)].join('\n'));
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  const id = await carryOut(engine, order);
  if (options.json === true) json({ change: id ?? null, manager: order.backEnd });
  else note(told(name, order).join('\n'));
  return EXIT.ok;
}

function byHand(name: string, backEnd: BackEnd): string {
  const line = TAKES_OVER[backEnd];
  return line === undefined ? '' : ` (by ${backEnd}: ${line.replaceAll('BR', name)})`;
}

const told = (name: string, { id, backEnd, identity }: PersistOrder): readonly string[] => [
  `${name} is made at every boot, by ${backEnd}`,
  `  now    it is there: nothing has to be restarted${byHand(name, backEnd)}`,
  ...identity.map((one) => `  note   ${one}`),
  `  undo   sudo qlaunch undo ${id}   # bridge delete ${name} does it as well`,
];
