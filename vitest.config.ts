import { defineConfig } from 'vitest/config';
import { wgslForVite } from './scripts/wgsl.mjs';

export default defineConfig({
  plugins: [wgslForVite()],
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000, pool: 'forks', maxWorkers: 2 },
});
