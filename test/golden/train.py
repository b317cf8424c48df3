"""Writes training.json: 30 steps of a small U-Net, and one pass of the full one, as PyTorch computes them.

    python3 test/golden/train.py
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from unet import UNet, batch, fill

HERE = Path(__file__).parent
SMALL = {"channels": 3, "outputs": 1, "depth": 3, "base": 8}
FULL = {"channels": 3, "outputs": 1, "depth": 5, "base": 64}
RUN = {"size": 32, "batch": 4, "steps": 30, "weightSeed": 1000, "gain": 1, "dataSeed": 500000}
PASS = {"size": 256, "weightSeed": 2000, "gain": 6, "dataSeed": 600000}


def dice_loss(p, t):
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


def train(dtype):
    model = UNet(**SMALL).to(dtype)
    fill(model, RUN["weightSeed"], RUN["gain"])
    # The optimiser's own rate and momentum never take effect: the schedule sets both from the first step on.
    sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        sgd, max_lr=0.1, total_steps=RUN["steps"], pct_start=0.3, base_momentum=0.85, max_momentum=0.95
    )
    steps = []
    for step in range(RUN["steps"]):
        image, mask = (x.to(dtype) for x in batch(RUN["dataSeed"] + step * RUN["batch"], RUN["batch"], RUN["size"]))
        p = model(image)
        bce, dice = F.binary_cross_entropy(p, mask), dice_loss(p, mask)
        loss = 0.7 * bce + 0.3 * dice
        sgd.zero_grad()
        loss.backward()
        group = sgd.param_groups[0]
        steps.append(
            {
                "lr": group["lr"],
                "momentum": group["momentum"],
                "loss": loss.item(),
                "bce": bce.item(),
                "dice": dice.item(),
            }
        )
        sgd.step()
        if step + 1 < RUN["steps"]:
            schedule.step()
    weights = [
        {"name": name, "shape": list(p.shape), "sum": p.double().sum().item(), "norm": p.double().norm().item()}
        for name, p in model.named_parameters()
    ]
    return {"steps": steps, "weights": weights}


def forward(dtype):
    model = UNet(**FULL).to(dtype)
    fill(model, PASS["weightSeed"], PASS["gain"])
    image, _ = batch(PASS["dataSeed"], 1, PASS["size"])
    with torch.no_grad():
        logits = model.logits(image.to(dtype)).double()
        p = torch.sigmoid(logits)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "mean": p.mean().item(),
        "min": p.min().item(),
        "max": p.max().item(),
        "logitMean": logits.mean().item(),
        "logitDeviation": logits.std().item(),
        # Every eighth pixel of every eighth row, from pixel 4 on.
        "probabilities": [float(f"{v:.12g}") for v in p[0, 0, 4::8, 4::8].reshape(-1).tolist()],
    }


def main():
    torch.set_num_threads(2)
    single, double = train(torch.float32), train(torch.float64)
    apart = max(abs(a["loss"] / b["loss"] - 1) for a, b in zip(single["steps"], double["steps"]))
    full, full32 = forward(torch.float64), forward(torch.float32)
    error = np.linalg.norm(np.subtract(full32["probabilities"], full["probabilities"])) / np.linalg.norm(full["probabilities"])
    del full32
    result = {
        "torch": torch.__version__,
        "small": SMALL,
        "run": RUN,
        "float32": single,
        "float64": double,
        "full": FULL,
        "pass": PASS,
        "fullForward": {**full, "float32Error": float(f"{error:.3g}")},
    }
    (HERE / "training.json").write_text(json.dumps(result) + "\n")
    print(f"losses {double['steps'][0]['loss']:.6f} to {double['steps'][-1]['loss']:.6f}; float32 is {apart:.1e} away")
    print({k: v for k, v in full.items() if k != "probabilities"}, f"float32 is {error:.1e} away")


if __name__ == "__main__":
    main()
