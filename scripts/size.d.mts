export interface Size {
  /** Bytes. */
  readonly minified: number;
  readonly gzipped: number;
}

export const aims: { readonly inference: number; readonly training: number };
export const budgets: { readonly inference: number; readonly training: number };
export function sizes(file: string): Promise<Record<'inference' | 'training' | 'everything', Size>>;
