import process from 'node:process';
import { bytesText } from '../../engine/plan/print.js';
import { listNodeAdapters } from '../../node/device.js';
import type { InfoOptions } from '../commands/info.js';
import { commit } from '../environment.js';
import type { Io } from '../io.js';
import { VERSION } from '../version.js';
import { openCliDevice } from './device.js';

/** `shadergrad info`: the adapters there are, the one that would run, its limits and features, versions. */
export async function info(options: InfoOptions, io: Io): Promise<void> {
  const device = await openCliDevice({ ...options, tuning: false });
  try {
    const { facts } = device;
    const adapters = await listNodeAdapters();
    const versions = { shadergrad: VERSION, commit: await commit(), node: process.version };
    if (options.json) {
      io.stdout.write(`${JSON.stringify({ versions, chosen: facts, adapters })}\n`);
      return;
    }
    const matrices = (facts.subgroupMatrices ?? []).map(
      ({ component, result, m, n, k }) => `${m}x${n}x${k} ${component} to ${result}`,
    );
    const lines = [
      `shadergrad ${versions.shadergrad}${versions.commit === null ? '' : ` (${versions.commit.slice(0, 12)})`}, Node ${versions.node}`,
      'adapters:',
      ...adapters.map(
        ({ name, kind, software, origin }) =>
          `  ${name} (${kind}, ${software ? 'software' : 'GPU'}, ${origin === 'npm' ? 'from npm' : 'of the system'})`,
      ),
      `chosen: ${device.name}${facts.software ? ', software: it runs on the CPU' : ''}`,
      `features: ${facts.features.join(', ') || 'none'}`,
      `subgroup matrices: ${matrices.join(', ') || 'none'}`,
      'limits:',
      ...Object.entries(facts.limits).map(
        ([name, value]) =>
          `  ${name} ${/Size$|Bytes$/.test(name) && value >= 1024 && !/WorkgroupSize/.test(name) ? bytesText(value) : value}`,
      ),
    ];
    io.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await device.close();
  }
}
