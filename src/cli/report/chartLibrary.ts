import { createRequire } from 'node:module';
import { readText } from '../files.js';

/** uPlot's script and style sheet, to be written into the page so that it needs nothing from outside. */
export async function chartLibrary(): Promise<{ readonly script: string; readonly style: string }> {
  const { resolve } = createRequire(import.meta.url);
  const [script, style] = await Promise.all([
    readText(resolve('uplot/dist/uPlot.iife.min.js')),
    readText(resolve('uplot/dist/uPlot.min.css')),
  ]);
  return { script, style };
}
