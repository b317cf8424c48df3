export interface ModuleNames {
  readonly names: ReadonlyMap<string, string>;
  readonly members: ReadonlyMap<string, string>;
  readonly given: ReadonlySet<string>;
}

export function moduleNames(codes: readonly string[]): ModuleNames;
export function minifyWgsl(code: string, shared?: ModuleNames): string;
