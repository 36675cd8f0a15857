#!/usr/bin/env python3
"""Trains networks: train.py --data DIR --out DIR (--seconds S | --steps N) [--until P] NAME... [+ NAME...]

Networks named together learn from the same batches, side by side on one GPU. A "+" begins another group, which
learns beside them from batches of its own; options after it are of this group (--start, --peak, --batch, --pairs
and what else its batches are made with). Three phases: absolute error in floating point, the same with
quantization, then the root of a patch's squared error in units of the one that interpolation makes there.
--until 0.5 stops half way; started again with the same --out, training goes on from the checkpoint there, which
is written every minute. A network whose error explodes goes back to its last good state with half the step size.
Needs torch, numpy and PIL; a GPU unless you are patient.
"""
import argparse
import copy
import glob
import math
import os
import sys
import time
from contextlib import nullcontext

import numpy as np
import torch

import data
from model import SPECS, Activation, Net, interpolate, plain
from pack import layers

SCALE = 128.0  # keeps small gradients inside fp16
WARM = 1000  # steps


def orthogonal(x):
    """x [n, rows, columns] with its singular values brought near 1, by the iteration of Newton and Schulz."""
    turned = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if turned else x
    x = x / (torch.sqrt((x * x).sum((1, 2), keepdim=True)) + 1e-12)
    if x.is_cuda:
        x = x.to(torch.bfloat16)
    for _ in range(5):
        a = x @ x.transpose(1, 2)
        x = 3.4445 * x + (2.0315 * a @ a - 4.7750 * a) @ x
    return (x.transpose(1, 2) if turned else x).float()


