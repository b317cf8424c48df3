"""The bench's training step and inference in PyTorch, on the same card: for the row of a GPU that no WebGPU peer fills.

    python3 bench/peers/pytorch.py [--cases small,full] [--device cuda|cpu] [--runs 20] [--json FILE]

The net, batch, loss and optimiser are those of bench/peers/net.ts. f32 is timed with TF32 off, as the kernels here compute;
beside it, on a GPU, channels_last and mixed precision (autocast with a GradScaler). Everyone uploads the batch and reads the
loss back in every run, as in the bench.
"""

import argparse
import json
import time
from contextlib import nullcontext
from statistics import median

import torch
import torch.nn.functional as F
from torch import nn

CASES = {"tiny": (32, 3, 4, 2, 0.0), "small": (128, 4, 16, 4, 0.6), "full": (256, 5, 64, 4, 0.6)}


class Block(nn.Module):
    def __init__(self, inputs, outputs, dropout):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.dropout = dropout

    def forward(self, x):
        x = F.dropout(F.relu(self.conv1(x)), self.dropout, self.training)
        return F.relu(self.conv2(x))


class UNet(nn.Module):
    def __init__(self, depth, base, dropout):
        super().__init__()
        levels = [base * 2**level for level in range(depth)]
        self.down = nn.ModuleList(Block(i, o, dropout) for i, o in zip([3, *levels], levels))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * o, o, 2, stride=2) for o in levels[-2::-1])
        self.join = nn.ModuleList(Block(2 * o, o, dropout) for o in levels[-2::-1])
        self.last = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for up, block in zip(self.up, self.join):
            x = block(torch.cat([up(x), skips.pop()], 1))
        # Probabilities and losses in f32 under autocast too: cross-entropy on f16 probabilities is refused.
        return torch.sigmoid(self.last(x).float())


def training(model, image, mask, device, mixed):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scaler = torch.cuda.amp.GradScaler(enabled=mixed)

    def step():
        x, t = image.to(device), mask.to(device)
        with torch.autocast(device.type, torch.float16) if mixed else nullcontext():
            p = model(x)
        dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
        loss = 0.7 * F.binary_cross_entropy(p, t) + 0.3 * dice
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    return step


def inference(model, image, device, mixed):
    @torch.no_grad()
    def run():
        with torch.autocast(device.type, torch.float16) if mixed else nullcontext():
            return model(image.to(device)).cpu()

    return run


def timed(work, runs):
    """Milliseconds of each run; every run ends by reading a result back, so nothing is left in flight."""
    for _ in range(5):
        work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return times


def main():
    parser = argparse.ArgumentParser(description="The bench's training step and inference in PyTorch.")
    parser.add_argument("--cases", default="small,full")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cuda", "cpu"])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json")
    options = parser.parse_args()
    names = options.cases.split(",")
    for name in names:
        if name not in CASES:
            parser.error(f'there is no case "{name}"; there are {", ".join(CASES)}')
    if options.runs < 1:
        parser.error("--runs must be 1 or more")

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    device = torch.device(options.device)
    on_gpu = device.type == "cuda"
    forms = [("f32", False, False)]
    if on_gpu:
        forms += [("f32, channels_last", False, True), ("mixed", True, False), ("mixed, channels_last", True, True)]
    rows = []
    for name in names:
        size, depth, base, batch, dropout = CASES[name]
        torch.manual_seed(1)
        image, mask = torch.rand(batch, 3, size, size), (torch.rand(batch, 1, size, size) < 0.05).float()
        for form, mixed, last in forms:
            model = UNet(depth, base, dropout).to(device)
            if last:
                model = model.to(memory_format=torch.channels_last)
            for what, work in (
                ("training step", training(model.train(), image, mask, device, mixed)),
                ("inference", inference(model, image, device, mixed)),
            ):
                if what == "inference":
                    model.eval()
                times = timed(work, options.runs)
                row = {"suite": "pytorch", "case": name, "what": f"{what}, {form}", "value": median(times), "unit": "ms"}
                rows.append({**row, "low": min(times), "high": max(times), "runs": len(times)})
                print(f"{name:6} {row['what']:36} {row['value']:10.2f} ms  {min(times):.2f}..{max(times):.2f}")
            del model
    adapter = torch.cuda.get_device_name() if on_gpu else "cpu"
    print(f"PyTorch {torch.__version__} on {adapter}, TF32 off")
    if options.json:
        versions = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
        with open(options.json, "w") as file:
            json.dump({"adapter": adapter, "software": not on_gpu, "versions": versions, "rows": rows}, file, indent=1)
            file.write("\n")


main()
