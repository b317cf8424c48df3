import type { Plugin } from 'esbuild';
import type { Plugin as VitePlugin } from 'vitest/config';

export function wgslForEsbuild(options?: { minify?: boolean }): Plugin;
export function wgslForVite(): VitePlugin;
