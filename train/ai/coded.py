#!/usr/bin/env python3
"""Makes coded pairs: frames as a real encoder left them, and the frames of twice the size that they come from.

    coded.py web|dvd --data DIR --out DIR [--drawn DIR] [--clips N] [--seconds S] [--motion-threshold T,...]
        [--ffmpeg PROGRAM]

Scenes move by script: pans and zooms by parts of a pixel, held drawings with a moving part, figures that are drawn for
every second or third frame, fades, cuts. "web" reduces them and codes them with x264 or x265 at the rates of the web;
"dvd" blurs them across as a disc does, adds halos and dot crawl to some, and codes them with MPEG-2 or MPEG-4 (Xvid).
OUT/clip_SEED.npz is for training, OUT/held_SEED.npz, of other pictures, for validation; both hold `small` [n,h,w],
`large` [n,2h,2w], 8-bit luma, and `settings`; with --motion-threshold `averaged`, too, what stage 5 makes of `small`
with a motion threshold of T, one of these for each clip (`threshold`), in 15-bit samples. The same seed gives the same
clip with the same versions of FFmpeg, NumPy and Pillow. Needs FFmpeg with libx264, libx265 and libxvid, python3-numpy,
python3-pil, torch, and for --motion-threshold a C compiler.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from multiprocessing import Pool

import numpy as np
from PIL import Image, ImageDraw

import averaged
import data
from draw import blob
from soften import soften

RATE = 24
LENGTH = 20  # frames of a clip
KEEP = (3, 8, 11, 15, 18)  # frames of a clip that are stored
HELD = 12  # every so many clips there is one of held-out pictures
MARGIN = 96  # large pixels that a scene has around the frame
SIZES = {"web": ((640, 360), (640, 480), (768, 432), (848, 480), (1024, 576)),
         "dvd": ((720, 480), (720, 576), (704, 480), (640, 480))}
SCENES = {"pan": 0.24, "zoom": 0.12, "held": 0.3, "figures": 0.2, "fade": 0.07, "cut": 0.07}
REDUCE = (Image.BOX, Image.BICUBIC, Image.LANCZOS, Image.BILINEAR, Image.HAMMING)

X264, X265, XVID = (["-c:v", f"lib{name}"] for name in ("x264", "x265", "xvid"))
MPEG2 = ["-c:v", "mpeg2video", "-g", "12", "-bf", "2"]
INTERLACED = ["-flags", "+ilme+ildct"]
# What quality is judged with (judge.py); training uses none of these.
KEPT = {
    "web": {
        "x264-crf25": X264 + "-crf 25 -preset faster -tune animation".split(),
        "x264-crf30": X264 + "-crf 30 -preset slower".split(),
        "x264-400k": X264 + "-b:v 400k -preset fast".split(),
        "x265-crf27": X265 + "-crf 27 -preset faster".split(),
        "x265-crf33": X265 + "-crf 33 -preset faster -tune animation".split(),
    },
    "dvd": {
        "mpeg2-q5": MPEG2 + ["-q:v", "5"],
        "mpeg2-4500k": MPEG2 + INTERLACED + "-b:v 4500k -maxrate 8M -bufsize 1835k -g 15".split(),
        "xvid-q5": XVID + ["-q:v", "5"],
        "xvid-1100k": XVID + ["-b:v", "1100k"],
    },
}
KEPT_NUMBERS = {"x264": (25, 30), "x265": (27, 33), "quant": (5, 9)}


def number(rng, low, high, kept=()):
    return int(rng.choice([n for n in range(low, high + 1) if n not in kept]))


def web(rng):
    """FFmpeg's options of one encoding; a fifth are nearly without loss."""
    light = rng.random() < 0.2
    if rng.random() < 0.3:
        crf = number(rng, 12, 18) if light else number(rng, 22, 36, KEPT_NUMBERS["x265"])
        return X265 + ["-crf", str(crf), "-preset", str(rng.choice(("superfast", "veryfast", "fast", "medium")))]
    preset = ["-preset", str(rng.choice(("superfast", "veryfast", "medium", "slow")))]
    tune = ["-tune", str(rng.choice(("animation", "film")))] if rng.random() < 0.4 else []
    profile = ["-profile:v", "baseline"] if rng.random() < 0.1 else []
    if not light and rng.random() < 0.25:
        return X264 + ["-b:v", f"{rng.choice((250, 300, 500, 650, 800, 1000))}k"] + preset + tune + profile
    crf = number(rng, 10, 17) if light else number(rng, 20, 35, KEPT_NUMBERS["x264"])
    return X264 + ["-crf", str(crf)] + preset + tune + profile