class Trainer:
    """Steps over the network's flat parameter vector, with warm-up, cosine decay and averaging.

    The steps are Adam's. With muon, those of the kernels between the first layer and the last are the averaged
    gradient made orthogonal, as large as Adam's usually are. steady: weight of what a network makes of two frames
    where they should be alike; the last patches of a batch are such frames, `partners` of each.
    """

    def __init__(self, name, net, peak, muon=False, steady=0.0, partners=0):
        dev = net.device
        self.name, self.net, self.peak, self.steady, self.partners = name, net, peak, steady, partners
        self.orthogonal = net.matrices() if muon else {}
        self.theta = net.theta.clone().requires_grad_()
        self.m, self.v = torch.zeros_like(net.theta), torch.zeros_like(net.theta)
        self.ema = net.theta.clone()
        self.loss, self.norm, self.skipped, self.lr = torch.zeros(4, device=dev).unbind()
        self.good, self.best, self.restarts = self.copies(), 0.0, 0
        self.at = 0  # steps

    def plan(self, progress):
        """Sets the size of the next step, Adam's bias corrections included."""
        it, self.at = self.at, self.at + 1
        lr = self.peak * min((it + 1) / WARM, 1) * (0.5 + 0.5 * math.cos(math.pi * min(progress, 1))) + 1e-6
        self.lr.fill_(lr * math.sqrt(1 - 0.99 ** (it + 1)) / (1 - 0.9 ** (it + 1)))

    def step(self, x, y, scale, worth, quant, squared):
        ring = (x.shape[3] - y.shape[3]) // 2
        out = self.net.differences(x, self.theta, quant)[:, :, ring:-ring, ring:-ring]
        error = (out - y) ** 2
        if squared:
            loss = (torch.sqrt(error.mean((1, 2, 3)) / scale + 1e-4) * worth).mean()
        else:
            loss = (torch.sqrt(error + 1e-6).mean((1, 2, 3)) * worth).mean() * 30
        if self.steady and self.partners:
            loss = loss + self.steady * self.unrest(x, y, scale, out - y, ring) * 2 * self.partners / len(x)
        (grad,) = torch.autograd.grad(loss * SCALE, self.theta)
        with torch.no_grad():
            grad = grad / SCALE
            norm = torch.sqrt((grad * grad).sum())
            good = torch.isfinite(norm)
            limit = torch.where(self.norm > 0, 3 * self.norm, norm)  # of what is usual
            grad = torch.where(good, grad * torch.clamp(limit / (norm + 1e-12), max=1.0), torch.zeros_like(grad))
            usual = torch.where(self.norm > 0, self.norm * 0.99 + torch.minimum(norm, limit) * 0.01, norm)
            self.norm.copy_(torch.where(good, usual, self.norm))
            self.m.mul_(0.9).add_(grad, alpha=0.1)
            self.v.mul_(0.99).addcmul_(grad, grad, value=0.01)
            self.theta.sub_(self.lr * self.way(grad))
            self.ema.lerp_(self.theta, 0.001)
            self.loss.copy_(torch.where(good, self.loss * 0.99 + loss.detach() * 0.01, self.loss))
            self.skipped += 1 - good.float()

    def unrest(self, x, y, scale, error, ring):
        """The root of the squared difference of errors in two frames of a held drawing, where what should come out
        is the same; in units as for the error."""
        n, edge = self.partners, slice(ring - 2, x.shape[3] - ring + 2)
        wanted = (y + interpolate(x[:, :, edge, edge]))[-2 * n :]
        held = ((wanted[:n] - wanted[n:]).abs() < 1e-4).float()
        d = (error[-2 * n : -n] - error[-n:]) * held
        return torch.sqrt((d * d).mean((1, 2, 3)) / scale[-2 * n : -n] + 1e-4).mean()

    def way(self, grad):
        """Where the next step goes, of size 1."""
        way = self.net.rates * self.m / (torch.sqrt(self.v) + 1e-8)
        for (rows, columns), starts in self.orthogonal.items():
            parts = [slice(s, s + rows * columns) for s in starts]
            x = torch.stack([torch.lerp(self.m[p], grad[p], 0.1).view(rows, columns) for p in parts])
            for p, one in zip(parts, orthogonal(x)):
                way[p] = one.flatten() * (0.2 * math.sqrt(max(rows, columns)))
        return way

    def state(self):
        return [self.theta, self.m, self.v, self.ema, self.loss, self.norm, self.skipped]

    def copies(self):
        return [v.detach().clone() for v in self.state()]

    def restore(self, values):
        with torch.no_grad():
            for t, v in zip(self.state(), values):
                t.copy_(v)

    def judge(self, score, skipped):
        """Keeps a good state; goes back to the last one when the score fell far. True when it did."""
        if math.isfinite(score) and score > self.best - 1.5 and skipped < 0.2:
            self.best, self.good = max(score, self.best), self.copies()
            return False
        self.restore(self.good)
        self.peak, self.restarts, self.best = self.peak / 2, self.restarts + 1, self.best - 0.5
        return True

    def packed(self):
        """For the checkpoint: moments and the average in 16 bits."""
        half = [self.m, torch.sqrt(self.v), self.ema - self.theta.detach()]
        return {"theta": self.theta.detach().cpu(), "half": [h.to(torch.bfloat16).cpu() for h in half],
                "rest": torch.stack([self.loss, self.norm, self.skipped]).cpu(),
                "at": self.at, "peak": self.peak, "best": self.best, "restarts": self.restarts}

    def unpack(self, old):
        theta = old["theta"].to(self.theta.device)
        m, v, ema = (h.to(theta).float() for h in old["half"])
        self.restore([theta, m, v * v, theta + ema, *old["rest"].to(theta)])
        self.at, self.peak, self.best, self.restarts = (old[k] for k in ("at", "peak", "best", "restarts"))
        self.good = self.copies()


