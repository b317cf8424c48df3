import { bench } from './node/cli.js';

process.exitCode = await bench(process.argv.slice(2), 'npm run bench --');
// Peers keep timers and devices that nothing here can close.
process.exit();
