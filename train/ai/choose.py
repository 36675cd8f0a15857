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
    """A trained network."""
    net = Net(SPECS[name], dev)
    net.start(layers(path))
    return net


def errors(nets, x, y, ring):
    """[B, N] squared errors of the networks' differences."""
    inside = slice(ring, -ring)
    return torch.stack([((n.differences(x, n.theta, True)[:, :, inside, inside] - y) ** 2).mean((1, 2, 3))
                        for n in nets], 1)


def gains(e):
    """dB by which each comes nearer than the first."""
    e = 10 * torch.log10(e + 1e-7)
    return e[:, :1] - e


def votes(net, theta, x, ring):
    """[B, 5] what a softmax takes: 0 for the variant for all sources, then the others."""
    inside = slice(ring, -ring)
    z = net.differences(x, theta, True)[:, :, inside, inside].mean((2, 3)) / NAT
    return torch.cat([z[:, :1] * 0, z], 1)


def begin(net):
    """The parameters of a network with a last layer that gives nearly nothing."""
    theta, last = net.theta.clone(), net.spec.layers[-1]
    biases = sum(l.channels for l in net.spec.layers)
    theta[len(theta) - biases - last.channels * last.inputs * last.side**2 : len(theta) - biases] *= 0.02
    theta[len(theta) - last.channels :] = 0
    return theta.requires_grad_()


def judge(net, theta, judged, ring):
    """(mean gain by the choice, by the best choice, the least) on held-out patches."""
    with torch.no_grad():
        chosen = [g.gather(1, votes(net, theta, x, ring).argmax(1)[:, None]) for x, g in judged]
    chosen, best = torch.cat(chosen), torch.cat([g.max(1).values for _, g in judged])
    return float(chosen.mean()), float(best.mean()), float(chosen.min())


def learn(o, known, patches, judged, net, theta):
    """Steps of Adam with a cosine decay until the time is over. Returns the averaged parameters."""
    began, shown, step = time.time(), 0.0, 0
    ema = theta.detach().clone()
    opt = torch.optim.Adam([theta], betas=(0.9, 0.99))
    while (now := (time.time() - began) / o.seconds) < 1:
        opt.param_groups[0]["lr"] = o.peak * min((step + 1) / 200, 1) * (0.5 + 0.5 * math.cos(math.pi * now)) + 1e-6
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
        if time.time() - shown > 30:
            shown = time.time()
            mean, best, least = judge(net, ema, judged, o.ring)
            print(f"{shown - began:5.0f} s  {step} steps, loss {loss.item():.3f}; held out: {mean:+.3f} dB of {best:+.3f}, least {least:+.2f}",
                  flush=True)
    return ema


def parser():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    ap.add_argument("--more", help="folder of drawn pictures")
    ap.add_argument("--network", required=True, help="NAME: models/NAME.npz is for all sources")
    ap.add_argument("--models", default="models")
    ap.add_argument("--variants", required=True, help="folder of NAME-VARIANT.npz")
    ap.add_argument("--out", required=True)
    ap.add_argument("--seconds", type=float, default=300)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--size", type=int, default=160, help="small pixels along a patch")
    ap.add_argument("--ring", type=int, default=24, help="small pixels around it that only the networks see")
    ap.add_argument("--peak", type=float, default=1e-3, help="largest step size")
    return ap


def main():
    o = parser().parse_args()
    dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, held, _ = data.load(o.data)
    drawn = data.folder(o.more) if o.more else []
    general = os.path.join(o.models, o.network + ".npz")
    known = [loaded(o.network, path, dev)
             for path in (general, *(os.path.join(o.variants, f"{o.network}-{v}.npz") for v in VARIANTS))]

    def make(pictures, more, batch):
        return data.Patches(pictures, more, 0.3, 0.5, dev, batch, o.size, o.ring, interpolate, coded=0.15)

    torch.manual_seed(1)
    patches = make(train, drawn, o.batch)
    torch.manual_seed(2)
    judged = [make(held, [], 32).draw()[:2] for _ in range(4)]
    with torch.no_grad():
        judged = [(x, gains(errors(known, x, y, o.ring))) for x, y in judged]
    net = loaded(o.network, general, dev)
    export(o.out, net, learn(o, known, patches, judged, net, begin(net)))


if __name__ == "__main__":
    main()
