/** `--net MODE[:ARG][,key=value…]`, or a section [net0] with `mode = …` and the same keys. */
import { didYouMean } from './did-you-mean.ts';
import { parseId } from './id.ts';
import { parseMac } from './mac.ts';
import { Fields, whole } from './net/fields.ts';
import { MAIN_KEY, MODES, NET_HINTS } from './net/mode-keys.ts';
import { checkNet } from './net/rules.ts';
import type { NetMode, NetSpec, NicCommon, NicModel } from './net-spec.ts';
import { parseChoice, parseSwitch } from './number.ts';
import { type PropReaders, readProps, splitOptions } from './props.ts';
import { Gathering, type Problem, type RawDevice, type RawProp, type RawValue } from './raw.ts';
import { parseRom } from './vfio/hostdev.ts';

const NET_MODES: readonly NetMode[] = ['user', 'passt', 'bridge', 'tap', 'nat', 'vfio', 'vf', 'none'];
const NIC_MODELS: readonly NicModel[] = ['virtio', 'e1000e', 'e1000', 'rtl8139', 'vmxnet3', 'igb'];

export interface NetContext {
  /** The id unless `id=` is given. */
  readonly id: string;
  /** For `~/`. */
  readonly home: string;
}

/** All that is wrong with it, or the NIC; 'none' for `--net none`. */
export function parseNet(device: RawDevice, context: NetContext): NetSpec | 'none' | readonly Problem[] {
  const gathering = new Gathering();
  const { mode, arg, props } = readMode(device, gathering);
  if (mode === undefined) {
    checkKeys(props, context, gathering);
    return gathering.problems;
  }
  if (mode === 'none') {
    if (arg.text !== '' || props.length > 0)
      gathering.refuse(arg.at, '`none` takes neither an argument nor keys');
    return gathering.problems.length > 0 ? gathering.problems : 'none';
  }
  const main = MAIN_KEY[mode];
  if (arg.text !== '' && main === undefined)
    gathering.refuse(arg.at, `mode ${mode} takes no argument "${arg.text}"`);
  const all = arg.text !== '' && main !== undefined ? argProps(mode, arg, main).concat(props) : props;
  const net = readNic(mode, arg.at, all, context, gathering);
  if (net) checkNet(net, new Set(all.map((prop) => prop.key)), gathering);
  return net === undefined || gathering.problems.length > 0 ? gathering.problems : net;
}

/** `vf:PF/vf2` says two things. */
function argProps(mode: NetMode, arg: RawValue, main: string): RawProp[] {
  const [, pf, vf] = (mode === 'vf' && /^(.+)\/vf([0-9]+)$/.exec(arg.text)) || [];
  if (pf === undefined || vf === undefined) return [{ ...arg, key: main }];
  return [
    { ...arg, key: 'pf', text: pf },
    { ...arg, key: 'vf', text: vf },
  ];
}

interface ModeText {
  readonly mode: NetMode | undefined;
  readonly arg: RawValue;
  readonly props: readonly RawProp[];
}

function readMode(device: RawDevice, gathering: Gathering): ModeText {
  const short = 'short' in device ? splitOptions(device.short) : undefined;
  const props = 'short' in device ? (short?.props ?? []) : device.props.filter((prop) => prop.key !== 'mode');
  const written = 'short' in device ? short?.head : device.props.find((prop) => prop.key === 'mode');
  const place = 'short' in device ? device.short : { at: device.at, dir: device.dir };
  const text = written?.text ?? '';
  const colon = text.includes(':') ? text.indexOf(':') : text.length;
  const word = text.slice(0, colon);
  const arg = { text: text.slice(colon + 1), at: place.at, dir: place.dir };
  const mode = NET_MODES.find((known) => known === word);
  if (mode === undefined) {
    const near = didYouMean(word, NET_MODES);
    const what = word === '' ? 'the mode is missing' : `"${word}" is not a network mode`;
    gathering.refuse(
      written?.at ?? place.at,
      what,
      near ? `did you mean "${near}"?` : `one of ${NET_MODES.join(', ')}`,
    );
  }
  return { mode, arg, props };
}

function readNic(
  mode: NetSpec['mode'],
  at: string,
  props: readonly RawProp[],
  context: NetContext,
  gathering: Gathering,
): NetSpec | undefined {
  const { draft, readers: shared } = sharedKeys(context, gathering);
  const keys = MODES[mode](gathering, context.home);
  readProps(props, { ...shared, ...keys.readers }, `a NIC of mode ${mode}`, gathering, NET_HINTS);
  return keys.finish({ id: context.id, model: 'virtio', queues: 1, at, ...draft });
}

/** Of a NIC whose mode is not known: what is wrong whichever it was to be. */
function checkKeys(props: readonly RawProp[], context: NetContext, gathering: Gathering): void {
  const all = Object.values(MODES).map((keys) => keys(gathering, context.home).readers);
  const readers: PropReaders = Object.assign({}, ...all, sharedKeys(context, gathering).readers);
  readProps(props, readers, 'a NIC', gathering, NET_HINTS);
}

function sharedKeys(
  context: NetContext,
  gathering: Gathering,
): { readonly draft: Partial<NicCommon>; readonly readers: PropReaders } {
  const common = new Fields<NicCommon>(gathering, context.home);
  const romFile = common.setFrom('romFile', (prop) => parseRom(prop, context.home));
  const readers: PropReaders = {
    id: common.set('id', parseId),
    mac: common.set('mac', parseMac),
    model: common.set('model', (text, place) => parseChoice(text, place, NIC_MODELS)),
    mtu: common.set('mtu', whole(68, 65535)),
    queues: common.set('queues', whole(1, 256)),
    boot: common.set('boot', whole(0, 1_000_000)),
    rom: romFile,
    romfile: romFile,
    rombar: common.set('romBar', parseSwitch),
  };
  return { draft: common.draft, readers };
}
