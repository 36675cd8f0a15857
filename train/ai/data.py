"""Training pictures on the GPU: luma, random patches, and the ways a small picture comes to be.

Everything runs on the device the pictures lie on, with fixed shapes, so that a whole training step
can be captured in one CUDA graph. Pixel values are 8-bit codes kept in floating point.
"""
import math
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from soften import as_judged, softened

TAPS = 12  # of a downscale kernel: small pixel i is made of large pixels 2i-5 .. 2i+6
CELL = 16  # patches start on a grid of this many large pixels

# Whole groups of sources are kept from training, so that validation sees other hands' pictures.
HELD_OUT = ("renpy", "synfig", "hedgewars", "dice-lorelei")


def luma(path):
    """BT.709 luma of a picture, 8 bits, as tools that measure quality make it."""
    rgb = np.asarray(Image.open(path).convert("RGB")).astype(np.float32)
    y = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.clip(y + 0.5, 0, 255).astype(np.uint8)


def load(folder):
    """Returns (training, validation): lists of 8-bit luma pictures, split by source."""
    rows = [l.rstrip("\n").split("\t") for l in open(os.path.join(folder, "manifest.tsv"))][1:]
    held = [any(s in HELD_OUT for s in r[6].split("+")) for r in rows]
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(lambda r: luma(os.path.join(folder, r[0])), rows))
    return ([p for p, h in zip(pictures, held) if not h], [p for p, h in zip(pictures, held) if h])


def folder(path):
    return [luma(os.path.join(path, f)) for f in sorted(os.listdir(path))]


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


def kernel_table(device):
    rows = [[f((k - 5.5) / 2) for k in range(TAPS)] for _, f in KERNELS.values()]
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


