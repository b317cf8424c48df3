import { readFileSync } from 'node:fs';

/** What PyTorch's optimisers and schedules do, as optim.py wrote it. */
export interface GoldenOptim {
  readonly schedules: readonly {
    readonly total: number;
    readonly max_lr: number;
    readonly pct_start: number;
    readonly base_momentum: number;
    readonly max_momentum: number;
    readonly div_factor?: number;
    readonly final_div_factor?: number;
    /** t, rate, momentum */
    readonly values: readonly (readonly [number, number, number])[];
  }[];
  /** Step s uses as its gradient the sequence seed + s + 1 of the generator, between -1 and 1; the parameter begins as sequence `seed`. */
  readonly optimisers: readonly {
    readonly name: 'SGD' | 'Adam' | 'AdamW';
    readonly options: {
      readonly lr: number;
      readonly momentum?: number;
      readonly dampening?: number;
      readonly weight_decay?: number;
      readonly nesterov?: boolean;
      readonly betas?: readonly [number, number];
      readonly eps?: number;
    };
    readonly seed: number;
    readonly size: number;
    /** The parameter after each step. */
    readonly after: readonly (readonly number[])[];
  }[];
}

export const goldenOptim = JSON.parse(readFileSync(new URL('optim.json', import.meta.url), 'utf8')) as GoldenOptim;
