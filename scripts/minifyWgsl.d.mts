export interface ModuleNames {
  readonly names: ReadonlyMap<string, string>;
  readonly members: ReadonlyMap<string, string>;
  readonly given: ReadonlySet<string>;
  /** Of those given, the ones that TypeScript writes in full. */
  readonly constants: ReadonlyMap<string, string>;
  /** In how many files each word is. */
  readonly uses: ReadonlyMap<string, number>;
  /** Constants that have no type, in some file. */
  readonly untyped: ReadonlySet<string>;
}

export function moduleNames(codes: readonly string[], launches?: readonly string[]): ModuleNames;
export function minifyWgsl(code: string, shared?: ModuleNames): string;
