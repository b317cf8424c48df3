import type { Server } from 'node:http';

export function buildWeb(folder?: string): Promise<void>;
export function serveFolder(
  folder: string,
  port?: number,
): Promise<{ readonly server: Server; readonly url: string }>;
