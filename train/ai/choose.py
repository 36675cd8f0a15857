#!/usr/bin/env python3
"""Trains the network that chooses a variant: choose.py --data DIR --out FILE.npz --network NAME --variants DIR
or judges some: choose.py --data DIR --network NAME --variants DIR --judge FILE.npz...

Its four differences are votes for the four variants of NAME (DIR/NAME-VARIANT.npz, in the order of VARIANTS); their
means over a picture are compared with each other and with 0, which stands for the variant for all sources. It learns
from how much nearer to the original each variant comes than that one, on the patches that data.py draws. Its trunk
begins as that of NAME. It learns pictures by heart, so the averaged parameters that choose best on held-out patches
are kept (which makes --judge, on the same pictures, kinder to what was trained here). Judging takes the middles of
held-out pictures, softened and reduced in several ways, and prints what the choice gains, what the best choice would,
and how often the choice loses more than 0.3 dB. Needs torch, numpy and PIL; a GPU unless you are patient.
"""
import argparse
import math
import os
import time

import numpy as np
import torch
from PIL import Image

import data
from model import SPECS, Net, interpolate
from pack import VARIANTS, layers
from train import export

NAT = 1 / 64  # of a mean difference, in units of the whole range
SCALE = 1024  # keeps small gradients inside fp16
SURE = 0.25  # dB: so much nearer is e times as likely
LEAD = 0.5  # of votes: what the program wants before it chooses (src/media/index/variant.c)
JUDGED = {"sharp": {}, **{f"soft {f}": {"factor": f} for f in (0.9, 0.8, 0.667, 0.5)}, "jpeg 85": {"jpeg": 85}}
REDUCE = {"box": Image.BOX, "triangle": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


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
        chosen = [g.gather(1, choice(votes(net, theta, x, ring))[:, None]) for x, g in judged]
    chosen, best = torch.cat(chosen), torch.cat([g.max(1).values for _, g in judged])
    return float(chosen.mean()), float(best.mean()), float(chosen.min())


def choice(v):
    """[B], the program's choices from votes [B, 5] with 0 for the variant for all sources (ksr_votes_choose())."""
    most, best = v.topk(2, 1)
    return torch.where(most[:, 0] - most[:, 1] > LEAD, best[:, 0], 0)


def gained(known, choosers, small, large):
    """[(dB that the choice gains, dB that the best choice would), ...] of each chooser, for a picture of 8 bits."""
    dev, pad = known[0].device, known[0].spec.reach()
    x, y = (torch.from_numpy(v.astype(np.float32)).to(dev) for v in (small, large))
    x = (x / 256 - 0.5)[None, None]
    with torch.no_grad():
        out = [data.to_code(n.enlarge(x, n.theta, True) * 256 + 128)[0, 0] for n in known]
        db = [-10 * math.log10(max(float(((v - y)[8:-8, 8:-8] ** 2).mean()), 1e-4)) for v in out]
        wide = torch.nn.functional.pad(x, (pad,) * 4, mode="replicate")
        chosen = [int(choice(votes(c, c.theta, wide, pad))) for c in choosers]
    return [(db[k] - db[0], max(db) - db[0]) for k in chosen]


def judge_files(o, known, pictures, dev):
    """Prints how the choosers of o.judge choose."""
    choosers = [loaded(o.network, path, dev) for path in o.judge]
    print("kind\treduced", *(os.path.basename(path) for path in o.judge), sep="\t")
    for kind, how in JUDGED.items():
        pairs = zip(*data.validation(pictures, **how, kernels=REDUCE.values()))
        gains_of = np.array([gained(known, choosers, *pair) for pair in pairs])
        for n, reduced in enumerate(REDUCE):
            part = gains_of[n :: len(REDUCE)]  # [pictures, choosers, 2]
            texts = ["{:+.2f} of {:.2f}, loses {:.0f} %".format(*g.mean(0), 100 * (g[:, 0] < -0.3).mean())
                     for g in part.swapaxes(0, 1)]
            print(kind, reduced, *texts, sep="\t", flush=True)


def learn(o, known, patches, judged, net, theta):
    """Steps of Adam with a cosine decay until the time is over. Returns the averaged parameters that chose best."""
    began, shown, step = time.time(), 0.0, 0
    ema = theta.detach().clone()
    kept, most = ema.clone(), -math.inf
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
        if time.time() - shown > o.every and step > 200 or time.time() - began >= o.seconds:
            shown = time.time()
            mean, best, least = judge(net, ema, judged, o.ring)
            print(f"{shown - began:5.0f} s  {step} steps, loss {loss.item():.3f}; "
                  f"held out: {mean:+.3f} dB of {best:+.3f}, least {least:+.2f}", flush=True)
            if mean > most:
                kept, most = ema.clone(), mean
    return kept


def parser():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    ap.add_argument("--more", help="folder of drawn pictures")
    ap.add_argument("--network", required=True, help="NAME: models/NAME.npz is for all sources")
    ap.add_argument("--models", default="models")
    ap.add_argument("--variants", required=True, help="folder of NAME-VARIANT.npz")
    ap.add_argument("--out")
    ap.add_argument("--judge", nargs="+", metavar="FILE", help="choosers to judge instead")
    ap.add_argument("--seconds", type=float, default=300)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--size", type=int, default=160, help="small pixels along a patch")
    ap.add_argument("--ring", type=int, default=24, help="small pixels around it that only the networks see")
    ap.add_argument("--coded", type=float, default=0.15, help="share of patches with coding noise")
    ap.add_argument("--grain", type=float, default=0.04, help="share of patches with noise")
    ap.add_argument("--soft", type=float, default=0.5, help="share of patches from softened pictures")
    ap.add_argument("--every", type=float, default=30, help="judge every so many seconds")
    ap.add_argument("--peak", type=float, default=1e-3, help="largest step size")
    return ap


def main():
    o = parser().parse_args()
    if not o.out and not o.judge:
        parser().error("--out or --judge is needed")
    dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, held, _ = data.load(o.data)
    general = os.path.join(o.models, o.network + ".npz")
    known = [loaded(o.network, path, dev)
             for path in (general, *(os.path.join(o.variants, f"{o.network}-{v}.npz") for v in VARIANTS))]
    if o.judge:
        return judge_files(o, known, held, dev)

    drawn = data.folder(o.more) if o.more else []

    def make(pictures, more, batch):
        return data.Patches(pictures, more, 0.3, o.soft, dev, batch, o.size, o.ring, interpolate, coded=o.coded,
                            grain=o.grain)

    torch.manual_seed(1)
    patches = make(train, drawn, o.batch)
    torch.manual_seed(2)
    judged = [make(held, [], 32).draw()[:2] for _ in range(12)]
    with torch.no_grad():
        judged = [(x, gains(errors(known, x, y, o.ring))) for x, y in judged]
    net = loaded(o.network, general, dev)
    export(o.out, net, learn(o, known, patches, judged, net, begin(net)))


if __name__ == "__main__":
    main()
