/**
 * Short-lived files and directories. A module of ours around the package, because it is loaded when it is needed: a
 * CommonJS package that is imported dynamically looks one way to Node and another way to the bundler.
 */
import { dirSync, fileSync } from 'tmp';

export { dirSync, fileSync };
