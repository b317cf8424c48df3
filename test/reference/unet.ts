import type { Node, Tape } from './tape.js';

/** A parameter by its PyTorch name, such as `down_path.0.conv_block.conv_block.3.weight`. */
export type Parameters = (name: string) => Node;

function block(tape: Tape, x: Node, at: string, parameters: Parameters): Node {
  let out = x;
  for (const i of [0, 3]) {
    const name = `${at}.conv_block.conv_block.${i}`;
    const weights = [parameters(`${name}.weight`), parameters(`${name}.bias`)];
    out = tape.call('conv2d', [out, ...weights], { padding: 1 });
    out = tape.call('unary', [out], { fn: 'relu' });
  }
  return out;
}

/** The U-Net's probabilities for x [N, C, H, W], without dropout. */
export function unet(tape: Tape, x: Node, depth: number, parameters: Parameters): Node {
  const skips: Node[] = [];
  let out = x;
  for (let i = 0; i < depth; i++) {
    out = block(tape, out, `down_path.${i}`, parameters);
    if (i === depth - 1) break;
    skips.push(out);
    out = tape.call('maxPool2d', [out], { kernelSize: 2 });
  }
  for (let i = 0; i < depth - 1; i++) {
    const weights = [parameters(`up_path.${i}.up.weight`), parameters(`up_path.${i}.up.bias`)];
    const up = tape.call('convTranspose2d', [out, ...weights], { stride: 2 });
    out = tape.call('cat', [up, skips.pop() as Node], { axis: 1 });
    out = block(tape, out, `up_path.${i}`, parameters);
  }
  const logits = tape.call('conv2d', [out, parameters('last.weight'), parameters('last.bias')], {});
  return tape.call('unary', [logits], { fn: 'sigmoid' });
}
