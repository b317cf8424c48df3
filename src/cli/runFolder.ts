/** A run's folder: what lies where, and the rules that keep an earlier run from harm. */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  appendLine,
  atomicWrite,
  type Content,
  ensureFolder,
  exists,
  fileError,
  isLeftover,
  readBytes,
  readText,
  removeLeftovers,
} from './files.js';
import type { MetricRecord, RunConfig, RunSummary } from './records.js';

/** Paths within a run's folder. */
export interface RunPaths {
  readonly root: string;
  readonly config: string;
  readonly split: string;
  readonly metrics: string;
  /** Weights after the last and after the best epoch. */
  readonly last: string;
  readonly best: string;
  /** Weights, optimiser and progress, to go on with. */
  readonly resume: string;
  readonly summary: string;
  readonly overlays: string;
  /** The evaluation's picture: scans, truths, predictions. */
  readonly evaluation: string;
  readonly report: string;
}

/** A picture in overlays/. */
export interface Overlay {
  /** File name, such as `TCGA_CS_4941_12.png`. */
  readonly name: string;
  readonly caption: string;
  readonly png: Uint8Array;
}

type OverlayIndex = readonly Pick<Overlay, 'name' | 'caption'>[];
const INDEX = 'index.json';

/** A run could not be begun, opened or read: one sentence. */
export class RunError extends Error {
  override readonly name = 'RunError';
}

/** Where a run's files lie. */
export function runPaths(root: string): RunPaths {
  return {
    root,
    config: join(root, 'config.json'),
    split: join(root, 'split.json'),
    metrics: join(root, 'metrics.jsonl'),
    last: join(root, 'last.safetensors'),
    best: join(root, 'best.safetensors'),
    resume: join(root, 'resume.safetensors'),
    summary: join(root, 'summary.json'),
    overlays: join(root, 'overlays'),
    evaluation: join(root, 'evaluation.png'),
    report: join(root, 'report.html'),
  };
}

/** `runs/2026-03-09-140507`, by local time: the folder of a run that was given none. */
export function defaultRoot(now: Date = new Date()): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return join('runs', `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`);
}

/**
 * Whether a run may begin in `root`: it is not there, empty, or holds what a run left that was killed while it began.
 * @param force an earlier run and other files are no hindrance
 * @throws RunError when the folder holds a run or other files
 */
export async function checkFree(root: string, force = false): Promise<void> {
  if (force || !(await exists(root))) return;
  const paths = runPaths(root);
  const names = await listFolder(root);
  const ours = (name: string) =>
    name === basename(paths.resume) || name === basename(paths.split) || isLeftover(name);
  if (names.every(ours)) return;
  if (names.includes(basename(paths.config)) || names.includes(basename(paths.resume))) {
    throw new RunError(
      `${root} already holds a run: go on with it by shadergrad train --resume ${root}, replace it by --force, or give another --out.`,
    );
  }
  throw new RunError(
    `${root} already holds other files (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''}): give a new folder by --out, or --force to write among them.`,
  );
}

/**
 * Begins a run in a folder that is free; with `force` what an earlier run left there is removed first, and other files stay.
 * @throws RunError as `checkFree`, FileError when the folder cannot be made
 */
export async function createRun(root: string, force = false): Promise<RunFolder> {
  await checkFree(root, force);
  const paths = runPaths(root);
  await ensureFolder(root);
  await removeRun(paths);
  return new RunFolder(paths);
}

/** Opens a run that was begun before. @throws RunError when the folder holds none */
export async function openRun(root: string): Promise<RunFolder> {
  const paths = runPaths(root);
  if (!(await exists(root))) throw new RunError(`There is no run folder ${root}; check the path.`);
  if (!(await exists(paths.config))) {
    throw new RunError(`${root} is no run folder: it has no config.json; give a folder that train wrote.`);
  }
  await removeLeftovers(root).catch(() => 0);
  return new RunFolder(paths);
}

/** Reads and writes a run's files, each whole or not at all. */
export class RunFolder {
  constructor(readonly paths: RunPaths) {}

  writeConfig(config: RunConfig): Promise<number> {
    return atomicWrite(this.paths.config, json(config));
  }

  /** @throws RunError when it is cut short or of another version */
  async readConfig(): Promise<RunConfig> {
    const config = await readJson<RunConfig>(this.paths.config);
    if (config.format !== 'shadergrad-run' || config.version !== 1) {
      throw new RunError(
        `${this.paths.config} is not of a run that this version reads (format ${String(config.format)}, version ${String(config.version)}).`,
      );
    }
    return config;
  }

  /** @param text as `writeSplit` of src/data makes it */
  writeSplit(text: string): Promise<number> {
    return atomicWrite(this.paths.split, text);
  }

  readSplit(): Promise<string> {
    return readText(this.paths.split);
  }

