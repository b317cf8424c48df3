import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user's folder for what this program can make again. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'shadergrad');
}
