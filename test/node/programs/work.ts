// Opens a device, gives it work, and ends in the way its first argument names.
import { openNodeDevice } from '../../../src/node.js';

const how = process.argv[2];
const device = await openNodeDevice();
const module = device.gpu.createShaderModule({
  code: `
    @group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      for (var k = 0u; k < 2000u; k++) { x[id.x] = sin(x[id.x] + 1.0); }
    }`,
});
const pipeline = await device.gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } });
const buffer = device.gpu.createBuffer({ size: 1 << 18, usage: 0x80 });
const bindGroup = device.gpu.createBindGroup({
  layout: pipeline.getBindGroupLayout(0),
  entries: [{ binding: 0, resource: { buffer } }],
});
const encoder = device.gpu.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, bindGroup);
pass.dispatchWorkgroups(1024);
pass.end();
device.gpu.queue.submit([encoder.finish()]);

if (how === 'close') await device.close();
if (how === 'wait') device.guard(new Promise(() => {}));
if (how === 'exit') process.exit(3);
if (how === 'throw') throw new Error('on purpose');
if (how === 'mistake') device.gpu.createBuffer({ size: 16, usage: 3 });
console.log('reached the end');
