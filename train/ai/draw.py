#!/usr/bin/env python3
"""Draws pictures to train on: what the collected ones have little of. draw.py --out DIR [--count N]

Gradients and painted backgrounds, light out of focus, dark scenes, lines of all widths and at all angles,
hatching, screen tones, end credits. Drawn four times as large and reduced, so that edges are exact to a
sixteenth of the area. The same seed gives the same pictures. Needs python3-numpy and python3-pil; the
titles are set in DejaVu (a free licence), other fonts are not needed.
"""
import argparse
import math
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 768
OVER = 4  # drawn so many times larger
FONTS = "/usr/share/fonts/truetype/dejavu/"
WORDS = """key animation director storyboard colour design background art photography editing music sound
production assistant in-between checking finish opening ending theme song lyrics planning producer
series composition script character layout second unit digital paint special effects""".split()


def clouds(rng, side, cells, octaves=5, fall=0.55):
    """Painted texture: smooth noise over several scales, 0..1."""
    out, part = np.zeros((side, side), np.float32), 1.0
    for _ in range(octaves):
        n = min(cells, side)
        grid = Image.fromarray(rng.random((n, n)).astype(np.float32))
        out += part * np.asarray(grid.resize((side, side), Image.BICUBIC))
        part *= fall
        cells *= 2
    return (out - out.min()) / (out.max() - out.min())


def gradient(rng, side):
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    a = rng.uniform(0, 2 * math.pi)
    t = x * math.cos(a) + y * math.sin(a) if rng.random() < 0.7 else np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5))
    t = (t - t.min()) / (t.max() - t.min())
    low, high = sorted(rng.uniform(0, 255, 2))
    return (low + (high - low) * t ** rng.uniform(0.5, 2)).astype(np.float32)


def backdrop(rng, side):
    g = gradient(rng, side)
    if rng.random() < 0.6:
        g += (clouds(rng, side, int(rng.integers(2, 9))) - 0.5) * rng.uniform(10, 120)
    if rng.random() < 0.3:  # brush strokes: texture stretched along one direction
        n = clouds(rng, side, 24, 4, 0.8)
        g += (np.asarray(Image.fromarray(n).resize((side, side // 6)).resize((side, side), Image.BICUBIC)) - 0.5) * rng.uniform(10, 60)
    return np.clip(g, 0, 255)


def curve(rng, side):
    p = rng.uniform(-0.1, 1.1, (4, 2)) * side
    t = np.linspace(0, 1, 160)[:, None]
    return (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t * t * p[2] + t**3 * p[3]


def stroke(draw, points, widths, shade):
    """A line whose width changes, as pens draw it."""
    for (x, y), w in zip(points, widths):
        draw.ellipse((x - w, y - w, x + w, y + w), fill=shade)


def lines(rng, im, count):
    side, draw = im.size[0], ImageDraw.Draw(im)
    for _ in range(count):
        width = math.exp(rng.uniform(math.log(0.35), math.log(6))) * OVER
        points = curve(rng, side)
        dense = np.stack([np.interp(np.linspace(0, 159, 2400), np.arange(160), points[:, k]) for k in (0, 1)], 1)
        taper = np.sin(np.linspace(0, math.pi, len(dense))) ** rng.uniform(0, 1)
        stroke(draw, dense, np.maximum(taper * width, 0.3), int(rng.choice((0, 20, 40, 255, int(rng.integers(256))))))


def shapes(rng, im, count):
    side, draw = im.size[0], ImageDraw.Draw(im)
    for _ in range(count):
        at, size, n = rng.uniform(0, side, 2), rng.uniform(0.03, 0.25) * side, int(rng.integers(3, 9))
        angle = np.sort(rng.uniform(0, 2 * math.pi, n))
        points = [tuple(at + size * rng.uniform(0.5, 1) * np.array((math.cos(a), math.sin(a)))) for a in angle]
        draw.polygon(points, fill=int(rng.integers(256)))
        if rng.random() < 0.7:
            draw.line(points + points[:2], fill=int(rng.choice((0, 30, 60))), width=int(rng.uniform(1, 4) * OVER), joint="curve")


def hatching(rng, im, count):
    side, draw = im.size[0], ImageDraw.Draw(im)
    for _ in range(count):
        x, y = rng.uniform(0, side, 2)
        size, step = rng.uniform(0.1, 0.4) * side, rng.uniform(2.5, 12) * OVER
        a, width, shade = rng.uniform(0, math.pi), max(int(step * rng.uniform(0.15, 0.5)), 1), int(rng.choice((0, 40, 255)))
        d = np.array((math.cos(a), math.sin(a)))
        for k in np.arange(-size / 2, size / 2, step):
            m = np.array((x, y)) + k * np.array((-d[1], d[0]))
            if rng.random() < 0.3:
                draw.ellipse((*(m - step * 0.3), *(m + step * 0.3)), fill=shade)
            draw.line((*(m - d * size / 2), *(m + d * size / 2)), fill=shade, width=width)


def credits(rng, im):
    side, draw = im.size[0], ImageDraw.Draw(im)
    faces = [f for f in sorted(os.listdir(FONTS)) if f.endswith(".ttf")]
    y, shade = rng.uniform(0, 0.1) * side, int(rng.choice((255, 235, 0, 200)))
    while y < side:
        size = int(rng.uniform(9, 34) * OVER)
        font = ImageFont.truetype(FONTS + faces[rng.integers(len(faces))], size)
        text = " ".join(rng.choice(WORDS, rng.integers(1, 5)))
        text = text.title() if rng.random() < 0.5 else text
        edge = int(rng.choice((0, 0, 1, 2)) * OVER)
        draw.text((rng.uniform(0, 0.6) * side, y), text, fill=shade, font=font, stroke_width=edge, stroke_fill=255 - shade)
        y += size * rng.uniform(1.1, 2.2)


def lights(rng, a):
    """Discs of light out of focus."""
    side = a.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    for _ in range(int(rng.integers(5, 30))):
        cx, cy, r = *rng.uniform(0, side, 2), rng.uniform(6, 60)
        edge = rng.uniform(0.7, 8)
        a = a + rng.uniform(10, 110) / (1 + np.exp(np.clip((np.hypot(x - cx, y - cy) - r) / edge, -40, 40)))
    return np.clip(a, 0, 255)


def picture(seed):
    rng = np.random.default_rng(seed)
    kind = seed % 6
    a = backdrop(rng, SIDE)
    if kind == 1:
        a = lights(rng, a)
    if kind == 2:  # a dark scene: little contrast near black
        a = a * rng.uniform(0.1, 0.35)
    im = Image.fromarray(a.astype(np.uint8)).resize((SIDE * OVER,) * 2, Image.BICUBIC)
    if kind in (0, 2, 3):
        shapes(rng, im, int(rng.integers(3, 25)))
    if kind in (0, 2, 3, 4):
        lines(rng, im, int(rng.integers(4, 40)))
    if kind == 4:
        hatching(rng, im, int(rng.integers(3, 12)))
    if kind == 5:
        credits(rng, im)
    a = np.asarray(im.resize((SIDE, SIDE), Image.BOX)).astype(np.float32)
    if kind == 2:
        a = a * rng.uniform(0.2, 0.6)
    return Image.fromarray(np.clip(a + 0.5, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", required=True)
    ap.add_argument("--count", type=int, default=96)
    o = ap.parse_args()
    os.makedirs(o.out, exist_ok=True)
    for i in range(o.count):
        picture(i).save(os.path.join(o.out, f"drawn_{i:03}.webp"), lossless=True)
