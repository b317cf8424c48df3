/** The part of `utif` that is used: turning a directory's strips or tiles into pixels. */
declare module 'utif' {
  /** A directory: tag 256 is `t256`, with its values; `decodeImage` adds `data`. */
  interface UtifDirectory {
    data?: Uint8Array;
    [tag: `t${number}`]: readonly number[];
  }
  const UTIF: { decodeImage(file: ArrayBuffer, directory: UtifDirectory): void };
  export default UTIF;
}
