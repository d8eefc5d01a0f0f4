/** The settings of our terminal, as stty(1) writes and reads them. Foreground VMs only: loads execa. */

/** undefined when stdin is not a terminal. */
export async function terminalSettings(): Promise<string | undefined> {
  const { execa } = await import('execa');
  const { failed, stdout } = await execa('stty', ['-g'], {
    stdin: 'inherit',
    stderr: 'ignore',
    reject: false,
  });
  return failed ? undefined : stdout;
}

export async function setTerminal(settings: string): Promise<void> {
  const { execa } = await import('execa');
  await execa('stty', [settings], { stdio: ['inherit', 'ignore', 'ignore'], reject: false });
}
