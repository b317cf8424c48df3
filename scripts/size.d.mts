export interface Size {
  /** Bytes. */
  readonly minified: number;
  readonly gzipped: number;
}

export const aims: { readonly inference: number; readonly training: number };

export type Measured =
  | 'inference'
  | 'training'
  | 'inference on CPU adapters too'
  | 'training on CPU adapters too'
  | 'everything';
export function sizes(folder: string): Promise<Record<Measured, Size>>;