  /** Adds a line to metrics.jsonl. */
  appendMetric(record: MetricRecord): Promise<void> {
    return appendLine(this.paths.metrics, JSON.stringify(record));
  }

  /** All lines of metrics.jsonl; a last line that was cut off by a crash is left out. @throws RunError on another bad line */
  async readMetrics(): Promise<MetricRecord[]> {
    if (!(await exists(this.paths.metrics))) return [];
    const lines = (await readText(this.paths.metrics)).split('\n');
    const records: MetricRecord[] = [];
    for (const [index, line] of lines.entries()) {
      if (line === '') continue;
      try {
        records.push(JSON.parse(line) as MetricRecord);
      } catch {
        if (index === lines.length - 1) break;
        throw new RunError(`${this.paths.metrics} is damaged at line ${index + 1}: it is not JSON.`);
      }
    }
    return records;
  }

  /**
   * Takes back what was written after the checkpoint a run goes on from: lines of later steps, and an epoch's line
   * when that epoch is to be validated again. @param epochs complete epochs of the checkpoint
   */
  async truncateMetrics(step: number, epochs: number): Promise<void> {
    const records = await this.readMetrics();
    const kept = records.filter(
      (record) => record.step <= step && (record.kind === 'step' || record.epoch <= epochs),
    );
    await atomicWrite(this.paths.metrics, kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }

  writeSummary(summary: RunSummary): Promise<number> {
    return atomicWrite(this.paths.summary, json(summary));
  }

  /** Null where the run has not come to it. @throws RunError when it is cut short */
  async readSummary(): Promise<RunSummary | null> {
    return (await exists(this.paths.summary)) ? readJson<RunSummary>(this.paths.summary) : null;
  }

  /** Whether all that follows a training is there: the report is written last. */
  async measured(): Promise<boolean> {
    return (await exists(this.paths.summary)) && (await exists(this.paths.report));
  }

  /** Replaces the pictures of an earlier evaluation in overlays/; index.json beside them keeps names, order and captions. */
  async writeOverlays(overlays: readonly Overlay[]): Promise<void> {
    for (const { name } of overlays) {
      if (basename(name) !== name || !name.endsWith('.png'))
        throw new RunError(`"${name}" cannot be the name of an overlay.`);
    }
    await clearOverlays(this.paths);
    const index: OverlayIndex = overlays.map(({ name, caption }) => ({ name, caption }));
    // Before the pictures: what it does not name is another's, and is never removed.
    await atomicWrite(join(this.paths.overlays, INDEX), json(index));
    for (const { name, png } of overlays) await atomicWrite(join(this.paths.overlays, name), png);
  }

  /** The pictures in overlays/, at most `limit`; those that were removed since are left out. */
  async readOverlays(limit = Number.POSITIVE_INFINITY): Promise<Overlay[]> {
    const index = join(this.paths.overlays, INDEX);
    if (!(await exists(index))) return [];
    const overlays: Overlay[] = [];
    for (const { name, caption } of await readIndex(index)) {
      const path = join(this.paths.overlays, basename(name));
      if (overlays.length < limit && (await exists(path)))
        overlays.push({ name, caption, png: await readBytes(path) });
    }
    return overlays;
  }

  /** Writes a checkpoint, the evaluation's picture or the report. @param which names its path */
  write(which: 'last' | 'best' | 'resume' | 'evaluation' | 'report', content: Content): Promise<number> {
    return atomicWrite(this.paths[which], content);
  }
}

async function removeRun(paths: RunPaths): Promise<void> {
  await clearOverlays(paths);
  const { root, overlays, ...files } = paths;
  // config.json last, so that a kill midway leaves what is still known as a run.
  for (const path of [...Object.values(files).filter((each) => each !== paths.config), paths.config])
    await remove(path);
  await removeLeftovers(root);
}

async function clearOverlays({ overlays }: RunPaths): Promise<void> {
  const index = join(overlays, INDEX);
  if (!(await exists(index))) return;
  for (const { name } of await readIndex(index)) await remove(join(overlays, basename(name)));
  await remove(index);
}

/** @throws RunError where the file is another program's */
async function readIndex(path: string): Promise<OverlayIndex> {
  const value = await readJson<unknown>(path);
  const named = (each: unknown) => typeof each === 'object' && each !== null && 'name' in each;
  if (Array.isArray(value) && value.every((each) => named(each) && typeof each.name === 'string'))
    return value as OverlayIndex;
  throw new RunError(`${path} is no list of overlays; move it away, or write to another folder.`);
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw fileError(error, 'remove', path);
  }
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw fileError(error, 'list', path);
  }
}

async function readJson<T>(path: string): Promise<T> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RunError(`${path} is damaged: it is not JSON.`);
  }
  if (typeof value !== 'object' || value === null)
    throw new RunError(`${path} is damaged: it holds no object.`);
  return value as T;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
