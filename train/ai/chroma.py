#!/usr/bin/env python3
"""Networks that enlarge chroma of 4:2:0: codes stills, trains, judges.

    chroma.py code --data DIR --out DIR [--ffmpeg PROGRAM]
    chroma.py train --data DIR --out DIR [--coded DIR] (--seconds S | --steps N) [NAME...]
    chroma.py judge --images DIR [--crf N...] [--ffmpeg PROGRAM] NAME.npz...

A network works at the size of chroma, sited left. Its inputs are six planes: luma at the top left, top right, bottom
left and bottom right of the 2x2 samples that a chroma sample belongs to, U, V. It gives eight differences, the same
four places for U, then for V, to what the program makes of chroma without it: the limited output of its filter, or of
guided chroma where NAME ends in "-guided". Numbers are those of the other networks (model.py): 15-bit samples, 8-bit
codes times 128, less 16384 as inputs; differences are in the same unit.

code: every picture that is large enough, halved with a box and with bicubic and coded with x264, medium, at a crf of
14 to 26 each; those held out once, at crf 20. OUT/still_NAME_N.npz and OUT/held_NAME_N.npz hold `luma` [2h,2w] and
`chroma` [2,h,w] of the decoded still, `truth` [2,2h,2w], chroma of the picture itself, all of 8 bits, and `settings`.
train: as train.py does; patches of pictures, some of them with coding noise, and of coded stills. --data has
manifest.tsv and img/ as for train.py; grey pictures are left out. OUT gets train.log, NAME.pt and NAME.npz, the
integers. Defaults of size and ring are in samples of chroma.
judge: PSNR in dB of both planes of chroma, without 4 samples at the edges, of images halved with a box and with
bicubic (means of both), not coded ("clean") and coded at each crf: filter, guided chroma, and the networks in exact
integers, rounded to 10 bits. Nothing removes noise before; filters are not rounded as the program's are.
Needs torch, numpy and PIL; FFmpeg with libx264 for code and judge; a GPU for train unless you are patient.
"""
import argparse
import glob
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

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

soft_matrices = lru_cache(data.soft_matrices)  # they take seconds, and are the same for all pictures


def shape(width, body):
    middle = [Layer("conv", width, width)] * body
    return Spec((Layer("conv", 6, width), *middle, Layer("conv", width, 8)), 4)


