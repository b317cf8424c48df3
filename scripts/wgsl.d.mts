import type { Plugin } from 'esbuild';
import type { Plugin as VitePlugin } from 'vitest/config';
import type { ModuleNames } from './minifyWgsl.mjs';

export function allShaders(): Promise<{
  files: readonly string[];
  codes: readonly string[];
  names: ModuleNames;
}>;
export function wgslForEsbuild(options?: { minify?: boolean }): Plugin;
export function wgslForVite(): VitePlugin;
