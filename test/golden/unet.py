"""The U-Net, its weights and its batches for the golden runs, all from the generator; twin of test/golden/unet.ts."""

import numpy as np
import torch
from torch import nn

from generator import bits, uniform, unit


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.Dropout(0.0),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.ReLU(),
        )

    def forward(self, x):
        return self.conv_block(x)


class Down(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv_block = ConvBlock(inputs, outputs)

    def forward(self, x):
        return self.conv_block(x)


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.conv_block = ConvBlock(inputs, outputs)

    def forward(self, x, skip):
        return self.conv_block(torch.cat([self.up(x), skip], 1))


class UNet(nn.Module):
    def __init__(self, channels, outputs, depth, base):
        super().__init__()
        levels = [base * 2**i for i in range(depth)]
        self.down_path = nn.ModuleList(Down(i, o) for i, o in zip([channels, *levels], levels))
        self.up_path = nn.ModuleList(Up(i, o) for i, o in zip(levels[:0:-1], levels[-2::-1]))
        self.last = nn.Conv2d(base, outputs, 1)

    def logits(self, x):
        skips = []
        for i, down in enumerate(self.down_path):
            x = down(x)
            if i + 1 < len(self.down_path):
                skips.append(x)
                x = nn.functional.max_pool2d(x, 2)
        for up in self.up_path:
            x = up(x, skips.pop())
        return self.last(x)

    def forward(self, x):
        return torch.sigmoid(self.logits(x))


def fill(model, seed, gain):
    """Parameter i of the state dict from sequence seed + i: between +-sqrt(gain / fan_in), biases +-sqrt(1 / fan_in)."""
    fan_in = 1
    with torch.no_grad():
        for i, (name, p) in enumerate(model.named_parameters()):
            if name.endswith("weight"):
                fan_in = p.shape[1] * p.shape[2] * p.shape[3]
            bound = np.sqrt((gain if name.endswith("weight") else 1) / fan_in)
            values = uniform(seed + i, p.numel(), -bound, bound).reshape(p.shape)
            p.copy_(torch.from_numpy(values))


def sample(seed, size):
    """Three channels of noise with, three times in four, a bright ellipse, and the ellipse as the mask."""
    places = unit(seed, np.arange(4))
    centre_x, centre_y = size * (0.25 + 0.5 * places[0]), size * (0.25 + 0.5 * places[1])
    radius_x, radius_y = size * (0.1 + 0.15 * places[2]), size * (0.1 + 0.15 * places[3])
    lesion = int(bits(seed, [4])[0]) % 4 != 0
    dx = (np.arange(size)[None, :] - centre_x) / radius_x
    dy = (np.arange(size)[:, None] - centre_y) / radius_y
    inside = (dx * dx + dy * dy < 1) & lesion
    noise = unit(seed, 5 + np.arange(3 * size * size)).reshape(3, size, size)
    brightness = np.array([0.1, 0.3, 0.2])[:, None, None]
    image = 0.2 + 0.3 * noise + np.where(inside, brightness, 0)
    return image.astype(np.float32).astype(np.float64), inside.astype(np.float64)[None]


def batch(seed, count, size):
    pairs = [sample(seed + i, size) for i in range(count)]
    return (torch.from_numpy(np.stack(part)) for part in zip(*pairs))
