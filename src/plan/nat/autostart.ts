/** Networks that start at boot: a mark beside the definition for each, and one unit of systemd for all. */
import { makeDirectory, putFile } from '../files.ts';
import { shellLine } from '../shell.ts';
import { type Argv, DEADLINE_MS, type FilePath, type Plan, type Step } from '../step.ts';
import type { DefinitionPaths } from './define.ts';

const UNIT = 'qlaunch-networks.service';
const UNIT_FILE: FilePath = `/etc/systemd/system/${UNIT}`;

export interface AutostartPaths extends DefinitionPaths {
  /** Below the definitions. */
  readonly marks: FilePath;
  readonly mark: FilePath;
}

/**
 * After whatever else writes firewall rules, so that what drops is seen. dnsmasq lives in the unit's control group, and
 * is ended by `net stop` only.
 */
const renderUnit = (program: Argv): string => `# Written by qlaunch net autostart.
[Unit]
Description=networks of qlaunch that start at boot
Wants=network-online.target
After=network-online.target nftables.service firewalld.service ufw.service docker.service libvirtd.service

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
ExecStart=${program.map(unitWord).join(' ')} net autostart --start

[Install]
WantedBy=multi-user.target
`;

/** systemd.service(5), "COMMAND LINES": in quotes, where "%" and "$" are doubled. */
const unitWord = (word: string): string =>
  `"${word.replaceAll('%', '%%').replaceAll('$', '$$$$').replace(/["\\]/g, '\\$&')}"`;

export interface AutostartWish {
  readonly paths: AutostartPaths;
  /** How the unit calls us; undefined: systemd does not run here. */
  readonly program?: Argv;
}

export function planAutostart<Facts>({ paths, program }: AutostartWish): Plan<Facts> {
  const mark = 'Started at boot by qlaunch net autostart --start.\n';
  return {
    steps: [
      makeDirectory(paths.config),
      makeDirectory(paths.folder),
      makeDirectory(paths.marks),
      putFile({ path: paths.mark, content: mark }),
      ...(program === undefined
        ? []
        : [putFile({ path: UNIT_FILE, content: renderUnit(program) }), enable()]),
    ],
  };
}

const enable = (): Step => ({
  title: `let systemd start ${UNIT} at boot`,
  do: { run: ['systemctl', 'enable', UNIT] },
  undo: { run: ['systemctl', 'disable', UNIT], gone: ['does not exist'] },
  deadlineMs: DEADLINE_MS,
  durable: true,
});

/** @param unit the last one: nothing is left to start, and systemd runs here */
export function planNoAutostart<Facts>({ mark }: AutostartPaths, unit: boolean): Plan<Facts> {
  const run = (title: string, argv: Argv): Step => ({
    title,
    do: { run: argv },
    undo: { nothing: 'net autostart makes it again' },
    deadlineMs: DEADLINE_MS,
    durable: true,
  });
  return {
    steps: [
      run(`remove ${mark}`, ['rm', '-f', '--', mark]),
      ...(unit
        ? [
            run(`let systemd forget ${UNIT}`, ['systemctl', 'disable', UNIT]),
            run(`remove ${UNIT_FILE}`, ['rm', '-f', '--', UNIT_FILE]),
          ]
        : []),
    ],
  };
}

/** Where no systemd runs. */
export const bootHint = (program: Argv): readonly string[] => {
  const line = shellLine([...program, 'net', 'autostart', '--start']);
  return [
    `OpenRC: echo '${line}' > /etc/local.d/qlaunch.start; chmod +x /etc/local.d/qlaunch.start; rc-update add local`,
    `cron:   echo '@reboot root ${line}' > /etc/cron.d/qlaunch`,
  ];
};