class Group:
    """Networks that learn from the same batches: their options, trainers and patches, and what they are judged on."""

    pools = {}  # groups of the same pictures share them

    def __init__(self, o, dev, say):
        train, held, painted = data.load(o.data)
        sets = {n: data.validation(held, **f) for n, f in SETS.items()}
        self.watched = "soft 0.667" if o.soft > 0.75 else "sharp"
        if painted:
            sets["painted"] = data.validation(painted)
        paired = round(o.batch * o.paired) if o.pairs else 0
        pool = o.data, o.more, o.drawn, o.soft, o.size, o.ring, o.worth, o.reduced
        if pool not in self.pools:
            drawn = data.folder(o.more) if o.more else []
            say(f"{len(train)} pictures, {len(drawn)} drawn, {len(held)} and {len(painted)} held out")
            self.pools[pool] = data.Patches(train, drawn, o.drawn, o.soft, dev, o.batch, o.size, o.ring, interpolate,
                                            o.worth, reduced=o.reduced)
        self.patches = self.pools[pool].of(o.batch - paired, o.coded)
        if paired:
            clips, kept = (sorted(glob.glob(os.path.join(o.pairs, f"{kind}_*.npz"))) for kind in ("clip", "held"))
            say(f"{len(clips)} clips of coded pairs, {len(kept)} held out")
            sets["pairs"] = data.middles(kept)
            if o.averaged:
                sets["averaged"] = data.middles(kept, averaged=True)
            pool = o.pairs, paired, o.size, o.ring, o.steady > 0, o.averaged
            if pool not in self.pools:
                self.pools[pool] = data.Pairs(clips, dev, *pool[1:4], interpolate, *pool[4:])
            self.patches = data.Mixed(self.patches, self.pools[pool])
        self.val = {n: [torch.from_numpy(a).to(dev) for a in v] for n, v in sets.items()}
        self.trainers = list(networks(o, dev, say))
        self.batch = [t.clone() for t in self.patches.draw()]
        self.following = None

    def jobs(self, quant, squared):
        """What can be done side by side: a step of every trainer, and drawing the next batch."""
        def draw():
            self.following = self.patches.draw()

        return [lambda t=t: t.step(*self.batch, quant, squared) for t in self.trainers] + [draw]

    def turn(self):
        for t, n in zip(self.batch, self.following):
            t.copy_(n)

    def validated(self, t):
        """(what a trainer's network reaches, in words; the figure that falls far when its error explodes)."""
        got = {n: validate(t.net, t.ema, v, True) for n, v in self.val.items()}
        exact = sum(validate(t.net, t.ema, self.val[self.watched], False)) / 2
        text = "  ".join("{} {:.2f} {:.2f}".format(n, *v) for n, v in got.items())
        return f"{text}  {self.watched} unquantized {exact:.3f}", exact


class Loop:
    """One step of all groups as one callable: a CUDA graph where there is a GPU.

    The next batches are drawn while the trainers work on these, each on a stream of its own.
    """

    def __init__(self, groups, eager, say):
        self.groups, self.eager, self.say = groups, eager, say
        self.trainers = [t for g in groups for t in g.trainers]
        self.cuda = groups[0].batch[0].is_cuda

    def step(self, quant, squared):
        self.fork([job for g in self.groups for job in g.jobs(quant, squared)])
        for g in self.groups:
            g.turn()

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
        def eager():
            self.step(quant, squared)

        if self.eager or not self.cuda:
            return eager
        torch.backends.cudnn.benchmark = True
        keep = [t.copies() for t in self.trainers]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step(quant, squared)
        torch.cuda.synchronize()
        try:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.step(quant, squared)
            run = graph.replay
        except RuntimeError as e:
            self.say(f"without a CUDA graph, for capturing failed: {e}")
            run, self.eager = eager, True
        torch.backends.cudnn.benchmark = False
        for t, k in zip(self.trainers, keep):
            t.restore(k)
        return run

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()


# of the held-out pictures
SETS = {"sharp": {}, "soft 0.667": {"factor": 0.667}, "soft 0.8": {"factor": 0.8}, "jpeg 85": {"jpeg": 85}}


def validate(net, theta, val, quant):
    """Mean PSNR for box and for bicubic, 8-bit output, 8 border pixels left out."""
    small, large = val
    out = []
    with torch.no_grad():
        for i in range(0, len(small), 6):
            x = small[i : i + 6, None].float() / 256 - 0.5
            out.append(data.to_code(net.enlarge(x, theta, quant) * 256 + 128)[:, 0])
    d = (torch.cat(out) - large.float())[:, 8:-8, 8:-8]
    psnr = -10 * torch.log10(torch.clamp((d * d).mean((1, 2)), min=1e-4) / 255**2)
    return psnr[0::2].mean().item(), psnr[1::2].mean().item()


def check_kernels(dev):
    """Turns the fused operations off where they do not compute what the plain ones do."""
    if dev.type != "cuda" or not Activation.fused:
        return "plain"
    try:
        for c, up, add, quant in ((32, False, False, True), (96, False, True, False), (128, True, True, True)):
            k = 4 * c if up else c
            x = torch.randn(2, k, 12, 20, device=dev).half().contiguous(memory_format=torch.channels_last)
            size = (24, 40) if up else (12, 20)
            skip = torch.rand(2, c, *size, device=dev).half().contiguous(memory_format=torch.channels_last) if add else None
            g = torch.randn(2, c, *size, device=dev).half()
            results = []
            for fused in (True, False):
                Activation.fused = fused
                inputs = [x, torch.linspace(-1, 1, k, device=dev), *((skip,) if add else ())]
                inputs = [v.clone().requires_grad_() for v in inputs]
                y = Activation.apply(*inputs[:2], inputs[2] if add else None, quant, up)
                results.append([y.detach(), *torch.autograd.grad(y, inputs, g)])
            Activation.fused = True
            for a, b in zip(*results):
                assert a.shape == b.shape and torch.allclose(a.float(), b.float(), 1e-2, 2e-2), (c, up, add)
        return "fused"
    except Exception as e:
        Activation.fused = False
        return f"plain, for the fused ones failed: {e}"


