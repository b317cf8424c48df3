import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aims, sizes } from '../scripts/size.mjs';
import { checkedExample } from './support/examples.js';
import { type Packed, packedProject } from './support/packed.js';

let packed: Packed;

/** Runs Node in the project that has the package installed, and gives its exit code and what it said. */
function node(...args: string[]): { code: number | null; out: string; errors: string } {
  const ended = spawnSync(process.execPath, args, {
    cwd: packed.folder,
    encoding: 'utf8',
    timeout: 100_000,
    killSignal: 'SIGKILL',
  });
  return { code: ended.status, out: ended.stdout, errors: ended.stderr };
}

const about = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  bin: { shadergrad: string };
  exports: Record<'.' | './software' | './matrix' | './node', { types: string; default: string }>;
};

function text(file: string): string {
  return readFileSync(path.join(packed.installed, file), 'utf8');
}

beforeAll(() => {
  packed = packedProject({ types: true });
}, 180_000);

afterAll(() => packed.remove());

describe('the package as installed', () => {
  it('has a browser entry that needs neither packages nor Node', () => {
    for (const name of ['.', './software', './matrix'] as const) {
      const entry = text(about.exports[name].default);
      expect(entry).not.toMatch(/^\s*import\b/m);
      expect(entry).not.toMatch(/\bimport\(|\brequire\(|node:/);
    }
  });

  it.each([
    'shadergrad',
    'shadergrad/software',
    'shadergrad/matrix',
    'shadergrad/node',
  ])('imports %s in silence', (name) => {
    expect(node('--input-type=module', '-e', `await import('${name}')`)).toEqual({
      code: 0,
      out: '',
      errors: '',
    });
  });

  it('has one engine for both entries: an error of one is that of the other', () => {
    const code =
      "import { GpuError } from 'shadergrad'; import { openNodeDevice } from 'shadergrad/node';" +
      "await openNodeDevice({ adapter: 'none such' }).catch((error) => console.log(error instanceof GpuError, error.code));";
    expect(node('--input-type=module', '-e', code)).toMatchObject({ code: 0, out: 'true no-adapter\n' });
  });

  it('has source maps with the sources in them', () => {
    const sources = {
      '.': '/device.ts',
      './software': '/conv2dSoftware.ts',
      './matrix': '/conv2dSubgroupMatrix.ts',
      './node': '/device.ts',
    } as const;
    for (const [name, one] of Object.entries(sources)) {
      const file = about.exports[name as keyof typeof sources].default;
      expect(text(file)).toMatch(/\/\/# sourceMappingURL=\w+\.js\.map\n$/);
      const map = JSON.parse(text(`${file}.map`)) as { sources: string[]; sourcesContent: string[] };
      expect(map.sourcesContent).toHaveLength(map.sources.length);
      expect(map.sources.some((source) => source.endsWith(one))).toBe(true);
    }
  });

  it('has types that a strict project checks against', () => {
    writeFileSync(
      path.join(packed.folder, 'use.ts'),
      `import { compile, type Device, grad, GpuError, mean, openDevice, SGD, Segmenter, tensor, UNet } from 'shadergrad';
      import { openNodeDevice } from 'shadergrad/node';
      import { joinKernels, subgroupMatrixKernels } from 'shadergrad/matrix';
      import { softwareKernels } from 'shadergrad/software';
      export async function use(): Promise<number> {
        const device: Device = Math.random() < 2 ? await openNodeDevice() : await openDevice({ kernels: joinKernels(softwareKernels, subgroupMatrixKernels) });
        const net = new UNet({ depth: 2, baseChannels: 2 });
        const sgd = new SGD(net.parameters());
        const step = await compile(device, { image: [1, 3, 4, 4] }, ({ image }) => {
          const loss = mean(net.forward(image, { training: true }).mul(tensor(2)));
          sgd.update(grad(loss, net.parameters()));
          return { loss };
        });
        const { loss } = await step.run({ image: new Float32Array(48) }, { lr: 0.1, momentum: 0.9 });
        return loss.item();
      }
      // @ts-expect-error a device is no number
      export const wrong: number = openDevice();
      export { GpuError, Segmenter };
      `,
    );
    const tsc = path.resolve('node_modules/typescript/bin/tsc');
    const options = '--noEmit --strict --module nodenext --target es2022 --lib es2023,dom --types'.split(' ');
    expect(node(tsc, ...options, '@webgpu/types', 'use.ts')).toMatchObject({ code: 0, out: '' });
  });

  it('has a command that tells its version and its help', () => {
    const file = path.join('node_modules/shadergrad', about.bin.shadergrad);
    expect(text(about.bin.shadergrad)).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(node(file, '--version')).toMatchObject({ code: 0, out: expect.stringContaining(about.version) });
    const help = node(file, '--help');
    expect(help.code).toBe(0);
    for (const command of ['info', 'train', 'predict', 'demo']) expect(help.out).toContain(command);
    expect(node(file, 'tarin').code).not.toBe(0);
  });

  it('has the bench as a command, in a file of its own', () => {
    const file = path.join('node_modules/shadergrad', about.bin.shadergrad);
    const help = node(file, 'bench', '--help');
    expect(help).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: shadergrad bench [SUITE...]'),
    });
    const wrong = node(file, 'bench', 'ladder', 'conv3d');
    expect(wrong).toMatchObject({ code: 2, errors: expect.stringContaining('There is no ladder "conv3d"') });
  });

  it('holds what is used and nothing else', () => {
    expect(readdirSync(packed.installed).sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'examples',
      'package.json',
    ]);
    for (const { types } of [about.exports['.'], about.exports['./software'], about.exports['./node']])
      expect(existsSync(path.join(packed.installed, types))).toBe(true);
  });

  it('runs its examples in Node', () => {
    const { code, out, errors } = node('examples/node.js');
    expect(code, errors).toBe(0);
    checkedExample(out);
  });
});

