import type { Constant, Constants, Shader } from '../kernel.js';

function u32(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`a kernel constant must be a u32, not ${value}; use f32() or i32() for others`);
  }
  return `${value}u`;
}

function float(value: number): string {
  const single = Math.fround(value);
  // WGSL has no literal for these; no kernel is given one on purpose.
  if (!Number.isFinite(single)) throw new RangeError(`a kernel constant must be finite, not ${value}`);
  return `f32(${Number.isInteger(single) && Math.abs(single) < 1e15 ? `${single}.0` : single})`;
}

function declare(name: string, value: Constant): string {
  if (typeof value === 'number') return `const ${name}: u32 = ${u32(value)};`;
  if (typeof value === 'boolean') return `const ${name}: bool = ${value};`;
  if ('type' in value) {
    if (value.type === 'alias') return `alias ${name} = ${value.value};`;
    return value.type === 'f32'
      ? `const ${name}: f32 = ${float(value.value)};`
      : `const ${name}: i32 = i32(${value.value});`;
  }
  return `const ${name} = array<u32, ${value.length}>(${value.map(u32).join(', ')});`;
}

/** A WGSL module, and at which of its lines each file's text begins, so that a message can name the file's own line. */
export interface ModuleText {
  readonly code: string;
  readonly files: readonly { readonly name: string; readonly firstLine: number; readonly lines: number }[];
}

/** Directives of a module's files first, as WGSL wants, then constants; and what of each file stands below. */
function parts(constants: Constants, pieces: readonly Shader[], shader: Shader) {
  const directives = new Set<string>();
  const bodies = [...pieces, shader].map(({ name, code }) => ({
    name,
    code: code.replace(/^[ \t]*(?:enable|requires|diagnostic)\b[^;]*;/gm, (directive) => {
      directives.add(directive.trim().replace(/\s+/g, ' '));
      // Its lines stay, so that all others keep their numbers.
      return directive.replace(/[^\n]/g, '');
    }),
  }));
  const stored = Object.values(constants).filter((value) => typeof value === 'object' && 'type' in value);
  if (stored.some(({ value }) => `${value}`.includes('f16'))) directives.add('enable f16;');
  const header = Object.entries(constants).map(([name, value]) => declare(name, value));
  return { head: [...directives, ...header], bodies };
}

/** The whole module: directives, constants, pieces and the kernel. */
export function moduleText(constants: Constants, pieces: readonly Shader[], shader: Shader): string {
  const { head, bodies } = parts(constants, pieces, shader);
  return [...head, ...bodies.map(({ code }) => code)].join('\n');
}

/** {@link moduleText}, and where its files are in it. */
export function moduleParts(constants: Constants, pieces: readonly Shader[], shader: Shader): ModuleText {
  const { head, bodies } = parts(constants, pieces, shader);
  let line = 1 + head.length;
  const files = bodies.map(({ name, code }) => {
    const lines = code.split('\n').length;
    const file = { name, firstLine: line, lines };
    line += lines;
    return file;
  });
  return { code: moduleText(constants, pieces, shader), files };
}