def export(path, net, theta):
    """Writes the integers of a network; models/README.md tells what they mean."""
    chain = net.integers(theta)
    kinds = {"weights": np.int16, "bias": np.int32, "shift": np.int32}
    parts = {f"{part}{i}": v.astype(t) for i, l in enumerate(chain) for (part, t), v in zip(kinds.items(), l)}
    graph = net.graph()
    if graph.any():
        parts["graph"] = graph
    np.savez_compressed(path, **parts)


def save(out, progress, trainers):
    """A checkpoint and the integers of every network; each file is there whole or not at all."""
    for t in trainers:
        path = os.path.join(out, t.name + ".pt")
        torch.save({"progress": progress, **t.packed()}, path + ".part")
        os.replace(path + ".part", path)
        export(os.path.join(out, t.name + ".part.npz"), t.net, t.ema)
        os.replace(os.path.join(out, t.name + ".part.npz"), os.path.join(out, t.name + ".npz"))


def run_options(ap):
    """Adds the options of any training."""
    ap.add_argument("--out", help="folder of train.log, NAME.pt and NAME.npz")
    ap.add_argument("--resume", help="folder of NAME.pt to go on from, when --out has none")
    ap.add_argument("--steps", type=int, default=1000, help="of this run")
    ap.add_argument("--seconds", type=float, help="instead of --steps: as many as fit, from the program's start")
    ap.add_argument("--until", type=float, default=1.0, help="part of the whole training that this run completes")
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--size", type=int, default=96, help="small pixels along a target patch")
    ap.add_argument("--ring", type=int, default=16, help="small pixels around it that only the network sees")
    ap.add_argument("--peak", type=float, default=2e-3, help="largest step size")
    ap.add_argument("--muon", action="store_true", help="orthogonal steps for the kernels between first and last layer")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--quantized", type=float, default=0.25, help="part of the training before quantization")
    ap.add_argument("--squared", type=float, default=0.55, help="part of the training before the squared error")
    ap.add_argument("--polish", action="store_true", help="the last phase only")
    ap.add_argument("--start", help="an .npz, or a folder of NAME.npz, to begin with")
    ap.add_argument("--every", type=float, default=60, help="validate every so many seconds")
    ap.add_argument("--plain", action="store_true", help="without fused operations on the GPU")
    ap.add_argument("--eager", action="store_true", help="without a CUDA graph")
    ap.add_argument("--checkpoint", type=float, default=60, help="write a checkpoint every so many seconds")


def parser():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("names", nargs="+", metavar="NAME",
                    help="of model.py's table, NAME:VARIANT for another of the same shape (files NAME-VARIANT), or "
                         "NAME=width,body,head,tail,wide for an experiment")
    ap.add_argument("--data", help="folder with manifest.tsv and img/")
    ap.add_argument("--soft", type=float, default=0.5, help="share of patches from softened pictures")
    ap.add_argument("--reduced", choices=data.REDUCTIONS, default="all", help="how small pictures come to be")
    ap.add_argument("--coded", type=float, default=0.2, help="share of patches with coding noise")
    ap.add_argument("--worth", type=float, default=0.7, help="weight of patches with coding noise")
    ap.add_argument("--more", help="folder of drawn pictures to learn from as well")
    ap.add_argument("--drawn", type=float, default=0.3, help="share of patches from them")
    ap.add_argument("--pairs", help="folder of coded pairs (coded.py) to learn from as well")
    ap.add_argument("--paired", type=float, default=0.5, help="share of patches from them; --coded is of the others")
    ap.add_argument("--averaged", type=float, default=0, help="share of them that has passed stage 5 (coded.py --motion-threshold)")
    ap.add_argument("--steady", type=float, default=0, help="weight of what differs in two coded frames of a held drawing")
    run_options(ap)
    return ap