SPECS = {
    "chroma-32x4": shape(32, 4),
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


def reduced(picture, kernel):
    """(luma, chroma) of half the size."""
    h, w = picture.shape[:2]
    return colour.subsampled(np.array(Image.fromarray(picture).resize((w // 2, h // 2), REDUCE[kernel])))


def coded(luma, chroma, crf, ffmpeg):
    """(luma, chroma) as x264 leaves them."""
    h, w = luma.shape
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p"]
    call = [ffmpeg, "-v", "error"]
    encode = [*call, *raw, "-s", f"{w}x{h}", "-i", "-", "-c:v", "libx264", "-crf", str(crf), "-preset", "medium",
              "-f", "h264", "-"]
    stream = subprocess.run(encode, input=luma.tobytes() + chroma.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    decode = [*call, "-f", "h264", "-i", "-", *raw, "-"]
    out = subprocess.run(decode, input=stream, stdout=subprocess.PIPE, check=True).stdout
    out = np.frombuffer(out, np.uint8)
    return out[: h * w].reshape(h, w), out[h * w :].reshape(2, h // 2, w // 2)


def code(o):
    """Writes coded stills."""
    os.makedirs(o.out, exist_ok=True)
    rng, count = np.random.default_rng(o.seed), 0
    for kind, pictures in zip(("still", "held"), load(o.data)):
        for name, p in pictures.items():
            p = by_fours(p)
            if min(p.shape[:2]) < LEAST:
                continue
            for n, kernel in enumerate(REDUCE if kind == "still" else [rng.choice(list(REDUCE))]):
                crf = round(rng.uniform(14, 26), 1) if kind == "still" else 20
                luma, chroma = coded(*reduced(p, kernel), crf, o.ffmpeg)
                np.savez_compressed(os.path.join(o.out, f"{kind}_{name}_{n}.npz"), luma=luma, chroma=chroma,
                                    truth=colour.subsampled(p)[1], settings=f"{kernel}, crf {crf}")
                count += 1
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
        """Some with channels in another order, some with more or less colour."""
        order = torch.argsort(torch.rand(len(rgb), 3, device=rgb.device), 1)
        order = torch.where((r[:, 0] < 0.4)[:, None], order, torch.arange(3, device=rgb.device))
        rgb = torch.gather(rgb, 1, order[:, :, None, None].expand_as(rgb))
        grey = rgb.mean(1, keepdim=True)
        more = torch.where(r[:, 1] < 0.4, 0.4 + 1.4 * r[:, 2], r[:, 2] * 0 + 1).view(-1, 1, 1, 1)
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
        r = torch.rand(b, 15, device=dev)
        rgb = self._cut(r).permute(0, 3, 1, 2)
        if self.augment:
            rgb = self._coloured(rgb, r[:, 3:])
        k = self.soften[(r[:, 6] * len(self.soften)).long()][:, None]
        rgb = to_code(torch.where((r[:, 7] < 0.35).view(b, 1, 1, 1), k @ rgb @ k.transpose(2, 3), rgb))
        strength = torch.where(r[:, 8] < 0.04, 4 * r[:, 9], r[:, 9] * 0).view(b, 1, 1, 1)
        large = colour.ycc(rgb + torch.randn_like(rgb) * strength)
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


class Stills:
    """Draws batches as Patches does, from coded stills: upside down or not, never mirrored, for chroma lies left; U
    and V exchanged, the colours of either the opposite ones."""

    def __init__(self, files, device, batch, size, ring, worth):
        self.batch, self.ring, self.worth, self.c = batch, ring, worth, size + 2 * ring
        self.flat, fine, starts, columns, widths, probs, offset = [], [], [], [], [], [], 0
        for f in files:
            with np.load(f) as z:
                luma, chroma, truth = z["luma"], z["chroma"], z["truth"]
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
            stills, held = (sorted(glob.glob(os.path.join(o.coded, f"{kind}_*.npz"))) for kind in ("still", "held"))
            say(f"{len(stills)} coded stills, {len(held)} held out")
            patches = Stills(held, dev, 32, o.size, o.ring, o.worth)
            self.val["coded"] = [patches.draw() for _ in range(judged)]
            self.patches = data.Mixed(self.patches, Stills(stills, dev, there, o.size, o.ring, o.worth))
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


def enlarged(chain, base, luma, chroma):
    """Chroma [2,2h,2w] by a network in exact integers, added to base [2,2h,2w]; rounded to 10 bits, in 8-bit codes."""
    planes = (x.astype(np.int64) * 128 for x in (luma, chroma))
    whole = reference.double_chroma(chain, *planes, np.floor(base * 128 + 0.5).astype(np.int64)).astype(np.int64)
    return np.clip((whole + 16) >> 5, 0, 1023) / 4


def psnr(x, truth):
    e = (x - truth.astype(np.float64))[:, EDGE:-EDGE, EDGE:-EDGE]
    return 10 * np.log10(255**2 / max((e * e).mean(), 1e-4))


def scores(luma, chroma, truth, networks):
    """PSNR of the filter, of guided chroma and of {name: layers}."""
    planes = torch.from_numpy(chroma.astype(np.float32))[None]
    plain = colour.filtered(planes)
    guided = colour.guided(plain, planes, torch.from_numpy(luma.astype(np.float32))[None, None])
    plain, guided = plain[0].numpy(), guided[0].numpy()
    out = [plain, guided]
    for name, chain in networks.items():
        out.append(enlarged(chain, guided if name.endswith("-guided") else plain, luma, chroma))
    out[:2] = [np.floor(v * 4 + 0.5) / 4 for v in out[:2]]
    return [psnr(v, truth) for v in out]


def judge(o):
    """Prints a line for each image and a mean for each way of coding."""
    networks = {os.path.basename(f).removesuffix(".npz"): pack.layers(f) for f in o.networks}
    print("coded", "image", "filter", "guided", *networks, sep="\t")
    for crf in (None, *o.crf):
        rows, kind = [], f"crf {crf}" if crf is not None else "clean"
        for f in sorted(glob.glob(os.path.join(o.images, "*.png"))):
            with Image.open(f) as im:
                p = by_fours(np.array(im.convert("RGB")))
            truth, both = colour.subsampled(p)[1], []
            for kernel in REDUCE:
                luma, chroma = reduced(p, kernel)
                if crf is not None:
                    luma, chroma = coded(luma, chroma, crf, o.ffmpeg)
                both.append(scores(luma, chroma, truth, networks))
            rows.append(np.mean(both, 0))
            print(kind, os.path.basename(f).removesuffix(".png"), *(f"{v:.2f}" for v in rows[-1]), sep="\t", flush=True)
        print(kind, "mean", *(f"{v:.2f}" for v in np.mean(rows, 0)), sep="\t", flush=True)


def parser():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = ap.add_subparsers(dest="verb", required=True)
    p = verbs.add_parser("code", help="make coded stills")
    p.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    p.add_argument("--out", required=True)
    p.add_argument("--seed", type=int, default=3)
    p.add_argument("--ffmpeg", default="ffmpeg")
    p = verbs.add_parser("train")
    p.add_argument("names", nargs="*", metavar="NAME", default=["chroma-32x4"], help=", ".join(SPECS))
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
    p.add_argument("--crf", type=int, nargs="*", default=[20], help="of x264")
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
