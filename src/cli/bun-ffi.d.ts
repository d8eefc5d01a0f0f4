/** The little of Bun's own module that the standalone executable uses (https://bun.sh/docs/api/ffi). */
declare module 'bun:ffi' {
  interface Signature {
    readonly args: readonly ('i32' | 'ptr')[];
    readonly returns: 'i32';
  }
  export function dlopen<Name extends string>(
    library: string,
    symbols: Readonly<Record<Name, Signature>>,
  ): { readonly symbols: Readonly<Record<Name, (...args: readonly unknown[]) => number>> };
}
