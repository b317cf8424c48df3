import type { Plugin } from 'esbuild';
import type { Plugin as VitePlugin } from 'vitest/config';

export function stripWgsl(code: string): string;
export function wgslForEsbuild(options?: { strip?: boolean }): Plugin;
export function wgslForVite(): VitePlugin;