def parse(words):
    """The options of each group; those of the first are all groups' unless they name others."""
    parts, first = [[]], None
    for w in words:
        parts.append([]) if w == "+" else parts[-1].append(w)
    for part in parts:
        o = parser().parse_args(part, copy.copy(first))
        if not (o.data and o.out):
            parser().error("--data and --out are needed")
        first = first or o
        yield o


def phase(o, now):
    """(end, quantized, squared) of the phase that a part of the training lies in."""
    edges = () if o.polish else (o.quantized, o.squared)
    return min([e for e in edges if e > now] + [1.0]), *(now >= e for e in edges or (0, 0))


def networks(o, dev, say):
    for name in o.names:
        name, _, text = name.partition("=")
        spec = plain(*map(int, text.split(","))) if text else SPECS[name.partition(":")[0]]
        name = name.replace(":", "-")
        net = Net(spec, dev, o.seed)
        if o.start:
            net.start(layers(os.path.join(o.start, name + ".npz") if os.path.isdir(o.start) else o.start))
        say(f"{name}: {spec.multiplications():.0f} multiplications, reach {spec.reach()}, {net.theta.numel()} parameters")
        yield Trainer(name, net, o.peak, o.muon, o.steady, round(o.batch * o.paired) // 2 if o.pairs else 0)


def resumed(o, trainers):
    """How far the checkpoints are that there are."""
    where = 0.0
    for t in trainers:
        for folder in (o.out, o.resume):
            path = os.path.join(folder or "", t.name + ".pt")
            if folder and os.path.exists(path):
                old = torch.load(path, map_location="cpu")
                t.unpack(old)
                where = max(where, old["progress"])
                break
    return where


def report(group, now, before, speed, say):
    """Judges a group's networks; those whose error exploded go back. before: (steps, skipped ones) of each."""
    for t, (at, skipped) in zip(group.trainers, before):
        text, score = group.validated(t)
        say(f"{t.name} {t.at} {now:.3f} loss {float(t.loss):.4f}  {text} "
            f"norm {float(t.norm):.2g} skipped {int(t.skipped)} {speed:.1f} steps/s")
        if t.judge(score, (float(t.skipped) - skipped) / max(t.at - at, 1)):
            say(f"{t.name}: back to the last good state, step size {t.peak:.2g} from now on")


def learn(options, make=Group):
    """Trains what the groups, one of each options, have. make: chroma.py has groups of its own."""
    o = options[0]
    began = time.time()
    dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    Activation.fused = Activation.fused and not o.plain
    os.makedirs(o.out, exist_ok=True)
    log = open(os.path.join(o.out, "train.log"), "a")

    def say(text):
        for f in (log, None):
            print(f"{time.time() - began:6.0f} s  {text}", file=f, flush=True)

    say(f"{dev}, activations {check_kernels(dev)}")
    groups = [make(g, dev, say) for g in options]
    loop = Loop(groups, o.eager, say)
    first = resumed(o, loop.trainers)
    at = from_step = loop.trainers[0].at
    torch.manual_seed(o.seed + at)
    say(f"from step {at}, {first:.3f} of the whole")
    from_time = time.time()

    def progress():
        part = (time.time() - from_time) / (began + o.seconds - from_time) if o.seconds else (at - from_step) / o.steps
        return first + (o.until - first) * min(part, 1)

    last, saved, now = None, time.time(), first
    while now < o.until:
        end, *kind = phase(o, now)
        if kind != last:
            last, run = kind, loop.capture(*kind)
        mark, mark_at = time.time(), at
        before = [[(t.at, float(t.skipped)) for t in g.trainers] for g in groups]
        while now < min(end, o.until) and time.time() - mark < o.every:
            for _ in range(20 if loop.cuda else 1):
                for t in loop.trainers:
                    t.plan(now)
                run()
                at += 1
            loop.wait()
            now = progress()
        speed = (at - mark_at) / (time.time() - mark)
        for g, b in zip(groups, before):
            report(g, now, b, speed, say)
        if time.time() - saved > o.checkpoint:
            save(o.out, now, loop.trainers)
            saved = time.time()
    save(o.out, now, loop.trainers)
    say("done")


if __name__ == "__main__":
    learn(list(parse(sys.argv[1:])))
