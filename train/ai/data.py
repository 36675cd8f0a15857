"""Training pictures on the GPU: luma, random patches, and the ways a small picture comes to be.

Everything runs on the device the pictures lie on, with fixed shapes, so that a whole training step
can be captured in one CUDA graph. Pixel values are 8-bit codes kept in floating point.
"""
import copy
import glob
import io
import math
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from averaged import samples
from soften import as_judged, soft_matrices

TAPS = 12  # of a downscale kernel: small pixel i is made of large pixels 2i-5 .. 2i+6
CELL = 16  # patches start on a grid of this many large pixels

# Whole groups of sources are kept from training, so that validation sees other hands' pictures.
HELD_OUT = ("renpy", "synfig", "hedgewars", "dice-lorelei")
PAINTED_OUT = ("wesnoth-utbs",)


def luma(path):
    """BT.709 luma of a picture, 8 bits, as tools that measure quality make it."""
    with Image.open(path) as im:
        if im.mode == "L":
            return np.array(im)
        rgb = np.array(im.convert("RGB"))
    if (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all():
        return rgb[..., 0].copy()
    y = rgb.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.clip(y + 0.5, 0, 255).astype(np.uint8)


def manifest(folder):
    """Of every picture of a folder: (path, how it is stored, 0 to train on, 1 held out, 2 a painted one held out)."""
    for line in list(open(os.path.join(folder, "manifest.tsv")))[1:]:
        name, _, _, _, stored_as, _, sources = line.rstrip("\n").split("\t")[:7]
        held = [any(s in kept for s in sources.split("+")) for kept in (HELD_OUT, PAINTED_OUT)]
        yield os.path.join(folder, name), stored_as, 1 if held[0] else 2 if held[1] else 0


@lru_cache
def load(folder):
    """Lists of 8-bit luma pictures, split by source: (to train on, held out, painted ones held out)."""
    rows = list(manifest(folder))
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(lambda r: luma(r[0]), rows))
    return tuple([p for p, r in zip(pictures, rows) if r[2] == kind] for kind in range(3))


@lru_cache
def folder(path):
    with ThreadPoolExecutor() as pool:
        return list(pool.map(luma, sorted(glob.glob(os.path.join(path, "*.webp")))))


def cubic(x, b, c):
    x = abs(x)
    if x < 1:
        return ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
    if x < 2:
        return ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c) / 6
    return 0.0


def sinc(x):
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


# name: (share of the patches, weight at distance x in small pixels)
KERNELS = {
    "box": (0.37, lambda x: float(abs(x) < 0.5)),
    "bicubic": (0.37, lambda x: cubic(x, 0.0, 0.5)),
    "lanczos": (0.06, lambda x: sinc(x) * sinc(x / 3) if abs(x) < 3 else 0.0),
    "triangle": (0.05, lambda x: max(0.0, 1 - abs(x))),
    "hamming": (0.03, lambda x: sinc(x) * (0.54 + 0.46 * math.cos(math.pi * x)) if abs(x) < 1 else 0.0),
    "mitchell": (0.04, lambda x: cubic(x, 1 / 3, 1 / 3)),
    "gauss0.4": (0.04, lambda x: math.exp(-x * x / (2 * 0.4**2))),
    "gauss0.55": (0.04, lambda x: math.exp(-x * x / (2 * 0.55**2))),
}


# Variants of a network learn from one of these: reductions that blur, and those that keep more than they should.
REDUCTIONS = {"all": tuple(KERNELS), "area": tuple(k for k in KERNELS if k not in ("bicubic", "lanczos")),
         "cubic": ("bicubic", "lanczos")}


def kernel_table(names, device):
    rows = [[KERNELS[n][1]((k - 5.5) / 2) for k in range(TAPS)] for n in names]
    t = torch.tensor(rows, dtype=torch.float32)
    return (t / t.sum(1, keepdim=True)).to(device)


