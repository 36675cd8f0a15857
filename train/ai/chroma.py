#!/usr/bin/env python3
"""Networks that enlarge chroma of 4:2:0: codes stills, trains, judges.

    chroma.py code --data DIR --out DIR [--ffmpeg PROGRAM]
    chroma.py train --data DIR --out DIR [--coded DIR] (--seconds S | --steps N) [NAME...]
    chroma.py judge --images DIR [--coded CODEC:NUMBER...] [--ffmpeg PROGRAM] NAME.npz...

A network works at the size of chroma, sited left. Its inputs are six planes: luma at the top left, top right, bottom
left and bottom right of the 2x2 samples that a chroma sample belongs to, U, V. It gives eight differences, the same
four places for U, then for V, to what the program makes of chroma without it: the limited output of its filter, or of
guided chroma where NAME ends in "-guided". Numbers are those of the other networks (model.py): 15-bit samples, 8-bit
codes times 128, less 16384 as inputs; differences are in the same unit.

code: every picture that is large enough, halved with a box and with bicubic and coded, several times each, as a still
of x264 or x265 (a crf), MPEG-2 or Xvid (a quantizer); those held out once with each, at a number of its own. Most of
the latter two are BT.601, few of the others. OUT/still_NAME_N.npz and OUT/held_NAME_CODEC.npz hold `luma` [2h,2w] and
`chroma` [2,h,w] of the decoded still, `truth` [2,2h,2w], chroma of the picture itself, all of 8 bits, and `settings`.
train: as train.py does; patches of pictures, some of them with coding noise, and of coded stills. --data has
manifest.tsv and img/ as for train.py; grey pictures are left out. OUT gets train.log, NAME.pt and NAME.npz, the
integers. Defaults of size and ring are in samples of chroma.
judge: PSNR in dB of both planes of chroma, without 4 samples at the edges, of images halved with a box and with
bicubic (means of both), not coded ("clean") and with each codec, such as x264:20: filter, guided chroma, and the
networks in exact integers, rounded to 10 bits. Nothing removes noise before; filters are not rounded as the program's
are. --matrix, --full and --centred make the images video of another kind; networks are told nothing of it. In the end,
in 8-bit codes: what networks say of flat colours and of grey images, which the program does not let them move.
Needs torch, numpy and PIL; FFmpeg with libx264 for code and judge; a GPU for train unless you are patient.
"""
import argparse
import glob
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from multiprocessing import Pool
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import colour
import data
import pack
import reference
import train
from data import to_code
from model import Layer, Net, Spec

REDUCE = {"box": Image.BOX, "bicubic": Image.BICUBIC}
LEAST = 300  # pixels along a picture that is coded
EDGE = 4  # samples of chroma at the edges that are not judged


class Codec(NamedTuple):
    """options: FFmpeg's, a number behind them; least, most: of the numbers to learn from; held: the one to judge with;
    share: of the stills; older: part of these that are BT.601."""

    options: str
    least: float
    most: float
    held: int
    share: float
    older: float


CODECS = {
    "x264": Codec("-c:v libx264 -preset medium -crf", 14, 26, 20, 0.45, 0.1),
    "x265": Codec("-c:v libx265 -preset medium -x265-params log-level=error:pools=none:frame-threads=1 -crf", 14, 28, 22, 0.15, 0.1),
    "mpeg2": Codec("-c:v mpeg2video -q:v", 2, 8, 4, 0.25, 0.8),
    "xvid": Codec("-c:v libxvid -q:v", 2, 8, 4, 0.15, 0.8),
}
OLDER = 0.25  # of the patches of pictures, BT.601
FULL = 0.1  # of them, full range
GREY = 0.04  # of them, without colour

soft_matrices = lru_cache(data.soft_matrices)  # they take seconds, and are the same for all pictures


def shape(width, body):
    middle = [Layer("conv", width, width)] * body
    return Spec((Layer("conv", 6, width), *middle, Layer("conv", width, 8)), 4)


SPECS = {
    "anime-chroma": shape(32, 4),
    "chroma-48x4": shape(48, 4),
    "chroma-16x3-guided": shape(16, 3),
}