describe('examples', () => {
  it.each([
    ['inference.js', 20],
    ['training.js', 40],
    ['kernel.js', 40],
  ])('%s has fewer than %i lines', (file, most) => {
    expect(text(`examples/${file}`).trimEnd().split('\n').length).toBeLessThan(most);
  });
});

describe('size', () => {
  it('is within the budget, kernels included, for what a page uses', async () => {
    const { inference, training, everything } = await sizes(path.join(packed.installed, 'dist'));
    expect(inference.gzipped).toBeLessThanOrEqual(aims.inference);
    expect(training.gzipped).toBeLessThanOrEqual(aims.training);
    // The bundler did drop what was not asked for.
    expect(inference.minified).toBeLessThan(0.8 * training.minified);
    expect(training.minified).toBeLessThan(everything.minified);
    expect(packed.said).toMatch(/^inference: .* KB gzipped, where 40\.0 KB is the aim$/m);
  });

  it('is nothing where nothing is used: importing has no side effects', async () => {
    const { build } = await import('esbuild');
    const { outputFiles } = await build({
      stdin: {
        contents:
          "import 'shadergrad'; import 'shadergrad/software'; import 'shadergrad/matrix'; import { grad } from 'shadergrad';",
        resolveDir: packed.folder,
      },
      bundle: true,
      format: 'esm',
      minify: true,
      write: false,
      logLevel: 'silent',
    });
    expect(outputFiles[0]?.text).toBe('');
    // And next to nothing of the module alone, where no package.json vouches for it: some computed constants.
    const alone = await build({
      stdin: { contents: text('dist/index.js').replace(/^export \{[\s\S]*?\};$/m, ''), resolveDir: '.' },
      bundle: true,
      format: 'esm',
      treeShaking: true,
      minify: true,
      write: false,
    });
    expect(alone.outputFiles[0]?.contents.length).toBeLessThan(400);
  });
});
