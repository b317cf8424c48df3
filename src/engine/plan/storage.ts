import type { Storage } from '../kernel.js';
import type { StateBuffer } from '../state.js';

export type StoreHome =
  | { readonly kind: 'transient' }
  | { readonly kind: 'state'; readonly state: StateBuffer }
  | { readonly kind: 'constant'; readonly data: ArrayBufferView }
  | { readonly kind: 'scalars' };

/** A place for data; a child lies inside its parent at `byteOffset`. */
export class Store implements Storage {
  constructor(
    readonly id: number,
    readonly bytes: number,
    readonly home: StoreHome,
    readonly parent: Store | null = null,
    readonly byteOffset = 0,
  ) {}

  get root(): Store {
    return this.parent ? this.parent.root : this;
  }
}
