"""Writes ops.json and ops.bin: what PyTorch makes of the op cases of test/ops/cases.ts, values and gradients.

Run from anywhere, with Node's packages installed and PyTorch (CPU) in this Python:

    python3 test/golden/make.py

ops.json repeats each case and says where its float64 numbers lie in ops.bin (little-endian float64, by element), and
how far PyTorch's own float32 is from them, by norm of the difference over norm.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from generator import KINDS, uniform

HERE = Path(__file__).parent

UNARY = {
    "neg": torch.neg,
    "abs": torch.abs,
    "sign": torch.sign,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "softplus": lambda x: F.softplus(x, threshold=200),
    "silu": F.silu,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
}

WITH_PARAMETERS = {
    "leakyRelu": lambda x, a: F.leaky_relu(x, a),
    "clamp": lambda x, a, b: torch.clamp(x, a, b),
    "powScalar": lambda x, a: torch.pow(x, a),
    "addScalar": lambda x, a: x + a,
    "mulScalar": lambda x, a: x * a,
}

BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "pow": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}

COMPARISONS = {name: getattr(torch, name) for name in ("gt", "ge", "lt", "le", "eq", "ne")}


def unary(xs, fn, a=None, b=None):
    if fn in UNARY:
        return UNARY[fn](xs[0])
    return WITH_PARAMETERS[fn](xs[0], *[v for v in (a, b) if v is not None])


def binary(xs, fn):
    return COMPARISONS[fn](*xs).to(xs[0].dtype) if fn in COMPARISONS else BINARY[fn](*xs)


def bias(xs):
    return xs[2] if len(xs) > 2 else None


def conv2d(xs, **options):
    return F.conv2d(xs[0], xs[1], bias(xs), **options)


def conv_transpose2d(xs, outputPadding=0, **options):
    return F.conv_transpose2d(xs[0], xs[1], bias(xs), output_padding=outputPadding, **options)


def max_pool2d(xs, kernelSize, stride=None, ceilMode=False, **options):
    return F.max_pool2d(xs[0], kernelSize, stride, ceil_mode=ceilMode, **options)


def reduction(function):
    def run(xs, axes=None, keepdim=False):
        return function(xs[0], list(range(xs[0].dim())) if axes is None else axes, keepdim)

    return run


def slice_axis(xs, axis, start, end, step=1):
    index = [slice(None)] * xs[0].dim()
    index[axis] = slice(start, end, step)
    return xs[0][tuple(index)]


def dice_loss(xs, smooth=1):
    p, t = xs
    return 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)


def batch_norm(xs, training, eps=1e-5):
    mean, variance = (xs[3], xs[4]) if len(xs) > 3 else (None, None)
    return F.batch_norm(xs[0], mean, variance, xs[1], xs[2], training=training, eps=eps)


OPS = {
    "unary": unary,
    "binary": binary,
    "conv2d": conv2d,
    "convTranspose2d": conv_transpose2d,
    "maxPool2d": max_pool2d,
    "sum": reduction(torch.sum),
    "mean": reduction(torch.mean),
    "amax": reduction(torch.amax),
    "reshape": lambda xs, shape: xs[0].reshape(shape),
    "slice": slice_axis,
    "pad": lambda xs, widths, value=0: F.pad(xs[0], widths, value=value),
    "permute": lambda xs, axes: xs[0].permute(axes),
    "expand": lambda xs, shape: xs[0].expand(shape),
    "cat": lambda xs, axis: torch.cat(xs, axis),
    "binaryCrossEntropy": lambda xs, reduction="mean": F.binary_cross_entropy(*xs, reduction=reduction),
    "binaryCrossEntropyWithLogits": lambda xs, reduction="mean": F.binary_cross_entropy_with_logits(
        *xs, reduction=reduction
    ),
    "diceLoss": dice_loss,
    "batchNorm": batch_norm,
}


def inputs(case, dtype):
    out = []
    for i, spec in enumerate(case["inputs"]):
        count = int(np.prod(spec["shape"], dtype=np.int64))
        values = KINDS[spec["kind"]](case["seed"] + i, count, spec["low"], spec["high"])
        x = torch.from_numpy(values.reshape(spec["shape"])).to(dtype)
        out.append(x.requires_grad_(spec["gradient"]))
    return out


def run(case, dtype):
    """The value, and the gradient for each input; None for one that gets none."""
    xs = inputs(case, dtype)
    y = OPS[case["op"]](xs, **case["options"])
    weights = uniform(case["seed"] + 100, y.numel(), -1, 1).reshape(y.shape)
    if y.requires_grad:
        y.backward(torch.from_numpy(weights).to(dtype))
    return [y.detach(), *[x.grad if x.requires_grad else None for x in xs]]


def distance(actual, expected):
    difference, norm = np.linalg.norm(actual - expected), np.linalg.norm(expected)
    return float(difference / norm if norm > 0 else difference)


def main():
    table = json.loads(subprocess.run(["node", HERE / "cases.mjs"], check=True, capture_output=True).stdout)
    blobs, offset, entries = [], 0, []
    for case in table:
        arrays = []
        for value, single in zip(run(case, torch.float64), run(case, torch.float32)):
            if value is None:
                arrays.append(None)
                continue
            flat = value.numpy().astype("<f8").reshape(-1)
            if not np.isfinite(flat).all():
                raise ValueError(f"{case['name']}: PyTorch gives values that are not finite")
            error = distance(single.numpy().astype(np.float64).reshape(-1), flat)
            arrays.append({"shape": list(value.shape), "offset": offset, "float32Error": float(f"{error:.2e}")})
            blobs.append(flat.tobytes())
            offset += flat.size
        entries.append({"case": case, "value": arrays[0], "gradients": arrays[1:]})
    (HERE / "ops.bin").write_bytes(b"".join(blobs))
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    (HERE / "ops.json").write_text(f'{{"torch": "{torch.__version__}", "entries": [\n{lines}\n]}}\n')
    print(f"{len(entries)} cases, {offset * 8} bytes of values")


if __name__ == "__main__":
    main()