def to_code(x):
    """Rounds to the nearest 8-bit code, halves up."""
    return torch.clamp(torch.floor(x + 0.5), 0, 255)


def halve(hr, kernel):
    """hr [B, 2n+10, 2m+10], kernel [B, 12] -> [B, n, m]: rows, rounded, then columns, rounded."""
    n, m = (hr.shape[1] - 10) // 2, (hr.shape[2] - 10) // 2
    k = kernel.t()[:, :, None, None]
    x = sum(k[t] * hr[:, :, t : t + 2 * m - 1 : 2] for t in range(TAPS))
    x = to_code(x)
    return to_code(sum(k[t] * x[:, t : t + 2 * n - 1 : 2] for t in range(TAPS)))


# ITU-T T.81, table K.1
LUMINANCE = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""


class Coder:
    """Coding noise: 8x8 DCT, quantized as JPEG does it, or nearly flat as video coders do."""

    def __init__(self, device):
        u, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
        d = 0.5 * torch.cos((2 * x + 1) * u * math.pi / 16)
        d[0] /= math.sqrt(2)
        self.dct = d.to(device)
        self.table = torch.tensor([float(v) for v in LUMINANCE.split()]).view(8, 8).to(device)
        self.slope = ((u + x) * 0.06 + 1).to(device)

    def __call__(self, x, rand):
        """x [B, 8n, 8m] codes, rand [B, 2] in 0..1 -> decoded codes."""
        b, h, w = x.shape
        quality = (70 + 25 * rand[:, 0]).view(b, 1, 1)
        jpeg = torch.clamp(torch.floor((self.table * (200 - 2 * quality) + 50) / 100), min=1)
        flat = (1.5 + 10 * rand[:, 0] ** 2).view(b, 1, 1) * self.slope
        q = torch.where(rand[:, 1].view(b, 1, 1) < 0.5, jpeg, flat)[:, None, None]
        x = (x - 128).view(b, h // 8, 8, w // 8, 8).transpose(2, 3)
        c = self.dct @ x @ self.dct.t()
        c = torch.round(c / q) * q
        x = (self.dct.t() @ c @ self.dct).transpose(2, 3).reshape(b, h, w)
        return to_code(x + 128)


def likely(picture, device, ys, xs, inner, size):
    """How likely a patch starts at rows ys and columns xs of a picture, its target `inner` further on and `size`
    wide: more often where interpolation fails. Adds up to 1."""
    x = torch.from_numpy(picture).to(device).float()[None, None]
    detail = (x - torch.nn.functional.avg_pool2d(x, 3, 1, 1)) ** 2
    cell = torch.nn.functional.avg_pool2d(detail[:, :, inner:, inner:], size, CELL)[0, 0]
    cell = cell[: len(ys), : len(xs)].cpu()
    share = 0.5 + 0.5 * torch.sqrt(cell / (cell.mean() + 0.2))
    return share / share.sum()


def pick(cumulative, count):
    """Indices of `count` places, as likely as their steps in `cumulative` are high."""
    at = torch.rand(count, device=cumulative.device, dtype=torch.float64)
    return torch.clamp(torch.searchsorted(cumulative, at), max=len(cumulative) - 1)


def pieces(flat, start, down, right, side):
    """Squares of codes or samples [B, side, side], or of all that flat has of a pixel: start, and the way to the next
    row and column, [B] each."""
    span = torch.arange(side, device=flat.device)
    at = start[:, None, None] + down[:, None, None] * span[:, None] + right[:, None, None] * span
    return flat[at.flatten()].view(len(start), side, side, *flat.shape[1:]).float()


def residue(small, hr, base, ring):
    """(differences [B,4,size,size] of the target hr [B,2*size,2*size] to the interpolation of small, their scale);
    small and hr: v/256 - 1/2."""
    edge = slice(ring - 2, small.shape[2] - ring + 2)
    target = torch.nn.functional.pixel_unshuffle(hr[:, None], 2) - base(small[:, :, edge, edge])
    return target, (target * target).mean((1, 2, 3)) + 1 / 256**2


class Patches:
    """Draws batches of (small patch, differences to learn, their scale, worth) from pictures on the device.

    size: small pixels of a target; ring: small pixels around it that only the network sees. The first
    `coded` patches of a batch carry coding noise, and count as much as `worth` says. A patch's scale is the
    squared error that plain interpolation makes there. share: of the patches that come from drawn pictures;
    soft: from soft originals. reduced: one of REDUCTIONS.
    """

    def __init__(self, collected, drawn, share, soft, device, batch, size, ring, base, worth=0.7, coded=0.2,
                 limited=0.3, grain=0.04, reduced="all"):
        self.grain, self.worth, self.base, self.soft = grain, worth, base, soft
        self.batch, self.ring, self.size, self.limited = batch, ring, size, limited
        self.coded = round(batch * coded)
        self.lr = size + 2 * ring
        assert self.lr % 8 == 0, "whole blocks for the coder"
        self.hr = 2 * self.lr + 10
        collected, drawn = ([p for p in ps if min(p.shape) >= self.hr] for ps in (collected, drawn))
        share = share if drawn else 0
        pictures = collected + drawn
        shares = [(1 - share) / len(collected)] * len(collected) + [share / max(len(drawn), 1)] * len(drawn)
        self.flat = torch.from_numpy(np.concatenate([p.ravel() for p in pictures])).to(device)
        self.kernels = kernel_table(REDUCTIONS[reduced], device)
        ways = torch.tensor([KERNELS[n][0] for n in REDUCTIONS[reduced]])
        self.ways = (torch.cumsum(ways, 0) / ways.sum())[:-1].to(device)
        self.coder = Coder(device)
        soften, self.focus = soft_matrices(self.hr)
        self.soften, self.focus = torch.from_numpy(soften).to(device), torch.from_numpy(self.focus).to(device)
        self._cells(pictures, shares, device)

    def of(self, batch, coded):
        """The same pictures in batches of another size and share of coding noise."""
        other = copy.copy(self)
        other.batch, other.coded = batch, round(batch * coded)
        return other

    def _cells(self, pictures, shares, device):
        """Lists where patches may start, and how likely: more often where interpolation fails."""
        starts, widths, probs, offset = [], [], [], 0
        for p, part in zip(pictures, shares):
            h, w = p.shape[:2]
            ys = torch.arange(0, h - self.hr + 1, CELL)
            xs = torch.arange(0, w - self.hr + 1, CELL)
            share = self._likely(p, device, ys, xs)
            starts.append((offset + ys[:, None] * w + xs[None]).flatten())
            widths.append(torch.full((share.numel(),), w))
            probs.append((part * share).flatten())
            offset += h * w
        self.start = torch.cat(starts).to(device)
        self.width = torch.cat(widths).to(device)
        self.cumulative = torch.cumsum(torch.cat(probs).double(), 0).to(device)
        self.cumulative /= self.cumulative[-1].clone()

    def _likely(self, picture, device, ys, xs):
        return likely(picture, device, ys, xs, 5 + 2 * self.ring, 2 * self.size)

    def _cut(self, r):
        """Pieces of pictures, mirrored and turned: [B, hr, hr] codes."""
        i = pick(self.cumulative, self.batch)
        last = self.hr - 1
        w, sy, sx, swap = self.width[i], r[:, 0] < 0.5, r[:, 1] < 0.5, r[:, 2] < 0.5
        start = self.start[i] + torch.where(sy, last * w, w * 0) + torch.where(sx, last, 0)
        dy, dx = torch.where(sy, -w, w), torch.where(sx, -1, 1)
        return pieces(self.flat, start, torch.where(swap, dx, dy), torch.where(swap, dy, dx), self.hr)

    def _soften(self, hr, r):
        """Some patches as if drawn smaller and enlarged, out of focus, or so in parts or along one axis."""
        b = len(hr)
        i = (r[:, 0] / max(self.soft, 1e-9) * len(self.soften)).long()
        chosen = i < len(self.soften)
        i = torch.clamp(i, max=len(self.soften) - 1)
        k = self.soften[i]
        soft = torch.where((r[:, 1] < 0.04).view(b, 1, 1), hr, k @ hr)
        soft = to_code(soft @ k.transpose(1, 2))
        sharp = self.focus @ torch.rand(b, *[self.focus.shape[1]] * 2, device=hr.device) @ self.focus.t()
        sharp = torch.clamp((sharp - 0.35) * 3.3, 0, 1)
        titled = (sharp > 0.7).float()
        part = r[:, 2].view(b, 1, 1)
        sharp = torch.where(part < 0.1, sharp, torch.where(part < 0.18, titled, 0 * sharp))
        sharp = torch.where(chosen.view(b, 1, 1), sharp, 0 * sharp + 1)
        return to_code(sharp * hr + (1 - sharp) * soft)

    def draw(self):
        """-> small [B,1,lr,lr], differences [B,4,size,size] to the interpolation, scale, worth [B]; v/256 - 1/2."""
        b, dev = self.batch, self.flat.device
        r = torch.rand(b, 15, device=dev)
        hr = self._cut(r)
        video = (r[:, 3] < self.limited).view(b, 1, 1)
        hr = torch.where(video, to_code(16 + hr * (219 / 255)), hr)
        hr = self._soften(hr, r[:, 12:])
        strength = torch.where(r[:, 10] < self.grain, 4 * r[:, 11], r[:, 11] * 0).view(b, 1, 1)
        hr = to_code(hr + torch.randn_like(hr) * strength)
        one = self.kernels[torch.bucketize(r[:, 4].contiguous(), self.ways)]
        two = self.kernels[torch.bucketize(r[:, 5].contiguous(), self.ways)]
        mix = torch.where(r[:, 6] < 0.06, r[:, 7], r[:, 7] * 0)[:, None]
        small = halve(hr, one * (1 - mix) + two * mix)
        small = torch.cat([self.coder(small[: self.coded], r[: self.coded, 8:10]), small[self.coded :]])
        small = small[:, None] / 256 - 0.5
        edge = slice(5 + 2 * self.ring, 5 + 2 * self.ring + 2 * self.size)
        target, scale = residue(small, hr[:, edge, edge] / 256 - 0.5, self.base, self.ring)
        worth = torch.where(torch.arange(b, device=dev) < self.coded, self.worth, 1.0)
        return small, target, scale, worth


class Pairs:
    """Draws batches as Patches does, from coded pairs (coded.py): mirrored, not turned, for codecs and discs treat
    rows and columns differently. All count in full. partners: the second half of a batch has the places of the
    first half in the next stored frame of the same clip, or in the one before where that was the last. averaged:
    share of the batch that is small frames as stage 5 leaves them."""

    def __init__(self, files, device, batch, size, ring, base, partners=False, averaged=0.0):
        self.batch, self.size, self.ring, self.base, self.partners = batch, size, ring, base, partners
        self.lr, self.averaged = size + 2 * ring, averaged
        small, large, after, starts, columns, widths, steps, probs, offset = [], [], [], [], [], [], [], [], 0
        frames = ((*frame, n + 1 == len(clip[0])) for clip in (stored(f, averaged > 0) for f in files)
                  for n, frame in enumerate(zip(*clip)))
        for s, l, a, last in frames:
            h, w = s.shape
            ys, xs = (torch.arange(0, n - self.lr + 1, CELL // 2) for n in (h, w))
            probs.append(likely(l, device, ys, xs, 2 * ring, 2 * size).flatten())
            starts.append((offset + ys[:, None] * w + xs).flatten())
            columns.append((ys[:, None] * 0 + xs).flatten())
            widths.append(torch.full_like(starts[-1], w))
            steps.append(torch.full_like(starts[-1], -s.size if last else s.size))
            offset += s.size
            small.append(s.ravel())
            large.append(l.ravel())
            after.append(a.ravel())
        self.after = offset  # where what stage 5 left begins
        flat = np.concatenate(small + after if averaged else small).view(np.int16)  # none is above 32767
        self.flat, self.large = (torch.from_numpy(v).to(device) for v in (flat, np.concatenate(large)))
        self.start, self.column, self.width, self.step = (torch.cat(v).to(device) for v in (starts, columns, widths, steps))
        self.cumulative = torch.cumsum(torch.cat(probs).double(), 0).to(device)
        self.cumulative /= self.cumulative[-1].clone()

    def draw(self):
        half = self.batch // 2 if self.partners else 0
        r = torch.rand(self.batch, 3, device=self.flat.device)
        i = pick(self.cumulative, self.batch)
        r[half : 2 * half], i[half : 2 * half] = r[:half], i[:half]
        start, w, up, left = self.start[i], self.width[i], r[:, 0] < 0.5, r[:, 1] < 0.5
        start[half : 2 * half] += self.step[i[:half]]
        down, right = torch.where(up, -w, w), torch.where(left, -1, 1)
        first = lambda at, w, side: at + torch.where(up, (side - 1) * w, w * 0) + torch.where(left, side - 1, 0)
        which = torch.where(r[:, 2] < self.averaged, self.after, 0)
        small = pieces(self.flat, which + first(start, w, self.lr), down, right, self.lr)[:, None] / 32768 - 0.5
        start = 4 * start - 2 * self.column[i] + 2 * self.ring * (2 * w + 1)  # 4 for each row, 2 for each column
        hr = pieces(self.large, first(start, 2 * w, 2 * self.size), 2 * down, right, 2 * self.size) / 256 - 0.5
        target, scale = residue(small, hr, self.base, self.ring)
        return small, target, scale, torch.ones_like(scale)


class Mixed:
    """Batches of several kinds side by side."""

    def __init__(self, *kinds):
        self.kinds, self.flat = kinds, kinds[0].flat

    def draw(self):
        return [torch.cat(parts) for parts in zip(*(k.draw() for k in self.kinds))]


def stored(path, averaged=False):
    """(small [n,h,w] in 15-bit samples, large [n,2h,2w], small or, averaged, what stage 5 makes of it) of a file of
    coded pairs."""
    with np.load(path) as z:
        small = samples(z["small"])
        return small, z["large"], z["averaged"] if averaged else small


def middles(files, side=192, averaged=False):
    """The middles of two frames of every file of coded pairs: (small [2N,h,w] in codes, large [2N,2h,2w])."""
    out = [], []
    for f in files:
        small, large, after = stored(f, averaged)
        small = (after if averaged else small).astype(np.float32) / 128
        y, x = ((n - side) // 2 for n in small.shape[1:])
        out[0].extend(small[1:4:2, y : y + side, x : x + side])
        out[1].extend(large[1:4:2, 2 * y : 2 * (y + side), 2 * x : 2 * (x + side)])
    return tuple(np.stack(v) for v in out)


def validation(pictures, factor=None, side=384, jpeg=None, kernels=(Image.BOX, Image.BICUBIC)):
    """Middle squares of pictures, softened by a factor, each reduced with all kernels, by PIL:
    (small [kernels * N,h,w], large [kernels * N,2h,2w])."""
    small, large = [], []
    for p in pictures:
        if min(p.shape) < side:
            continue
        y, x = (p.shape[0] - side) // 2, (p.shape[1] - side) // 2
        hr = p[y : y + side, x : x + side]
        if factor:
            hr = as_judged(hr, factor)
        for k in kernels:
            lr = Image.fromarray(hr).resize((side // 2, side // 2), k)
            if jpeg:
                file = io.BytesIO()
                lr.save(file, "JPEG", quality=jpeg)
                lr = Image.open(file)
            small.append(np.asarray(lr))
            large.append(hr)
    return np.stack(small), np.stack(large)