class Patches:
    """Draws batches of (small patch, large target, weight) from pictures on the device.

    radius: small pixels around a patch that the network looks at; size: small pixels of a target, at least.
    The first `coded` patches of a batch carry coding noise. The weights make the weighted squared
    error an unbiased stand-in for the mean over pictures of log MSE: the error of a picture counts
    in units of the error plain interpolation makes there, and patches drawn more often count less.
    soft: share of the patches that come from the soft pictures.
    """

    def __init__(self, sharp, soft_pictures, soft, device, batch, size, radius, base, worth=0.35, limited=0.3, grain=0.04):
        pictures = sharp + soft_pictures
        share = [(1 - soft) / len(sharp)] * len(sharp) + [soft / max(len(soft_pictures), 1)] * len(soft_pictures)
        self.grain, self.coded_worth = grain, worth
        self.batch, self.radius, self.limited = batch, radius, limited
        self.coded = batch // 8
        self.lr = (size + 2 * radius + 7) // 8 * 8  # whole blocks for the coder
        self.size = self.lr - 2 * radius
        self.hr = 2 * self.lr + 10
        self.flat = torch.from_numpy(np.concatenate([p.ravel() for p in pictures])).to(device)
        self.kernels = kernel_table(device)
        shares = torch.tensor([s for s, _ in KERNELS.values()])
        self.shares = (torch.cumsum(shares, 0) / shares.sum())[:-1].to(device)
        self.coder = Coder(device)
        self.span = torch.arange(self.hr, device=device)
        self._cells(pictures, share, device, base)

    def _cells(self, pictures, shares, device, base):
        """Lists where patches may start, how likely each is, and what its error is worth."""
        starts, widths, probs, worth, offset = [], [], [], [], 0
        inner = 5 + 2 * self.radius
        for p, part in zip(pictures, shares):
            h, w = p.shape
            ys = torch.arange(0, h - self.hr + 1, CELL)
            xs = torch.arange(0, w - self.hr + 1, CELL)
            x = torch.from_numpy(p).to(device).float()[None]
            small = halve(x[:, : h // 2 * 2, : w // 2 * 2], self.kernels[1:2])
            err = (base(small[:, None])[0, 0] - x[0, 9 : 9 + 2 * small.shape[1] - 8, 9 : 9 + 2 * small.shape[2] - 8]) ** 2
            err = torch.nn.functional.pad(err[None, None], (9, 9, 9, 9), mode="replicate")
            cell = torch.nn.functional.avg_pool2d(err[:, :, inner:, inner:], 2 * self.size, CELL)[0, 0]
            cell = cell[: len(ys), : len(xs)].cpu()
            mean = float(err.mean()) + 0.2  # rounding makes 0.17
            share = 0.5 + 0.5 * torch.sqrt(cell / mean)
            q = share / share.sum()
            starts.append((offset + ys[:, None] * w + xs[None]).flatten())
            widths.append(torch.full((q.numel(),), w))
            probs.append(part * q.flatten())
            worth.append((1 / q.numel() / q / mean).flatten())
            offset += p.size
        self.start = torch.cat(starts).to(device)
        self.width = torch.cat(widths).to(device)
        self.cumulative = torch.cumsum(torch.cat(probs).double(), 0).to(device)
        self.cumulative /= self.cumulative[-1].clone()
        worth = torch.cat(worth).float()
        q = torch.cat(probs)
        self.worth = (worth / (worth * q).sum()).to(device)

    def draw(self):
        """-> small [B, 1, lr, lr], target [B, 1, 2*size, 2*size] (both v/256 - 1/2), weight [B]."""
        b, dev = self.batch, self.flat.device
        r = torch.rand(b, 12, device=dev)
        i = torch.searchsorted(self.cumulative, torch.rand(b, device=dev, dtype=torch.float64))
        i = torch.clamp(i, max=len(self.start) - 1)
        last = self.hr - 1
        w, sy, sx, swap = self.width[i], r[:, 0] < 0.5, r[:, 1] < 0.5, r[:, 2] < 0.5
        start = self.start[i] + torch.where(sy, last * w, w * 0) + torch.where(sx, last, 0)
        dy, dx = torch.where(sy, -w, w), torch.where(sx, -1, 1)
        di, dj = torch.where(swap, dx, dy), torch.where(swap, dy, dx)
        at = start[:, None, None] + di[:, None, None] * self.span[:, None] + dj[:, None, None] * self.span
        hr = self.flat[at.flatten()].view(b, self.hr, self.hr).float()
        video = (r[:, 3] < self.limited).view(b, 1, 1)
        hr = torch.where(video, to_code(16 + hr * (219 / 255)), hr)
        strength = torch.where(r[:, 10] < self.grain, 4 * r[:, 11], r[:, 11] * 0).view(b, 1, 1)
        hr = to_code(hr + torch.randn_like(hr) * strength)
        one = self.kernels[torch.bucketize(r[:, 4].contiguous(), self.shares)]
        two = self.kernels[torch.bucketize(r[:, 5].contiguous(), self.shares)]
        mix = torch.where(r[:, 6] < 0.06, r[:, 7], r[:, 7] * 0)[:, None]
        small = halve(hr, one * (1 - mix) + two * mix)
        noisy = self.coder(small[: self.coded], r[: self.coded, 8:10])
        small = torch.cat([noisy, small[self.coded :]])
        edge = 5 + 2 * self.radius
        target = hr[:, edge : edge + 2 * self.size, edge : edge + 2 * self.size]
        weight = self.worth[i] * torch.where(torch.arange(b, device=dev) < self.coded, self.coded_worth, 1.0)
        return small[:, None] / 256 - 0.5, target[:, None] / 256 - 0.5, weight


def validation(pictures, factor=None, side=384):
    """Middle squares of pictures, softened by a factor, with both reductions, by PIL:
    (small [2N,h,w], large [2N,2h,2w])."""
    small, large = [], []
    for p in pictures:
        if min(p.shape) < side:
            continue
        y, x = (p.shape[0] - side) // 2, (p.shape[1] - side) // 2
        hr = p[y : y + side, x : x + side]
        if factor:
            hr = as_judged(hr, factor)
        for k in (Image.BOX, Image.BICUBIC):
            small.append(np.asarray(Image.fromarray(hr).resize((side // 2, side // 2), k)))
            large.append(hr)
    return np.stack(small), np.stack(large)
