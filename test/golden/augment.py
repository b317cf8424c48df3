"""Writes augment.json: slices resized, cropped or padded, rotated and flipped by PyTorch.

Resize is torch.nn.functional.interpolate; rotation is affine_grid and grid_sample in the way torchvision's rotate calls
them. Run with the system's Python, where PyTorch is: python3 test/golden/augment.py
"""

import json
import math
import pathlib

import torch
from torch.nn.functional import grid_sample, interpolate

torch.set_default_dtype(torch.float64)


def byte(i):
    return (i * 73 + i * i * 5 + (i // 7) * 31) % 256


def rotate(image, degrees):
    height, width = image.shape[-2:]
    angle = math.radians(degrees)
    theta = torch.tensor([[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0]])
    base = torch.empty(1, height, width, 3)
    base[..., 0] = torch.linspace(-width * 0.5 + 0.5, width * 0.5 - 0.5, steps=width)
    base[..., 1] = torch.linspace(-height * 0.5 + 0.5, height * 0.5 - 0.5, steps=height).unsqueeze(-1)
    base[..., 2] = 1
    rescaled = theta.T / torch.tensor([0.5 * width, 0.5 * height])
    grid = base.view(1, height * width, 3).matmul(rescaled).view(1, height, width, 2)
    # No source may lie where rounding decides between two pixels, or the case would test nothing but luck.
    for axis, size in ((0, width), (1, height)):
        at = ((grid[..., axis] + 1) * size - 1) / 2
        assert degrees % 90 == 0 or ((at - at.floor() - 0.5).abs() > 1e-4).all(), degrees
    return grid_sample(image, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def place(image, frame):
    """Crop as the reference does, or pad with zeros, along both axes."""
    for axis, size in ((2, frame[0]), (3, frame[1])):
        d = image.shape[axis] - size
        if d > 0:
            image = image.narrow(axis, math.ceil(d / 2) - 1, size)
        else:
            before, after = -d // 2, -d - -d // 2
            widths = [before, after] if axis == 3 else [0, 0, before, after]
            image = torch.nn.functional.pad(image, widths)
    return image


def case(height, width, frame, scale, angle, flip):
    channels = 3
    count = height * width * channels
    data = torch.tensor([byte(i) for i in range(count)], dtype=torch.float64)
    image = data.view(height, width, channels).permute(2, 0, 1).unsqueeze(0) / 255
    image = (image - image.min()) / (image.max() - image.min() + 1e-5)
    resized = [math.floor(frame[0] * scale), math.floor(frame[1] * scale)]
    image = interpolate(image, size=resized, mode="bilinear", align_corners=False)
    image = rotate(place(image, frame), angle)
    if flip:
        image = image.flip(-1)
    return {
        "height": height,
        "width": width,
        "frame": frame,
        "scale": scale,
        "angle": angle,
        "flip": flip,
        "values": [float(f"{v:.9g}") for v in image.flatten().tolist()],
    }


cases = [
    case(16, 16, [16, 16], 1.0, 0.0, False),
    case(16, 16, [16, 16], 1.0, 0.0, True),
    case(16, 16, [16, 16], 1.0, 90.0, False),
    case(16, 16, [16, 16], 0.95, 7.3, False),
    case(16, 16, [16, 16], 1.21, -13.7, True),
    case(16, 16, [16, 16], 1.07, 15.1, False),
    case(24, 20, [16, 12], 1.0, 0.0, False),
    case(9, 13, [15, 11], 1.13, -41.3, True),
    case(7, 7, [12, 17], 0.8, 123.7, False),
    case(1, 5, [6, 6], 1.3, 11.1, False),
]
path = pathlib.Path(__file__).with_name("augment.json")
path.write_text(json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":")) + "\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