def dvd(rng):
    light = rng.random() < 0.2
    flags = INTERLACED if rng.random() < 0.3 else []
    if rng.random() < 0.6:
        if not light and rng.random() < 0.4:
            return MPEG2 + flags + ["-b:v", f"{rng.choice((2500, 3000, 3500, 4000, 5500, 7000))}k"]
        return MPEG2 + flags + ["-q:v", str(2 if light else number(rng, 3, 14, KEPT_NUMBERS["quant"]))]
    kind = XVID if rng.random() < 0.7 else ["-c:v", "mpeg4"]
    if not light and rng.random() < 0.4:
        return kind + ["-b:v", f"{rng.choice((600, 750, 900, 1300, 1600))}k"]
    return kind + ["-q:v", str(2 if light else number(rng, 3, 9, KEPT_NUMBERS["quant"]))]


SETTINGS = {"web": web, "dvd": dvd}


def code(frames, settings, ffmpeg="ffmpeg", path=None):
    """Frames [n,h,w] of luma, coded and decoded again; path keeps the stream. Chroma is neutral."""
    n, h, w = frames.shape
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p"]
    grey = np.full((n, h * w // 2), 128, np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        stream = path or os.path.join(folder, "coded.mkv")
        call = [ffmpeg, "-v", "error", "-y", "-threads", "1"]
        subprocess.run(call + raw + ["-s", f"{w}x{h}", "-r", str(RATE), "-i", "-", *settings, "-threads", "1", stream],
                       input=np.concatenate([frames.reshape(n, -1), grey], 1).tobytes(), check=True, capture_output=True)
        out = subprocess.run(call[:-2] + ["-i", stream, "-vsync", "0", *raw, "-"], check=True, capture_output=True).stdout
    out = np.frombuffer(out, np.uint8)
    if out.size != n * h * w * 3 // 2:
        raise ValueError(f"{' '.join(settings)}: {out.size / (h * w * 1.5):.1f} frames of {n} came back")
    return out.reshape(n, -1)[:, : h * w].reshape(n, h, w)


class Scene:
    """Large frames of one take. Positions of figures are whole large pixels, so half ones of the small frame."""

    def __init__(self, rng, pictures, width, height):
        self.rng, self.pictures, self.size = rng, pictures, (width, height)
        self.softness = int(rng.integers(1 << 30)) if rng.random() < 0.5 else None
        p = self.picture()
        w, h = width + 2 * MARGIN, height + 2 * MARGIN
        self.back = np.pad(p, ((0, max(h - p.shape[0], 0)), (0, max(w - p.shape[1], 0))), "symmetric")[:h, :w].copy()
        for _ in range(int(rng.integers(3, 9))):
            self.paste(self.back, self.figure(), *self.place())

    def picture(self):
        """In limited range, mirrored or not, as soft as all of this scene."""
        p = self.pictures[self.rng.integers(len(self.pictures))]
        p = p[:, :: int(self.rng.choice((-1, 1)))]
        if self.softness is not None:
            p = soften(np.ascontiguousarray(p), np.random.default_rng(self.softness))
        return (16 + p * (219 / 255) + 0.5).astype(np.uint8)

    def figure(self):
        """(piece of a picture, how much of it covers what is behind)."""
        p, rng = self.picture(), self.rng
        h, w = (int(min(rng.uniform(120, 620), side)) for side in p.shape)
        y, x = (int(rng.integers(0, side - part + 1)) for side, part in zip(p.shape, (h, w)))
        cover = Image.new("L", (2 * w, 2 * h))
        outline = blob(rng, (w, h), (0.85 * w, 0.85 * h), 0.15)
        ImageDraw.Draw(cover).polygon([tuple(q) for q in outline], fill=255)
        return p[y : y + h, x : x + w], np.asarray(cover.resize((w, h), Image.BOX)).astype(np.float32) / 255

    def place(self):
        w, h = self.size
        return int(self.rng.integers(-100, w)), int(self.rng.integers(-100, h))

    @staticmethod
    def paste(frame, figure, x, y):
        (p, cover), (h, w) = figure, frame.shape
        top, left = max(-y, 0), max(-x, 0)
        p, cover = (v[top : max(h - y, 0), left : max(w - x, 0)] for v in (p, cover))
        at = frame[y + top :, x + left :][: p.shape[0], : p.shape[1]]
        at[:] = (cover * p + (1 - cover) * at + 0.5).astype(np.uint8)

    def view(self, x, y, scale=1.0):
        w, h = self.size
        if scale == 1 and x == int(x) and y == int(y):
            return self.back[int(y) : int(y) + h, int(x) : int(x) + w].copy()
        moved = Image.fromarray(self.back).transform((w, h), Image.AFFINE, (scale, 0, x, 0, scale, y), Image.BICUBIC)
        return np.asarray(moved).copy()

    def pan(self, n):
        v = self.rng.uniform(-1, 1, 2) * (MARGIN / n) * self.rng.choice((0.15, 0.5, 1), 2)
        v = np.round(v) if self.rng.random() < 0.4 else v
        return [self.view(*(MARGIN + v * t)) for t in range(n)]

    def zoom(self, n):
        (w, h), end = self.size, self.rng.uniform(0.9, 1.08)
        scales = 1 + (end - 1) * np.arange(n) / n
        return [self.view(MARGIN + w * (1 - s) / 2, MARGIN + h * (1 - s) / 2, s) for s in scales]

    def held(self, n):
        """One drawing; a part of it, a mouth or an eye, changes every so many frames."""
        still, place, each = self.view(MARGIN, MARGIN), self.place(), int(self.rng.integers(2, 9))
        parts = [tuple(v[:120, :160] for v in self.figure()) for _ in range(3)]
        out = [still.copy() for _ in range(n)]
        for t in range(n):
            self.paste(out[t], parts[t // each % 3], *place)
        return out

    def figures(self, n):
        each = int(self.rng.choice((1, 2, 3)))
        count = int(self.rng.integers(1, 4))
        moving = [(self.figure(), *self.place(), *self.rng.integers(-10, 11, 2)) for _ in range(count)]
        out = []
        for t in range(n):
            frame = self.view(MARGIN, MARGIN)
            for figure, x, y, dx, dy in moving:
                self.paste(frame, figure, x + t // each * dx, y + t // each * dy)
            out.append(frame)
        return out

    def fade(self, n):
        to, still = int(self.rng.choice((16, 235))), self.pan(n)
        part = np.linspace(self.rng.uniform(0.3, 1), 0, n)
        return [(to + (f - float(to)) * p + 0.5).astype(np.uint8) for f, p in zip(still, part)]


def takes(rng, pictures, size, n, kind):
    """[n,2h,2w]"""
    w, h = size
    if kind == "cut":
        first = int(rng.integers(4, n - 4))
        return np.concatenate([takes(rng, pictures, size, m, k) for m, k in ((first, "held"), (n - first, "figures"))])
    return np.stack(getattr(Scene(rng, pictures, 2 * w, 2 * h), kind)(n))


def across(frames, radius, axis):
    """Gaussian blur along one axis."""
    size = int(np.ceil(3 * radius)) or 1
    k = np.exp(-0.5 * (np.arange(-size, size + 1) / radius) ** 2)
    k /= k.sum()
    pad = [(0, 0)] * frames.ndim
    pad[axis] = (size, size)
    x, length = np.pad(frames, pad, "edge"), frames.shape[axis]
    return sum(np.float32(c) * x.take(range(i, i + length), axis) for i, c in enumerate(k))


def reduced(rng, large):
    kernel = REDUCE[rng.choice(5, p=(0.35, 0.35, 0.1, 0.1, 0.1))]
    return np.stack([np.asarray(Image.fromarray(f).resize((f.shape[1] // 2, f.shape[0] // 2), kernel)) for f in large])


def as_disc(rng, small):
    """The blur of a DVD, a peaking filter's halos, and what a comb filter left of the colour carrier."""
    x = small.astype(np.float32)
    if rng.random() < 0.8:
        x = across(x, rng.uniform(0.35, 1.0), 2)
    if rng.random() < 0.4:
        x = across(x, rng.uniform(0.3, 0.55), 1)
    if rng.random() < 0.5:
        x = x + rng.uniform(0.2, 0.8) * (x - across(x, rng.uniform(1, 2.2), 2))
    if rng.random() < 0.25:
        n, h, w = x.shape
        colour = across(127 * np.sin(x * rng.uniform(0.02, 0.06) + rng.uniform(0, 6)), 2.5, 2)
        t, i, j = np.ogrid[:n, :h, :w]
        carrier = np.cos(2 * np.pi * (j * (3.579545 / 13.5) + (t + i) / 2)).astype(np.float32)
        x = x + carrier * (colour - across(colour, 3, 2)) * rng.uniform(0.03, 0.12)
    if rng.random() < 0.2:
        x = x + rng.normal(0, rng.uniform(0.5, 2), x.shape).astype(np.float32)
    return np.clip(x + 0.5, 1, 254).astype(np.uint8)




def make(job):
    """Stores the frames of one clip that are kept."""
    o, seed, end = job
    if time.time() > end:
        return 0
    held = seed % HELD == 0
    rng = np.random.default_rng((seed, list(SETTINGS).index(o.kind)))
    size = SIZES[o.kind][rng.integers(len(SIZES[o.kind]))]
    large = takes(rng, PICTURES[held], size, LENGTH, list(SCENES)[rng.choice(len(SCENES), p=list(SCENES.values()))])
    small, settings = reduced(rng, large), SETTINGS[o.kind](rng)
    if o.kind == "dvd":
        small = as_disc(rng, small)
    elif rng.random() < 0.15:  # coded twice
        small = code(small, X264 + ["-crf", str(number(rng, 16, 24))], o.ffmpeg)
    keep = list(KEEP)
    path = os.path.join(o.out, f"{'held' if held else 'clip'}_{seed:05}.npz")
    small = code(small, settings, o.ffmpeg)
    part = os.path.join(o.out, f"part_{seed:05}.npz")
    more = {}
    if o.motion_threshold:
        threshold = o.motion_threshold[seed // HELD % len(o.motion_threshold)]
        more = {"averaged": averaged.stage5(small, threshold)[keep], "threshold": threshold}
    np.savez(part, small=small[keep], large=large[keep], settings=" ".join(settings), **more)
    os.replace(part, path)
    return len(keep)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("kind", choices=list(SETTINGS))
    ap.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    ap.add_argument("--drawn", help="folder of drawn pictures to use as well")
    ap.add_argument("--out", required=True)
    ap.add_argument("--clips", type=int, default=24)
    ap.add_argument("--first", type=int, default=0, help="seed of the first clip")
    ap.add_argument("--seconds", type=float, default=1e9, help="begin no clip after this time")
    ap.add_argument("--motion-threshold", type=lambda text: [float(t) for t in text.split(",")], metavar="T,...",
                    help="of stage 5, whose output is stored, too; one of them for each clip")
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--ffmpeg", default="ffmpeg")
    o = ap.parse_args()
    if not shutil.which(o.ffmpeg):
        sys.exit(f"coded.py: {o.ffmpeg} is not there; name FFmpeg's program with --ffmpeg")
    os.makedirs(o.out, exist_ok=True)
    end = time.time() + o.seconds
    train, held, _ = data.load(o.data)
    global PICTURES
    PICTURES = ([p for p in train + (data.folder(o.drawn) if o.drawn else [])], held)
    if o.motion_threshold:
        averaged.library()  # once, for all jobs
    with Pool(o.jobs) as pool:
        frames = sum(pool.imap_unordered(make, [(o, o.first + i, end) for i in range(o.clips)]))
    print(f"{frames} frames of {frames // len(KEEP)} clips in {o.out}")


if __name__ == "__main__":
    main()
