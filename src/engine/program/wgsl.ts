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
    return value.type === 'f32'
      ? `const ${name}: f32 = ${float(value.value)};`
      : `const ${name}: i32 = i32(${value.value});`;
  }
  return `const ${name} = array<u32, ${value.length}>(${value.map(u32).join(', ')});`;
}

/** The whole module: directives of its files first, as WGSL wants, then constants, pieces and the kernel. */
export function moduleText(constants: Constants, pieces: readonly Shader[], shader: Shader): string {
  const directives = new Set<string>();
  const bodies = [...pieces, shader].map((file) =>
    file.code.replace(/^[ \t]*(?:enable|requires|diagnostic)\b[^;]*;/gm, (directive) => {
      directives.add(directive.trim());
      return '';
    }),
  );
  const header = Object.entries(constants).map(([name, value]) => declare(name, value));
  return [...directives, ...header, ...bodies].join('\n');
}
