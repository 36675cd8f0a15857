#!/usr/bin/env python3
"""Trains networks: train.py --data DIR --out DIR [--seconds S | --steps N] NAME...

Networks named together learn from the same batches, side by side on one GPU. Three phases: L1 in
floating point, weighted squared error in floating point, the same with quantization. A checkpoint
is written every minute; started again with the same --out, training goes on from there. Needs
torch, numpy and PIL; a GPU unless you are patient.
"""
import argparse
import math
import os
import time
from contextlib import nullcontext

import numpy as np
import torch

import data
from soften import softened
from model import SPECS, Net, Spec, interpolate
from pack import layers

# until which part of the steps, quantized, squared error
PHASES = ((0.15, False, False), (0.6, False, True), (1.0, True, True))
SCALE = 4096.0  # keeps small gradients inside fp16


class Trainer:
    """Adam over the network's flat parameter vector, with warm-up, cosine decay and averaging."""

    def __init__(self, name, net, total, peak):
        dev = net.device
        self.name, self.net, self.peak = name, net, peak
        self.theta = net.theta.clone().requires_grad_()
        self.m, self.v = torch.zeros_like(net.theta), torch.zeros_like(net.theta)
        self.ema = net.theta.clone()
        self.it = torch.zeros(1, dtype=torch.long, device=dev)
        self.loss = torch.zeros((), device=dev)
        self.skipped = torch.zeros((), device=dev)
        self.plan(total)

    def plan(self, total):
        """The step size of every step, Adam's bias corrections included."""
        t = torch.arange(total + 16, dtype=torch.float64)
        warm = torch.clamp((t + 1) / 1000, max=1)
        lr = self.peak * warm * (0.5 + 0.5 * torch.cos(math.pi * torch.clamp(t / total, max=1))) + 1e-7
        lr = lr * torch.sqrt(1 - 0.99 ** (t + 1)) / (1 - 0.9 ** (t + 1))
        self.lr = lr.float().to(self.net.device)

    def step(self, x, y, weight, quant, squared):
        spare = x.shape[3] // 2 - y.shape[3] // 4 - self.net.spec.radius()  # patches may be wider
        x = x[:, :, spare : x.shape[2] - spare, spare : x.shape[3] - spare]
        out = self.net.forward(x, self.theta, quant)
        if squared:
            loss = ((out - y) ** 2).mean((1, 2, 3)).mul(weight).mean() * 100
        else:
            loss = torch.sqrt((out - y) ** 2 + 1e-6).mean()
        (grad,) = torch.autograd.grad(loss * SCALE, self.theta)
        with torch.no_grad():
            grad = grad / SCALE
            norm = torch.sqrt((grad * grad).sum())
            good = torch.isfinite(norm)
            grad = torch.where(good, grad * torch.clamp(0.2 / norm, max=1.0), torch.zeros_like(grad))
            self.m.mul_(0.9).add_(grad, alpha=0.1)
            self.v.mul_(0.99).addcmul_(grad, grad, value=0.01)
            self.theta.sub_(self.lr[self.it] * self.m / (torch.sqrt(self.v) + 1e-8))
            self.ema.lerp_(self.theta, 0.001)
            self.it += 1
            self.loss.copy_(self.loss * 0.99 + loss.detach() * 0.01)
            self.skipped += 1 - good.float()

    def state(self):
        return [self.theta, self.m, self.v, self.ema, self.it]

    def restore(self, values):
        with torch.no_grad():
            for t, v in zip(self.state(), values):
                t.copy_(v)


class Loop:
    """One step of all trainers as one callable: a CUDA graph where there is a GPU.

    The next batch is drawn while the trainers work on this one, each on a stream of its own.
    """

    def __init__(self, trainers, patches):
        self.trainers, self.patches = trainers, patches
        self.cuda = patches.flat.is_cuda
        self.batch = [t.clone() for t in patches.draw()]

    def step(self, quant, squared):
        jobs = [lambda t=t: t.step(*self.batch, quant, squared) for t in self.trainers]
        following = []
        jobs.append(lambda: following.extend(self.patches.draw()))
        self.fork(jobs)
        for t, n in zip(self.batch, following):
            t.copy_(n)

    def fork(self, jobs):
        here = torch.cuda.current_stream() if self.cuda else None
        streams = [torch.cuda.Stream() if self.cuda else None for _ in jobs]
        for s, job in zip(streams, jobs):
            if s:
                s.wait_stream(here)
            with torch.cuda.stream(s) if s else nullcontext():
                job()
        for s in streams:
            if s:
                here.wait_stream(s)

    def capture(self, quant, squared):
        """The step, ready to run many times; the steps that warm up are undone."""
        if not self.cuda:
            return lambda: self.step(quant, squared)
        keep = [[v.detach().clone() for v in t.state()] for t in self.trainers]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(4):
                self.step(quant, squared)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step(quant, squared)
        for t, k in zip(self.trainers, keep):
            t.restore(k)
        return graph.replay

    def rate(self):
        """Steps per second, measured; undone."""
        keep = [[v.detach().clone() for v in t.state()] for t in self.trainers]
        run = self.capture(True, True)
        for n in (20, 400):
            self.wait()
            began = time.time()
            for _ in range(n):
                run()
            self.wait()
        for t, k in zip(self.trainers, keep):
            t.restore(k)
        return 400 / (time.time() - began)

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()


SETS = {"sharp": None, "soft 0.667": 0.667, "soft 0.8": 0.8, "soft 0.5": 0.5}  # of held-out pictures


