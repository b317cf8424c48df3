import { fail, shapeText } from '../errors.js';
import { readParameters, writeParameter } from '../program/residence.js';
import { Parameter, type Tensor } from '../tensor.js';

/** Values by dotted PyTorch name. */
export type StateDict = Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

export interface ForwardOptions {
  /** True while training: dropout drops. */
  readonly training: boolean;
}

/**
 * A piece of a model: its parameters are its own fields and those of modules in its fields (or in arrays there), and
 * their names are the paths of those fields, so that a state dict reads as PyTorch's does.
 */
export abstract class Module {
  abstract forward(x: Tensor, options: ForwardOptions): Tensor;

  /** Parameters with their dotted names, in the order of the fields. */
  namedParameters(prefix = ''): [string, Parameter][] {
    const found: [string, Parameter][] = [];
    const visit = (path: string, value: unknown) => {
      if (value instanceof Parameter) found.push([path, value]);
      else if (value instanceof Module) found.push(...value.namedParameters(path));
      else if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(`${path}.${i}`, item);
    };
    for (const [name, value] of Object.entries(this))
      visit(prefix === '' ? name : `${prefix}.${name}`, value);
    for (const [name, parameter] of found) parameter.name = name;
    return found;
  }

  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /** Copies of all parameters as they are now, from the GPU where they live there. */
  async stateDict(): Promise<StateDict> {
    const named = this.namedParameters();
    const values = await readParameters(named.map(([, parameter]) => parameter));
    return new Map(named.map(([name, { shape }], i) => [name, { shape, data: values[i] as Float32Array }]));
  }

  /** Takes all values from `state`; throws, changing nothing, where a name is missing, unknown or of another shape. */
  loadStateDict(state: StateDict): void {
    const named = new Map(this.namedParameters());
    const missing = [...named.keys()].filter((name) => !state.has(name));
    const unknown = [...state.keys()].filter((name) => !named.has(name));
    if (missing.length > 0 || unknown.length > 0) {
      const list = (names: string[]) =>
        `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
      fail(
        `These weights are of another model:${missing.length > 0 ? ` missing ${list(missing)};` : ''}${
          unknown.length > 0 ? ` unknown ${list(unknown)};` : ''
        } build the model with the configuration they were saved with.`,
      );
    }
    for (const [name, parameter] of named) {
      const given = state.get(name);
      if (
        given &&
        (given.shape.length !== parameter.rank || given.shape.some((n, i) => n !== parameter.shape[i]))
      ) {
        fail(
          `These weights are of another model: ${name} is ${shapeText(given.shape)} there and ${shapeText(parameter.shape)} here.`,
        );
      }
    }
    for (const [name, parameter] of named) {
      const given = state.get(name);
      if (given) writeParameter(parameter, given.data.slice());
    }
  }
}
