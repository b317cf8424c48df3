import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Packed {
  /** A project of its own that has the package in node_modules, as packed, and the examples beside. */
  readonly folder: string;
  /** The package there. */
  readonly installed: string;
  /** What the build said. */
  readonly said: string;
  remove(): void;
}

const root = process.cwd();

/**
 * Builds and packs the package and puts it into an otherwise empty project. What it depends on is linked from here, not
 * downloaded. `types`: with declarations, which takes longer.
 */
export function packedProject(options: { readonly types?: boolean } = {}): Packed {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shadergrad-packed-'));
  const stage = path.join(folder, 'stage');
  mkdirSync(stage);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'examples'])
    cpSync(path.join(root, name), path.join(stage, name), { recursive: true });
  const build = ['scripts/build.mjs', '--out', path.join(stage, 'dist')];
  if (!options.types) build.push('--bundles-only');
  const said = execFileSync(process.execPath, build, { encoding: 'utf8' });

  const npm = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const file = execFileSync('npm', npm, { cwd: stage, encoding: 'utf8' }).trim();
  const modules = path.join(folder, 'node_modules');
  const installed = path.join(modules, 'shadergrad');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(folder, file), '-C', installed, '--strip-components=1']);
  rmSync(stage, { recursive: true });

  const about = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(about.dependencies)) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
  cpSync(path.join(root, 'examples'), path.join(folder, 'examples'), { recursive: true });
  return { folder, installed, said, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
