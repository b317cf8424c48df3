"""Weights between PyTorch and src/unet, as safetensors files read and written with nothing but struct and json.

    python3 test/golden/exchange.py --write
        exchange.safetensors, a U-Net's weights as PyTorch has them, and exchange-slice.safetensors, an 8-bit slice with
        the probabilities that PyTorch gives it
    python3 test/golden/exchange.py --predict WEIGHTS SLICE OUT
        loads WEIGHTS, written by the command, into PyTorch, and writes the probabilities of SLICE (tensor "image",
        [height, width, 3] bytes) to OUT as raw float32
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch

from unet import UNet, fill, sample

HERE = Path(__file__).parent
TYPES = {"F32": "<f4", "F16": "<f2", "U8": "u1"}


def read(path):
    raw = Path(path).read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    data = raw[8 + size :]
    return metadata, {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], TYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def write(path, metadata, tensors):
    names = {np.dtype("<f4"): "F32", np.dtype("u1"): "U8"}
    header, chunks, at = {"__metadata__": metadata}, [], 0
    # Four-byte elements first, so that each tensor is aligned.
    for name, array in sorted(tensors.items(), key=lambda item: -item[1].itemsize):
        chunk = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": names[array.dtype], "shape": array.shape, "data_offsets": [at, at + len(chunk)]}
        chunks.append(chunk)
        at += len(chunk)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def prepared(image):
    """What training does to a slice: 0..1, then min-max over all channels; [1, 3, height, width]."""
    x = image.astype(np.float64) / 255
    x = (x - x.min()) / (x.max() - x.min() + 1e-5)
    return torch.from_numpy(x.transpose(2, 0, 1)[None].copy())


def probabilities(model, image):
    with torch.no_grad():
        return model.double().eval()(prepared(image))[0, 0].numpy()


def write_fixture():
    model = UNet(channels=3, outputs=1, depth=3, base=4)
    fill(model, 3000, 6)
    size = 32
    noisy, _ = next(pair for pair in (sample(700000 + i, size) for i in range(9)) if pair[1].any())
    # Not square, so that height and width cannot be taken for each other.
    image = np.round(255 * noisy.transpose(1, 2, 0)[:24]).astype(np.uint8)
    with torch.no_grad():
        # Half of the slice above one half.
        model.last.bias -= model.double().logits(prepared(image)).median()
    model.float()
    write(HERE / "exchange.safetensors", {"format": "pt"}, {k: v.numpy() for k, v in model.state_dict().items()})
    p = probabilities(model, image).astype("<f4")
    write(HERE / "exchange-slice.safetensors", {}, {"image": image, "probabilities": p})


def predict(weights, slice_path, out):
    metadata, tensors = read(weights)
    config = json.loads(metadata["model"])
    model = UNet(config["inChannels"], config["outChannels"], config["depth"], config["baseChannels"])
    model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in tensors.items()}, strict=True)
    image = read(slice_path)[1]["image"]
    Path(out).write_bytes(probabilities(model, image).astype("<f4").tobytes())


if sys.argv[1] == "--write":
    write_fixture()
else:
    predict(*sys.argv[2:])