def picture(path, stored_as):
    """[h,w,3] of 8 bits, or None for a grey one."""
    with Image.open(path) as im:
        if im.mode == "L":
            return None
        im = im.convert("RGB")
    if stored_as.startswith("lossy"):  # its colours have half the size
        im = im.resize((im.size[0] // 2, im.size[1] // 2), Image.BOX)
    return np.array(im)


def load(folder):
    """Coloured pictures by their names: (to train on, held out)."""
    rows = list(data.manifest(folder))
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(lambda r: picture(*r[:2]), rows))
    named = [(os.path.basename(path).rpartition(".")[0], held, p)
             for (path, _, held), p in zip(rows, pictures) if p is not None]
    return tuple({name: p for name, held, p in named if held == kind} for kind in (0, 1))


def by_fours(picture):
    """Cut so that half of it has whole samples of chroma."""
    h, w = (n // 4 * 4 for n in picture.shape[:2])
    return picture[:h, :w]


def reduced(picture, kernel, form=colour.Format()):
    """(luma, chroma) of half the size."""
    h, w = picture.shape[:2]
    return colour.subsampled(np.array(Image.fromarray(picture).resize((w // 2, h // 2), REDUCE[kernel])), form)


def coded(luma, chroma, setting, ffmpeg):
    """(luma, chroma) as a codec leaves them; setting: its name and number, with ":" between."""
    (h, w), (codec, _, number) = luma.shape, setting.partition(":")
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p"]
    call = [ffmpeg, "-v", "error", "-threads", "1"]
    encode = [*call, *raw, "-s", f"{w}x{h}", "-i", "-", *CODECS[codec].options.split(), number, "-threads", "1", "-f", "matroska", "-"]
    stream = subprocess.run(encode, input=luma.tobytes() + chroma.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    decode = [*call, "-f", "matroska", "-i", "-", "-vsync", "0", *raw, "-"]
    out = np.frombuffer(subprocess.run(decode, input=stream, stdout=subprocess.PIPE, check=True).stdout, np.uint8)
    if out.size != h * w * 3 // 2:
        raise ValueError(f"{setting}: {out.size / (h * w * 1.5):.1f} frames came back")
    return out[: h * w].reshape(h, w), out[h * w :].reshape(2, h // 2, w // 2)


def stills(rng, each):
    """What is made of one picture: (kernel, setting, Format) of each still."""
    for n in range(each):
        codec = str(rng.choice(list(CODECS), p=[c.share for c in CODECS.values()]))
        c = CODECS[codec]
        number = rng.uniform(c.least, c.most) if c.options.endswith("crf") else rng.integers(c.least, c.most + 1)
        matrix = "601" if rng.random() < c.older else "709"
        yield list(REDUCE)[n % 2], f"{codec}:{round(float(number), 1):g}", colour.Format(matrix)


def code_picture(job):
    """Writes the coded stills of one picture; how many these are."""
    o, index, path, stored_as, held = job
    torch.set_num_threads(1)
    p = picture(path, stored_as)
    if p is None or min(p.shape[:2]) < LEAST:
        return 0
    p, rng, name = by_fours(p), np.random.default_rng((o.seed, index)), os.path.basename(path).rpartition(".")[0]
    if held:
        made = {codec: (rng.choice(list(REDUCE)), f"{codec}:{c.held}", colour.Format("601" if c.older > 0.5 else "709"))
                for codec, c in CODECS.items()}
    else:
        made = dict(enumerate(stills(rng, o.each)))
    for n, (kernel, setting, form) in made.items():
        luma, chroma = coded(*reduced(p, kernel, form), setting, o.ffmpeg)
        np.savez(os.path.join(o.out, f"{'held' if held else 'still'}_{name}_{n}.npz"), luma=luma, chroma=chroma,
                 truth=colour.subsampled(p, form)[1], settings=f"{kernel} {setting} {form.matrix}")
    return len(made)


def code(o):
    """Writes coded stills."""
    os.makedirs(o.out, exist_ok=True)
    jobs = [(o, n, *row) for n, row in enumerate(data.manifest(o.data)) if row[2] < 2]
    with Pool(o.jobs) as pool:
        count = sum(pool.imap_unordered(code_picture, jobs))
    print(f"{count} coded stills in {o.out}")


def likely(chroma, ys, xs, inner, size, cell):
    """How likely a patch starts at rows ys and columns xs of chroma [1,2,h,w], its target `inner` further on and `size`
    wide, starts `cell` apart: more often where there is detail. Adds up to 1."""
    detail = (chroma - F.avg_pool2d(chroma, 3, 1, 1, count_include_pad=False)) ** 2
    each = F.avg_pool2d(detail.sum(1, keepdim=True)[:, :, inner:, inner:], size, cell)[0, 0]
    each = each[: len(ys), : len(xs)].cpu()
    share = 0.4 + 0.6 * torch.sqrt(each / (each.mean() + 0.05))
    return share / share.sum()


def batch_of(luma, chroma, truth, ring, worth):
    """What both kinds of patches give: inputs [B,6,c,c], differences [B,8,size,size] to the filter and to guided
    chroma, their scale, and worth [B]; v/256 - 1/2."""
    plain = colour.filtered(chroma)
    guided = colour.guided(plain, chroma, luma)
    x = torch.cat([F.pixel_unshuffle(luma, 2), chroma], 1) / 256 - 0.5
    edge = slice(ring, -ring)
    plain, guided = (F.pixel_unshuffle((truth - v) / 256, 2)[:, :, edge, edge] for v in (plain, guided))
    scale = (plain * plain).mean((1, 2, 3)) + (0.4 / 256) ** 2
    return x, plain, guided, scale, worth


class Patches(data.Patches):
    """Draws batches (batch_of) from coloured pictures on the device. size, ring: samples of chroma."""

    def __init__(self, pictures, device, batch, size, ring, noise, worth, augment=True):
        self.batch, self.size, self.ring, self.worth, self.augment = batch, size, ring, worth, augment
        self.coded = round(batch * noise)
        self.c = size + 2 * ring
        assert self.c % 8 == 0, "whole blocks for the coder"
        self.lr = 2 * self.c + 8  # luma, with 4 around for the taps that halve chroma
        self.hr = 2 * self.lr + 10
        pictures = [p for p in pictures if min(p.shape[:2]) >= self.hr]
        self.flat = torch.from_numpy(np.concatenate([p.reshape(-1, 3) for p in pictures])).to(device)
        names = data.REDUCTIONS["all"]
        self.kernels = data.kernel_table(names, device)
        ways = torch.tensor([data.KERNELS[n][0] for n in names])
        self.ways = (torch.cumsum(ways, 0) / ways.sum())[:-1].to(device)
        across, down = zip(*colour.DECIMATE.values())
        self.across, self.down = (torch.tensor(v, dtype=torch.float32, device=device) for v in (across, down))
        self.soften = torch.from_numpy(soft_matrices(self.hr, 256)[0]).to(device)
        self.dct = data.Coder(device).dct
        areas = [float(p.shape[0] * p.shape[1]) ** 0.5 for p in pictures]
        self._cells(pictures, areas, device)

    def _likely(self, picture, device, ys, xs):
        x = torch.from_numpy(picture).to(device).float().permute(2, 0, 1)[None]
        chroma = F.avg_pool2d(colour.ycc(x)[:, 1:], 2, 2)
        return likely(chroma, ys, xs, 4 + 2 * self.ring, 2 * self.size, data.CELL // 2)

    def _coloured(self, rgb, r):
        """Some with channels in another order, some with more or less colour, few with none."""
        order = torch.argsort(torch.rand(len(rgb), 3, device=rgb.device), 1)
        order = torch.where((r[:, 0] < 0.4)[:, None], order, torch.arange(3, device=rgb.device))
        rgb = torch.gather(rgb, 1, order[:, :, None, None].expand_as(rgb))
        grey = rgb.mean(1, keepdim=True)
        more = torch.where(r[:, 1] < 0.4, 1.8 * r[:, 2], r[:, 2] * 0 + 1)
        more = torch.where(r[:, 1] > 1 - GREY, r[:, 2] * 0, more).view(-1, 1, 1, 1)
        return torch.clamp(grey + more * (rgb - grey), 0, 255)

    def _halve(self, large, kernel):
        """[B,3,2s+10,2s+10], kernel [B,12] -> [B,3,s,s], not rounded."""
        side = large.shape[2]
        flat, s = large.reshape(-1, side, side), (side - 10) // 2
        k = kernel.repeat_interleave(3, 0).t()[:, :, None, None]
        x = sum(k[t] * flat[:, :, t : t + 2 * s - 1 : 2] for t in range(data.TAPS))
        return sum(k[t] * x[:, t : t + 2 * s - 1 : 2] for t in range(data.TAPS)).view(-1, 3, s, s)

    def _code(self, x, step, dead):
        """Coding noise of a video coder: one step for all of an 8x8 DCT, more of what is small gone."""
        b, c, h, w = x.shape
        step, dead = (v.view(b, 1, 1, 1, 1, 1) for v in (step, dead))
        x = (x - 128).view(b, c, h // 8, 8, w // 8, 8).transpose(3, 4)
        x = self.dct @ x @ self.dct.t()
        x = torch.sign(x) * torch.floor(x.abs() / step + dead) * step
        return to_code((self.dct.t() @ x @ self.dct).transpose(3, 4).reshape(b, c, h, w) + 128)

    def draw(self):
        b, c, n, dev = self.batch, self.c, self.coded, self.flat.device
        r = torch.rand(b, 16, device=dev)
        rgb = self._cut(r).permute(0, 3, 1, 2)
        if self.augment:
            rgb = self._coloured(rgb, r[:, 3:])
        k = self.soften[(r[:, 6] * len(self.soften)).long()][:, None]
        rgb = to_code(torch.where((r[:, 7] < 0.35).view(b, 1, 1, 1), k @ rgb @ k.transpose(2, 3), rgb))
        strength = torch.where(r[:, 8] < 0.04, 4 * r[:, 9], r[:, 9] * 0).view(b, 1, 1, 1)
        rgb = rgb + torch.randn_like(rgb) * strength
        kind = r[:, 15].view(b, 1, 1, 1)
        large = torch.where(kind < OLDER, colour.ycc(rgb, colour.Format("601")), colour.ycc(rgb))
        large = torch.where(kind > 1 - FULL, colour.ycc(rgb, colour.Format(full=True)), large)
        small = self._halve(large, self.kernels[torch.bucketize(r[:, 10].contiguous(), self.ways)])
        way = (r[:, 11] < 0.3).long()
        luma = to_code(small[:, :1, 4:-4, 4:-4])
        chroma, truth = (to_code(colour.decimate(x[:, 1:, at : at + 2 * side + 7, at : at + 2 * side + 7],
                                                 self.across[way], self.down[way]))
                         for x, at, side in ((small, 1, c), (large, 10, 2 * c)))
        step, dead = 1.5 * 8 ** r[:n, 12], 0.2 + 0.3 * r[:n, 13]
        luma = torch.cat([self._code(luma[:n], step, dead), luma[n:]])
        chroma = torch.cat([self._code(chroma[:n], step * (0.7 + 0.6 * r[:n, 14]), dead), chroma[n:]])
        worth = torch.where(torch.arange(b, device=dev) < n, self.worth, 1.0)
        return batch_of(luma, chroma, truth, self.ring, worth)


def still(path):
    with np.load(path) as z:
        return z["luma"], z["chroma"], z["truth"]


class Stills:
    """Draws batches as Patches does, from coded stills: upside down or not, never mirrored, for chroma lies left; U
    and V exchanged, the colours of either the opposite ones."""

    def __init__(self, files, device, batch, size, ring, worth):
        self.batch, self.ring, self.worth, self.c = batch, ring, worth, size + 2 * ring
        self.flat, fine, starts, columns, widths, probs, offset = [], [], [], [], [], [], 0
        with ThreadPoolExecutor() as pool:
            loaded = list(pool.map(still, files))
        for luma, chroma, truth in loaded:
            h, w = chroma.shape[1:]
            if min(h, w) < self.c:
                continue
            ys, xs = (torch.arange(0, n - self.c + 1, 4) for n in (h, w))
            share = likely(torch.from_numpy(truth).to(device).float()[None], ys, xs, 2 * ring, 2 * size, 8)
            probs.append((share * (h * w) ** 0.5).flatten())
            starts.append((offset + ys[:, None] * w + xs).flatten())
            columns.append((ys[:, None] * 0 + xs).flatten())
            widths.append(torch.full_like(starts[-1], w))
            offset += h * w
            self.flat.append(chroma.reshape(2, -1).T)
            fine.append(np.concatenate([luma[None], truth]).reshape(3, -1).T)
        self.flat, self.fine = (torch.from_numpy(np.concatenate(v)).to(device) for v in (self.flat, fine))
        self.start, self.column, self.width = (torch.cat(v).to(device) for v in (starts, columns, widths))
        self.cumulative = torch.cumsum(torch.cat(probs).double(), 0).to(device)
        self.cumulative /= self.cumulative[-1].clone()

    def draw(self):
        r = torch.rand(self.batch, 4, device=self.flat.device)[:, :, None, None, None]
        i = data.pick(self.cumulative, self.batch)
        start, w, one = self.start[i], self.width[i], torch.ones_like(i)
        fine = 4 * start - 2 * self.column[i]  # 4 for each row, 2 for each column
        chroma = data.pieces(self.flat, start, w, one, self.c).permute(0, 3, 1, 2)
        fine = data.pieces(self.fine, fine, 2 * w, one, 2 * self.c).permute(0, 3, 1, 2)
        chroma, fine = (torch.where(r[:, 0] < 0.5, v.flip(2), v) for v in (chroma, fine))
        luma, truth = fine[:, :1], fine[:, 1:]
        chroma, truth = (torch.where(r[:, 1] < 0.5, v.flip(1), v) for v in (chroma, truth))
        sign = torch.where(r[:, 2:, 0] < 0.5, -1.0, 1.0)
        chroma, truth = (128 + sign * (v - 128) for v in (chroma, truth))
        return batch_of(luma, chroma, truth, self.ring, torch.full_like(r[:, 0, 0, 0, 0], self.worth))


def mean_psnr(errors):
    """Mean over patches, of errors in units of 256 codes."""
    return (-10 * torch.log10((errors * errors).mean((1, 2, 3)) + 1e-8)).mean().item()


class Group(train.Group):
    """Networks that enlarge chroma, and what they learn from."""

    def __init__(self, o, dev, say):
        pictures, held = (list(v.values()) for v in load(o.data))
        say(f"{len(pictures)} pictures, {len(held)} held out")
        judged = 8 if dev.type == "cuda" else 1  # batches of each kind
        torch.manual_seed(5)
        patches = Patches(held, dev, 32, o.size, o.ring, 0, 1, augment=False)
        self.val = {"clean": [patches.draw() for _ in range(judged)]}
        there = round(o.batch * o.coded_share) if o.coded else 0
        self.patches = Patches(pictures, dev, o.batch - there, o.size, o.ring, o.noise, o.worth)
        if there:
            files = {kind: sorted(glob.glob(os.path.join(o.coded, name + ".npz")))
                     for kind, name in {"still": "still_*", **{c: "held_*_" + c for c in CODECS}}.items()}
            say("coded stills: " + ", ".join(f"{len(names)} {kind}" for kind, names in files.items()))
            for codec in CODECS:
                patches = Stills(files[codec], dev, 32, o.size, o.ring, o.worth)
                self.val[codec] = [patches.draw() for _ in range(judged)]
            self.patches = data.Mixed(self.patches, Stills(files["still"], dev, there, o.size, o.ring, o.worth))
        for n, base in enumerate(("filter", "guided")):
            say(f"held out, {base}: " + "  ".join(f"{kind} {np.mean([mean_psnr(b[1 + n]) for b in batches]):.3f}"
                                                  for kind, batches in self.val.items()))
        self.trainers = [self.trainer(o, name, dev, say) for name in o.names]
        self.batch = [t.clone() for t in self.patches.draw()]
        self.following = None

    @staticmethod
    def trainer(o, name, dev, say):
        net = Net(SPECS[name], dev, o.seed)
        if o.start:
            net.start(pack.layers(os.path.join(o.start, name + ".npz") if os.path.isdir(o.start) else o.start))
        say(f"{name}: {net.spec.multiplications() / 4:.0f} multiplications per pixel of luma, reach {net.spec.reach()}")
        return train.Trainer(name, net, o.peak, o.muon)

    @staticmethod
    def of(t, batch):
        """What a trainer's network learns of a batch."""
        x, plain, guided, scale, worth = batch
        return x, guided if t.name.endswith("-guided") else plain, scale, worth

    def jobs(self, quant, squared):
        def draw():
            self.following = self.patches.draw()

        return [lambda t=t: t.step(*self.of(t, self.batch), quant, squared) for t in self.trainers] + [draw]

    def error(self, t, batch):
        x, y, *_ = self.of(t, batch)
        ring = (x.shape[3] - y.shape[3]) // 2
        with torch.no_grad():
            return t.net.differences(x, t.ema, True)[:, :, ring:-ring, ring:-ring] - y

    def validated(self, t):
        got = {kind: np.mean([mean_psnr(self.error(t, b)) for b in batches]) for kind, batches in self.val.items()}
        return "  ".join(f"{kind} {v:.3f}" for kind, v in got.items()), got["clean"]


def differences(chain, x):
    """reference.differences of plain layers, in float32, which holds these integers exactly, and sums them faster."""
    x = torch.from_numpy(x).float()[None]
    for layer in chain:
        x = F.conv2d(x, torch.from_numpy(layer.weights).float(), padding=layer.weights.shape[2] // 2)
        bias, unit = (torch.from_numpy(np.asarray(v, np.float64))[:, None, None] for v in (layer.bias, 2.0**layer.shift))
        x = torch.floor((x.double() + bias) / unit)
        x = x if layer is chain[-1] else x.clamp(0, 255).float()
    return x[0].long().numpy()


def enlarged(chain, base, luma, chroma):
    """Chroma [2,2h,2w] by a network in exact integers, added to base [2,2h,2w]; rounded to 10 bits, in 8-bit codes."""
    planes = (x.astype(np.int64) * 128 for x in (luma, chroma))
    whole = reference.double_chroma(chain, *planes, np.floor(base * 128 + 0.5).astype(np.int64), differences).astype(np.int64)
    return np.clip((whole + 16) >> 5, 0, 1023) / 4


def psnr(x, truth):
    e = (x - truth.astype(np.float64))[:, EDGE:-EDGE, EDGE:-EDGE]
    return 10 * np.log10(255**2 / max((e * e).mean(), 1e-4))


def scores(luma, chroma, truth, networks, centred=False):
    """PSNR of the filter, of guided chroma and of {name: layers}."""
    planes = torch.from_numpy(chroma.astype(np.float32))[None]
    plain = colour.filtered(planes, centred)
    guided = colour.guided(plain, planes, torch.from_numpy(luma.astype(np.float32))[None, None], centred)
    plain, guided = plain[0].numpy(), guided[0].numpy()
    out = [plain, guided]
    for name, chain in networks.items():
        out.append(enlarged(chain, guided if name.endswith("-guided") else plain, luma, chroma))
    out[:2] = [np.floor(v * 4 + 0.5) / 4 for v in out[:2]]
    return [psnr(v, truth) for v in out]


def flat_shift(chain, count=300):
    """(mean, most) of what a network adds to random flat colours of limited range, in 8-bit codes."""
    side = 2 * reference.margin(chain)[0] + 1
    rng = np.random.default_rng(1)
    codes = np.concatenate([rng.integers(16, 236, (count, 1)).repeat(4, 1), rng.integers(16, 241, (count, 2))], 1)
    moved = [differences(chain, np.tile(c[:, None, None] * 128 - 16384, (side, side)))[:, side // 2, side // 2]
             for c in codes]
    return np.abs(moved).mean() / 128, np.abs(moved).max() / 128


def grey_shift(chain, luma):
    """The most that a network adds to chroma of a grey picture, in 8-bit codes."""
    grey = np.full((2, *(n // 2 for n in luma.shape)), 128)
    planes = (x.astype(np.int64) * 128 for x in (luma, grey))
    return np.abs(reference.chroma_differences(chain, *planes, differences)).max() / 128


def judge_image(job):
    """For every way of coding: figures of filter, guided chroma and the networks."""
    o, f = job
    torch.set_num_threads(1)
    networks = {name: pack.layers(path) for name, path in named(o.networks).items()}
    form = colour.Format(o.matrix, o.full, o.centred)
    with Image.open(f) as im:
        p = by_fours(np.array(im.convert("RGB")))
    truth, out = colour.subsampled(p, form)[1], {}
    halves = [reduced(p, kernel, form) for kernel in REDUCE]
    for setting in ("clean", *o.coded):
        each = [v if setting == "clean" else coded(*v, setting, o.ffmpeg) for v in halves]
        out[setting] = np.mean([scores(*v, truth, networks, o.centred) for v in each], 0)
    return out, [grey_shift(chain, halves[0][0]) for chain in networks.values()]


def named(files):
    return {os.path.basename(f).removesuffix(".npz"): f for f in files}


def judge(o):
    """Prints a line for each image and a mean for each way of coding."""
    images, names = sorted(glob.glob(os.path.join(o.images, "*.png"))), named(o.networks)
    print("coded", "image", "filter", "guided", *names, sep="\t")
    with Pool(o.jobs) as pool:
        found, grey = zip(*pool.imap(judge_image, [(o, f) for f in images]))
    for setting in found[0]:
        rows = [v[setting] for v in found]
        for f, row in zip(images, rows):
            print(setting, os.path.basename(f).removesuffix(".png"), *(f"{v:.2f}" for v in row), sep="\t")
        print(setting, "mean", *(f"{v:.2f}" for v in np.mean(rows, 0)), sep="\t", flush=True)
        gains = np.array(rows)[:, 1:] - np.array(rows)[:, :1]
        print(setting, "least gain", "", *(f"{v:.2f}" for v in gains.min(0)), sep="\t", flush=True)
    flat = np.transpose([flat_shift(pack.layers(f)) for f in names.values()])
    for kind, row in ("flat, mean", flat[0]), ("flat, most", flat[1]), ("grey, most", np.max(grey, 0)):
        print("adds", kind, "", "", *(f"{v:.2f}" for v in row), sep="\t")


def parser():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = ap.add_subparsers(dest="verb", required=True)
    p = verbs.add_parser("code", help="make coded stills")
    p.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    p.add_argument("--out", required=True)
    p.add_argument("--each", type=int, default=6, help="stills of a picture")
    p.add_argument("--seed", type=int, default=3)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--ffmpeg", default="ffmpeg")
    p = verbs.add_parser("train")
    p.add_argument("names", nargs="*", metavar="NAME", default=["anime-chroma"], help=", ".join(SPECS))
    p.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    p.add_argument("--coded", help="folder of coded stills to learn from as well")
    p.add_argument("--coded-share", type=float, default=0.5, help="of patches from them; --noise is of the others")
    p.add_argument("--noise", type=float, default=0.35, help="share of patches with coding noise")
    p.add_argument("--worth", type=float, default=0.8, help="weight of patches with coding noise or from coded stills")
    train.run_options(p)
    p.set_defaults(batch=48, size=48, ring=8, quantized=0.2, squared=0.4)
    p = verbs.add_parser("judge")
    p.add_argument("networks", nargs="+", metavar="NAME.npz")
    p.add_argument("--images", required=True, help="folder of PNG")
    p.add_argument("--coded", nargs="*", default=["x264:20"], metavar="CODEC:NUMBER", help=", ".join(CODECS))
    p.add_argument("--matrix", choices=colour.MATRICES, default="709")
    p.add_argument("--full", action="store_true", help="full range")
    p.add_argument("--centred", action="store_true", help="chroma sited in the middle of four luma samples")
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--ffmpeg", default="ffmpeg")
    return ap


def main():
    o = parser().parse_args()
    if o.verb == "train":
        if not o.out:
            parser().error("--out is needed")
        train.learn([o], Group)
    else:
        {"code": code, "judge": judge}[o.verb](o)


if __name__ == "__main__":
    main()
