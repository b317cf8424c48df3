/**
 * A kernel of the user's own in a ladder. It takes the place of one dispatch of a variant of the project's: it gets that
 * dispatch's constants, pieces and bindings, and may say in comments what differs:
 *
 *     // like: direct                       the variant, or the file (conv2d/forward_direct), whose place it takes
 *     // dispatch: ceil(N * K / TILE), 1, 1  workgroups, from the constants it is given and those that it declares
 *     // tolerance: 1e-3                    largest error that passes for right
 */
import type { Device } from '../../src/engine/device.js';
import type { Constants } from '../../src/engine/kernel.js';
import type { Plan, PlanStep } from '../../src/engine/plan/types.js';
import { moduleParts } from '../../src/engine/program/wgsl.js';
import { evaluateList } from './expression.js';

export interface UserKernel {
  /** As it is shown: the file's name. */
  readonly name: string;
  readonly code: string;
  /** What was said on the command line, which goes before the file's own word. */
  readonly like?: string | undefined;
}

/** A fault of the user's kernel, told as it is. */
export class KernelError extends Error {}

function directive(code: string, name: string): string | undefined {
  return new RegExp(`^[ \\t]*//[ \\t]*${name}:[ \\t]*(.+?)[ \\t]*$`, 'm').exec(code)?.[1];
}

/** The largest error that this kernel may have. */
export function toleranceOf({ name, code }: UserKernel, usual: number): number {
  const text = directive(code, 'tolerance');
  if (text === undefined) return usual;
  const value = Number(text);
  if (!(value > 0)) throw new KernelError(`${name}: the tolerance must be a number above 0, not "${text}".`);
  return value;
}

/** Which of the ladder's variants the kernel is like, and the file whose place it takes where one was named. */
export function likeOf(
  { name, code, like }: UserKernel,
  variants: readonly string[],
): { readonly variant: string | undefined; readonly shader?: string } {
  const word = like ?? directive(code, 'like');
  if (word === undefined) {
    const stem = (name.split(/[\\/]/).pop() ?? '').replace(/\.wgsl$/, '');
    const named = variants.find((variant) => stem === variant || stem.split(/[_.-]/).includes(variant));
    if (named !== undefined) return { variant: named };
    if (variants.length === 1) return { variant: variants[0] };
    throw new KernelError(
      `${name} does not say whose place it takes: give --like NAME, or write a line "// like: NAME"; there are ${variants.join(', ')}.`,
    );
  }
  if (variants.includes(word)) return { variant: word };
  if (word.includes('/')) return { variant: undefined, shader: word.replace(/\.wgsl$/, '') };
  throw new KernelError(
    `${name} is like "${word}", but there is no such variant; there are ${variants.join(', ')}.`,
  );
}

/**
 * One of the plans with the kernel in the place of the dispatch whose file was named, or of that with the most FLOPs in
 * the first plan.
 */
export function swapKernel<P extends { readonly plan: Plan }>(
  planned: readonly P[],
  kernel: UserKernel,
  shader: string | undefined,
): { readonly planned: P; readonly step: PlanStep } {
  const steps = planned.flatMap((of) => of.plan.steps.map((step, at) => ({ of, step, at })));
  const place =
    shader === undefined
      ? steps
          .filter(({ of }) => of === planned[0])
          .reduce((best, each) => (each.step.flops >= best.step.flops ? each : best))
      : steps.find(({ step }) => step.shader.name === shader);
  if (!place) {
    const names = [...new Set(steps.map(({ step }) => step.shader.name))].join(', ');
    throw new KernelError(
      `${kernel.name} is like ${shader}, but no dispatch here runs it; there are ${names}.`,
    );
  }
  const { of, step: old, at } = place;
  const step: PlanStep = {
    ...old,
    shader: { name: kernel.name, code: kernel.code },
    variant: `in the place of ${old.shader.name}`,
    workgroups: workgroupsOf(kernel, old),
  };
  const plan = { ...of.plan, steps: of.plan.steps.map((other, i) => (i === at ? step : other)) };
  return { planned: { ...of, plan }, step };
}

function workgroupsOf(
  { name, code }: UserKernel,
  { constants, workgroups }: PlanStep,
): PlanStep['workgroups'] {
  const text = directive(code, 'dispatch');
  if (text === undefined) return workgroups;
  let sizes: number[];
  try {
    sizes = evaluateList(text, { ...numbers(constants), ...declared(code) });
  } catch (error) {
    throw new KernelError(`${name}: the dispatch cannot be read: ${(error as Error).message}.`);
  }
  const [x = 1, y = 1, z = 1] = sizes;
  if (sizes.length > 3 || [x, y, z].some((size) => !Number.isInteger(size) || size < 1)) {
    throw new KernelError(
      `${name}: the dispatch must be one to three whole numbers from 1; "${text}" gives ${sizes.join(', ')} here.`,
    );
  }
  return [x, y, z];
}

function numbers(constants: Constants): Record<string, number> {
  return Object.fromEntries(
    Object.entries(constants).flatMap(([name, value]) =>
      typeof value === 'number'
        ? [[name, value]]
        : typeof value === 'object' && 'type' in value && value.type !== 'alias'
          ? [[name, value.value]]
          : [],
    ),
  );
}

/** Constants that the file declares as plain numbers. */
function declared(code: string): Record<string, number> {
  const found = code.matchAll(/^[ \t]*const[ \t]+(\w+)[ \t]*(?::[^=]+)?=[ \t]*(\d+)[iu]?[ \t]*;/gm);
  return Object.fromEntries([...found].map(([, name, value]) => [name, Number(value)]));
}

/** The whole module that a step compiles. */
export function wgslOf(step: PlanStep): string {
  return moduleParts(step.constants, step.pieces, step.shader).code;
}

/**
 * Compiles a step's module alone.
 * @throws KernelError with file, line, column and source of each error, in the numbers of the file that it is in.
 */
export async function checkModule(device: Device, step: PlanStep): Promise<void> {
  const { code, files } = moduleParts(step.constants, step.pieces, step.shader);
  const { gpu } = device;
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label: step.shader.name, code });
  const scope = gpu.popErrorScope();
  const { messages } = await device.guard(module.getCompilationInfo());
  const error = await device.guard(scope);
  const errors = messages.filter(({ type }) => type === 'error');
  if (errors.length === 0 && !error) return;
  if (errors.length === 0) throw new KernelError(`${step.shader.name}: ${error?.message}`);
  const lines = code.split('\n');
  const texts = errors.map(({ lineNum, linePos, message }) => {
    const file = files.find(({ firstLine, lines: n }) => lineNum >= firstLine && lineNum < firstLine + n);
    const own = file?.name === step.shader.name;
    const name = own ? file.name : file ? `${file.name}.wgsl` : `constants before ${step.shader.name}`;
    const line = file ? lineNum - file.firstLine + 1 : lineNum;
    const source = lines[lineNum - 1] ?? '';
    const number = String(line).padStart(5);
    // Tabs stay tabs, so that the caret stands below what it means wherever they end.
    const indent = source.slice(0, Math.max(0, linePos - 1)).replace(/[^\t]/g, ' ');
    return `${name}:${line}:${linePos}: error: ${message}\n${number} | ${source}\n      | ${indent}^`;
  });
  throw new KernelError(texts.join('\n'));
}
