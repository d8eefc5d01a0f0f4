/** qlaunch as a library: re-exports only; importing it does nothing. */
export { EXIT, type ErrorText, type ExitStatus, QlaunchError, renderError } from './errors.ts';
