// In Node: node examples/node.js
import { openNodeDevice } from 'shadergrad/node';
import { all } from './all.js';

const device = await openNodeDevice();
console.log(JSON.stringify(await all(device)));
await device.close();
