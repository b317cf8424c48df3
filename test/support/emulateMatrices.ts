/**
 * Subgroup matrices computed by plain loops, so that the kernels that use them can be held to float64 on adapters that
 * have none. An invocation of a subgroup has one column of the sums, in every so manyth row, and what they are made of.
 * What a GPU demands is demanded here: a matrix that begins or steps at no multiple of 16 bytes, or reaches out of its
 * memory, is NaN.
 */
import type { DeviceFacts, Launch, Lowering, Shader, SubgroupMatrix } from '../../src/engine/kernel.js';
import type { Conv2dVariant } from '../../src/engine/kernels/conv2dProblem.js';
import type { MoreKernels } from '../../src/engine/kernels/moreKernels.js';
import { subgroupMatrixKernels } from '../../src/matrix.js';

/** A GPU whose matrices are emulated. */
export interface EmulatedUnits {
  readonly subgroupSize: number;
  readonly subgroupMatrices: readonly SubgroupMatrix[];
}

/** What an invocation has of each kind of matrix, after r, c and k were found; j counts its rows. */
const OWN = {
  Left: {
    loop: 'for (var j = 0u; j < rolled(ROWS); j++) { for (var c = 0u; c < rolled(UNIT_K); c++) { let r = row_of_sums(j);',
    at: 'j * UNIT_K + c',
  },
  Right: { loop: '{ for (var r = 0u; r < rolled(UNIT_K); r++) { let c = column_of_sums();', at: 'r' },
  Sums: {
    loop: '{ for (var j = 0u; j < rolled(ROWS); j++) { let r = row_of_sums(j); let c = column_of_sums();',
    at: 'j',
  },
} as const;

/** Rows and columns, by the name that kernels give a type. */
const SIZES = {
  Left: ['UNIT_M', 'UNIT_K'],
  Right: ['UNIT_K', 'UNIT_N'],
  Sums: ['UNIT_M', 'UNIT_N'],
} as const;

const ELEMENT = { row_major: 'at + r * stride + c', col_major: 'at + c * stride + r' } as const;

/** The elements a whole number of 16 bytes has, and whether all of a matrix lies in `memory`. */
function isSound(memory: string, order: string, rows: string, columns: string, elements: string): string {
  const [steps, along] = order === 'row_major' ? [rows, columns] : [columns, rows];
  const last = `at + (${steps} - 1) * stride + ${along} - 1`;
  return `(at % ${elements} == 0) & (stride % ${elements} == 0) & (${last} < ${memory})`;
}

/** The number of elements of a module's array, in WGSL. */
function lengthOf(name: string, code: string): string {
  const fixed = new RegExp(`var<workgroup> ${name}: array<\\w+, ([^>]+)>`).exec(code)?.[1];
  return fixed ?? `arrayLength(&${name})`;
}

/**
 * The shader with its matrices emulated. A matrix is a number: its place in what an invocation has in memory, one for
 * each variable of sums and for each load in the text. As values they would take minutes to compile.
 */
