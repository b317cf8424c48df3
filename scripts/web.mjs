// Builds the page into dist-web/ and serves it on this machine: node scripts/web.mjs [--port 8080] [--build-only]
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { wgslForEsbuild } from './wgsl.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Builds the page. @param {string} folder where to; what is in it goes */
export async function buildWeb(folder = path.join(root, 'dist-web')) {
  const { build } = await import('esbuild');
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, 'models'), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: {
      main: 'web/main.ts',
      'segment-worker': 'web/segment/worker.ts',
      'train-worker': 'web/train/worker.ts',
      'kernels-worker': 'web/kernels/worker.ts',
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    sourcemap: true,
    define: { SHADERGRAD_VERSION: JSON.stringify(version) },
    // Comments stay in kernels: the page shows their source.
    plugins: [wgslForEsbuild()],
    logLevel: 'warning',
  });
  await cp(path.join(root, 'web/index.html'), path.join(folder, 'index.html'));
  await writeFile(path.join(folder, 'models/models.json'), JSON.stringify(await models(folder)));
}

/** The models that are there, with what the page must know of their files. */
async function models(folder) {
  const from = path.join(root, 'web/models');
  const there = await readdir(from);
  const listed = JSON.parse(await readFile(path.join(from, 'models.json'), 'utf8'));
  const found = [];
  for (const { file, name } of listed) {
    if (!there.includes(file)) continue;
    const bytes = await readFile(path.join(from, file));
    await writeFile(path.join(folder, 'models', file), bytes);
    const version = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
    found.push({ file, name, bytes: bytes.length, version });
  }
  return found;
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
};

/** Serves a folder's files on 127.0.0.1. @returns the server, listening, and the page's address */
export async function serveFolder(folder, port = 0) {
  const base = path.resolve(folder);
  const server = createServer(async (request, response) => {
    const answer = (status, body = '', headers = {}) => {
      response.writeHead(status, { 'cache-control': 'no-cache', ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405);
    let file;
    try {
      const { pathname } = new URL(request.url, 'http://localhost');
      file = path.join(base, decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    } catch {
      return answer(400);
    }
    if (!file.startsWith(base + path.sep)) return answer(404, 'Not found');
    try {
      if (!(await stat(file)).isFile()) return answer(404, 'Not found');
      const body = await readFile(file);
      answer(200, body, {
        'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
        'content-length': body.length,
      });
    } catch {
      answer(404, 'Not found');
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${server.address().port}/` };
}

async function main() {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '8080' }, 'build-only': { type: 'boolean', default: false } },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`--port must be a whole number from 0 to 65535, not "${values.port}".`);
  await buildWeb();
  if (values['build-only']) {
    console.log('The page is in dist-web/.');
    return;
  }
  try {
    const { url } = await serveFolder(path.join(root, 'dist-web'), port);
    console.log(`The page is at ${url} (Ctrl-C ends).`);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is taken; choose another: npm run web -- --port 8081`);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await main();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
