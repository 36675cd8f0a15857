#!/usr/bin/env python3
"""Trains the network that chooses a variant: choose.py --data DIR --out FILE.npz --network NAME --variants DIR

Its four differences are votes for the four variants of NAME (DIR/NAME-VARIANT.npz, in the order of VARIANTS); their
means over a picture are compared with each other and with 0, which stands for the variant for all sources. It learns
from how much nearer to the original each variant comes than that one, on the patches that data.py draws. Its trunk
begins as that of NAME. Needs torch, numpy and PIL; a GPU unless you are patient.
"""
import argparse
import math
import os
import time

import torch

import data
from model import SPECS, Net, interpolate
from pack import VARIANTS, layers
from train import export

NAT = 1 / 64  # of a mean difference, in units of the whole range
SCALE = 1024  # keeps small gradients inside fp16
SURE = 0.25  # dB: so much nearer is e times as likely


def loaded(name, path, dev):
    net = Net(SPECS[name], dev)
    net.start(layers(path))
    return net


def errors(nets, x, y, ring):
    """[B, N] squared errors of the networks' differences."""
    inside = slice(ring, -ring)
    return torch.stack([((n.differences(x, n.theta, True)[:, :, inside, inside] - y) ** 2).mean((1, 2, 3)) for n in nets], 1)


def gains(e):
    """dB by which each comes nearer than the first."""
    e = 10 * torch.log10(e + 1e-7)
    return e[:, :1] - e


def votes(net, theta, x, ring):
    inside = slice(ring, -ring)
    z = net.differences(x, theta, True)[:, :, inside, inside].mean((2, 3)) / NAT
    return torch.cat([z[:, :1] * 0, z], 1)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True)
    ap.add_argument("--more", help="folder of drawn pictures")
    ap.add_argument("--network", required=True, help="the network, with models/NAME.npz for all sources")
    ap.add_argument("--models", default="models")
    ap.add_argument("--variants", required=True, help="folder of NAME-VARIANT.npz")
    ap.add_argument("--out", required=True)
    ap.add_argument("--seconds", type=float, default=300)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--size", type=int, default=160)
    ap.add_argument("--ring", type=int, default=24)
    ap.add_argument("--peak", type=float, default=1e-3)
    o = ap.parse_args()
    began = time.time()
    dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(1)
    train, held, _ = data.load(o.data)
    drawn = data.folder(o.more) if o.more else []
    known = [loaded(o.network, os.path.join(o.models, o.network + ".npz"), dev)]
    known += [loaded(o.network, os.path.join(o.variants, f"{o.network}-{v}.npz"), dev) for v in VARIANTS]
    make = lambda pictures, more, batch: data.Patches(pictures, more, 0.3, 0.5, dev, batch, o.size, o.ring, interpolate, coded=0.15)
    patches = make(train, drawn, o.batch)
    torch.manual_seed(2)
    judged = [make(held, [], 32).draw()[:2] for _ in range(4)]
    with torch.no_grad():
        judged = [(x, gains(errors(known, x, y, o.ring))) for x, y in judged]
    net = loaded(o.network, os.path.join(o.models, o.network + ".npz"), dev)
    theta = net.theta.clone()
    last = net.spec.layers[-1]
    tail = last.channels * last.inputs * last.side**2
    biases = sum(l.channels for l in net.spec.layers)
    theta[len(theta) - biases - tail : len(theta) - biases] *= 0.02
    theta[len(theta) - last.channels :] = 0
    theta.requires_grad_()
    ema = theta.detach().clone()
    opt = torch.optim.Adam([theta], lr=o.peak, betas=(0.9, 0.99))
    step, shown = 0, 0.0
    while (now := (time.time() - began) / o.seconds) < 1:
        lr = o.peak * min((step + 1) / 200, 1) * (0.5 + 0.5 * math.cos(math.pi * now)) + 1e-6
        for g in opt.param_groups:
            g["lr"] = lr
        x, y, *_ = patches.draw()
        with torch.no_grad():
            target = torch.softmax(gains(errors(known, x, y, o.ring)) / SURE, 1)
        loss = -(target * torch.log_softmax(votes(net, theta, x, o.ring), 1)).sum(1).mean()
        opt.zero_grad()
        (loss * SCALE).backward()
        theta.grad /= SCALE
        norm = theta.grad.norm()
        if torch.isfinite(norm):
            theta.grad *= net.rates * torch.clamp(1 / (norm + 1e-9), max=1.0)
            opt.step()
        with torch.no_grad():
            ema.lerp_(theta, 0.005 if step > 200 else 0.1)
        step += 1
        if time.time() - shown > 30 or (time.time() - began) / o.seconds >= 1:
            shown = time.time()
            with torch.no_grad():
                chosen, best = [], []
                for x, g in judged:
                    k = votes(net, ema, x, o.ring).argmax(1)
                    chosen.append(g.gather(1, k[:, None])[:, 0])
                    best.append(g.max(1).values)
                chosen, best = torch.cat(chosen), torch.cat(best)
            print(f"{time.time() - began:5.0f} s  {step} steps, loss {float(loss):.3f}; held out: {float(chosen.mean()):+.3f} dB of "
                  f"{float(best.mean()):+.3f}, worst {float(chosen.min()):+.2f}", flush=True)
    export(o.out, net, ema)


if __name__ == "__main__":
    main()