function emulated(shader: Shader, component: string): Shader {
  const functions = new Map<string, string>();
  const define = (name: string, text: string) => {
    functions.set(name, text);
    return `${name}(`;
  };
  const elements = component === 'f16' ? '8' : '4';
  const counts = { Left: 0, Right: 0, Sums: 0 };
  const next = (type: keyof typeof counts) => {
    const place = `(${counts.Sums} * ROWS + ${counts.Left} * ROWS * UNIT_K + ${counts.Right} * UNIT_K)`;
    counts[type]++;
    return place;
  };
  const moves = (
    type: keyof typeof OWN,
    order: string,
    memory: string,
    text: (element: string) => string,
  ) => {
    const [rows, columns] = SIZES[type];
    const sound = isSound(
      lengthOf(memory, shader.code),
      order,
      rows,
      columns,
      type === 'Sums' ? '4' : elements,
    );
    const element = `${memory}[${ELEMENT[order as keyof typeof ELEMENT]}]`;
    return `let sound = ${sound}; ${OWN[type].loop} ${text(element)} } }`;
  };
  const code = shader.code
    .replace(/enable (subgroups|chromium_experimental_subgroup_matrix);/g, '')
    .replace(/subgroup_matrix_(?:left|right|result)<\w+, \w+, \w+>/g, 'u32')
    .replace(
      /@builtin\(subgroup_id\).*\n.*,\n\) \{/,
      ') { let subgroup = i / SUBGROUP; let lane = i % SUBGROUP; lane_of_subgroup = lane;',
    )
    .replace(/(?<=for \(.* < )[A-Z_]+(?=;)/g, 'rolled($&)')
    .replace(/: Sums;/g, () => `: Sums = ${next('Sums')};`)
    .replace(
      /subgroupMatrixLoad<(\w+), (\w+)>\(&(\w+), /g,
      (_, type: 'Left' | 'Right', order: string, memory: string) => {
        const text = moves(
          type,
          order,
          memory,
          (element) => `matrices[m + ${OWN[type].at}] = select(not_a_number(at), f32(${element}), sound);`,
        );
        const name = `load_${type}_${order}_${memory}`;
        return `${define(name, `(m: u32, at: u32, stride: u32) -> u32 { ${text} return m; }`)}${next(type)}, `;
      },
    )
    .replace(/subgroupMatrixStore<(\w+)>\(&(\w+), /g, (_, order: string, memory: string) => {
      const text = moves(
        'Sums',
        order,
        memory,
        (element) => `${element} = select(not_a_number(at), matrices[m + ${OWN.Sums.at}], sound);`,
      );
      return define(`store_${order}_${memory}`, `(at: u32, m: u32, stride: u32) { ${text} }`);
    })
    .replaceAll('subgroupMatrixMultiplyAccumulate(', () =>
      define(
        'multiply_accumulate',
        `(a: u32, b: u32, s: u32) -> u32 {
          for (var j = 0u; j < rolled(ROWS); j++) {
            var sum = matrices[s + j];
            for (var k = 0u; k < rolled(UNIT_K); k++) {
              sum += matrices[a + j * UNIT_K + k] * matrices[b + k];
            }
            matrices[s + j] = sum;
          }
          return s;
        }`,
      ),
    );
  if (/subgroup_?matri/i.test(code.replace(/\/\/.*/g, '')))
    throw new Error(`${shader.name} has what is not emulated.`);
  const text = [
    '// Rows of a unit of sums that an invocation has.',
    'const ROWS = UNIT_M * UNIT_N / SUBGROUP;',
    'var<private> lane_of_subgroup: u32;',
    `var<private> matrices: array<f32, ${next('Sums')}>;`,
    '// A bound that no compiler knows: what they unroll they compile for seconds.',
    'fn rolled(n: u32) -> u32 { return n + (lane_of_subgroup >> 31); }',
    'fn row_of_sums(j: u32) -> u32 { return lane_of_subgroup / UNIT_N + j * (SUBGROUP / UNIT_N); }',
    'fn column_of_sums() -> u32 { return lane_of_subgroup % UNIT_N; }',
    'fn not_a_number(zero: u32) -> f32 { return bitcast<f32>(0x7fc00000u + zero - zero); }',
    ...[...functions].map(([name, rest]) => `fn ${name}${rest}`),
  ];
  return { name: shader.name, code: [code, ...text].join('\n') };
}

function launchOf(launch: Launch): Launch {
  const { COMPONENT } = launch.constants;
  if (typeof COMPONENT !== 'object' || !('type' in COMPONENT)) return launch;
  return { ...launch, shader: emulated(launch.shader, `${COMPONENT.value}`) };
}

/** The kernels of subgroup matrices as a device with `units` would run them, emulated. */
export function emulatedMatrixKernels(units: EmulatedUnits): MoreKernels {
  const as = (facts: DeviceFacts): DeviceFacts => ({ ...facts, ...units });
  // A lowering's own fields come before those of what it is made from.
  const on = (ctx: Lowering): Lowering => Object.create(ctx, { facts: { value: as(ctx.facts) } }) as Lowering;
  const common = (v: Conv2dVariant) => ({
    supports: (p: Parameters<typeof v.supports>[0], facts: DeviceFacts) => v.supports(p, as(facts)),
    share: (p: Parameters<typeof v.share>[0], facts: DeviceFacts) => v.share(p, as(facts)),
  });
  return {
    conv2d: subgroupMatrixKernels.conv2d.map((v) => ({
      ...v,
      ...common(v),
      lower: (p, io, epilogue, ctx) => v.lower(p, io, epilogue, on(ctx)).map(launchOf),
    })),
    conv2dInputGrad: subgroupMatrixKernels.conv2dInputGrad.map((v) => ({
      ...v,
      ...common(v),
      lower: (p, io, epilogue, ctx) => v.lower(p, io, epilogue, on(ctx)).map(launchOf),
    })),
    conv2dWeightGrad: subgroupMatrixKernels.conv2dWeightGrad.map((v) => ({
      ...v,
      ...common(v),
      lower: (p, io, ctx) => v.lower(p, io, on(ctx)).map(launchOf),
    })),
  };
}