def validate(net, theta, val, quant):
    """Mean PSNR for box and for bicubic, 8-bit output, 8 border pixels left out."""
    small, large = val
    with torch.no_grad():
        r = net.spec.radius()
        out = []
        for i in range(0, len(small), 8):
            x = torch.nn.functional.pad(small[i : i + 8, None].float() / 256 - 0.5, (r,) * 4, mode="replicate")
            out.append(data.to_code(net.forward(x, theta, quant) * 256 + 128)[:, 0])
        d = (torch.cat(out) - large.float())[:, 8:-8, 8:-8]
        psnr = -10 * torch.log10(torch.clamp((d * d).mean((1, 2)), min=1e-4) / 255**2)
        return psnr[0::2].mean().item(), psnr[1::2].mean().item()


def export(path, net, theta):
    """Writes the integers of a network; models/README.md tells what they mean."""
    chain = net.integers(theta)
    parts = {f"{part}{i}": v for i, l in enumerate(chain) for part, v in zip(("weights", "bias", "shift"), l)}
    np.savez_compressed(path, **parts)


def save(path, total, trainers):
    nets = {t.name: {"spec": vars(t.net.spec), "state": [v.detach().cpu() for v in t.state()]} for t in trainers}
    torch.save({"total": total, "nets": nets}, path + ".part")
    os.replace(path + ".part", path)


def parse():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("names", nargs="+", metavar="NAME",
                    help="of model.py's table, or NAME=width,body,head,tail,wide for an experiment")
    ap.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    ap.add_argument("--out", required=True, help="folder of train.log and checkpoint.pt")
    ap.add_argument("--steps", type=int, default=1000)
    ap.add_argument("--seconds", type=float, help="instead of --steps: as many as fit in this time")
    ap.add_argument("--stop", type=float, default=math.inf, help="write a checkpoint and end after this many seconds")
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--size", type=int, default=64, help="small pixels along a target patch, at least")
    ap.add_argument("--peak", type=float, default=2.5e-3, help="largest step size")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--soft", type=float, default=0.45, help="share of patches from softened pictures")
    ap.add_argument("--polish", action="store_true", help="the last phase only")
    ap.add_argument("--coded", type=float, default=0.35, help="weight of patches with coding noise")
    ap.add_argument("--each", type=int, default=10, help="softened versions of every picture")
    ap.add_argument("--more", help="folder of drawn pictures to learn from as well")
    ap.add_argument("--start", help="folder of NAME.npz to begin with")
    ap.add_argument("--every", type=int, default=5000, help="validate every so many steps")
    return ap.parse_args()


def main():
    o = parse()
    began = time.time()
    dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(o.seed)
    os.makedirs(o.out, exist_ok=True)
    log = open(os.path.join(o.out, "train.log"), "a")

    def say(text):
        for f in (log, None):
            print(f"{time.time() - began:6.0f} s  {text}", file=f, flush=True)

    train, held = data.load(o.data)
    if o.more:
        train += data.folder(o.more)
    soft = softened(train, o.each, o.seed)
    say(f"{len(train)} pictures, {len(soft)} softened, {len(held)} held out, {dev}")
    val = {n: [torch.from_numpy(a).to(dev) for a in data.validation(held, f)] for n, f in SETS.items()}
    trainers = []
    for name in o.names:
        name, _, text = name.partition("=")
        spec = Spec(*map(int, text.split(","))) if text else SPECS[name]
        net = Net(spec, dev, o.seed)
        if o.start:
            net.start(layers(os.path.join(o.start, name + ".npz")))
        trainers.append(Trainer(name, net, o.steps, o.peak))
        say(f"{name}: {spec} {spec.multiplications()} multiplications, radius {spec.radius()}")
    radius = max(t.net.spec.radius() for t in trainers)
    loop = Loop(trainers, data.Patches(train, soft, o.soft, dev, o.batch, o.size, radius, interpolate, o.coded))

    path, total, at = os.path.join(o.out, "checkpoint.pt"), o.steps, 0
    if os.path.exists(path):
        old = torch.load(path, map_location=dev)
        total = old["total"]
        for t in trainers:
            t.restore(old["nets"][t.name]["state"])
        at = int(trainers[0].it)
        torch.manual_seed(o.seed + at)
    elif o.seconds:
        rate = loop.rate()
        total = int((o.seconds - (time.time() - began)) * rate)
        say(f"{rate:.0f} steps/s")
    for t in trainers:
        t.plan(total)
    say(f"from step {at} to {total}")

    phase, saved = None, time.time()
    while at < total and time.time() - began < o.stop:
        now = PHASES[-1] if o.polish else next(p for p in PHASES if at < p[0] * total)
        if now != phase:
            phase, run = now, loop.capture(now[1], now[2])
        mark, mark_at = time.time(), at
        until = min(at + o.every - at % o.every, math.ceil(now[0] * total))
        while at < until and time.time() - began < o.stop:
            for _ in range(min(50, until - at)):
                run()
                at += 1
            loop.wait()
        speed = (at - mark_at) / (time.time() - mark)
        for t in trainers:
            got = "  ".join("{} {:.2f} {:.2f}".format(n, *validate(t.net, t.ema, v, True)) for n, v in val.items())
            exact = sum(validate(t.net, t.ema, val["sharp"], False)) / 2
            say(f"{t.name} {at} loss {float(t.loss):.5f}  {got}  sharp unquantized {exact:.3f} "
                f"skipped {int(t.skipped)} {speed:.0f} steps/s")
        if time.time() - saved > 60:
            save(path, total, trainers)
            saved = time.time()
    save(path, total, trainers)
    for t in trainers:
        export(os.path.join(o.out, t.name + ".npz"), t.net, t.ema)


if __name__ == "__main__":
    main()
