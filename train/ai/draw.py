#!/usr/bin/env python3
"""Draws pictures to train on: what the collected ones have little of. draw.py --out DIR [--count N]

A third are cel animation: outlined flat shapes with a shadow tone, hair in strands, eyes, clothes with folds,
over soft painted backgrounds, machines with thin parallel lines, speed lines. A third are painted: brush strokes,
washes, leaves, stones, hatching over paint, on paper, with ink lines or without. The others are gradients and
painted backgrounds, light out of focus, dark scenes, lines of all widths and at all angles, hatching, screen
tones, end credits. Drawn four times as large and reduced, so that edges are exact to a sixteenth of the
area. The same seed gives the same pictures. Needs python3-numpy and python3-pil; titles are set in DejaVu (a
free licence) or the fonts of --fonts, and left out where there are none.
"""
import argparse
import glob
import math
import os
from multiprocessing import Pool

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIDE = 768
OVER = 4  # drawn so many times larger
FONTS = glob.glob("/usr/share/fonts/truetype/dejavu/*.ttf")
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
    t = x * math.cos(a) + y * math.sin(a)
    if rng.random() >= 0.7:
        t = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5))
    t = (t - t.min()) / (t.max() - t.min())
    low, high = sorted(rng.uniform(0, 255, 2))
    return (low + (high - low) * t ** rng.uniform(0.5, 2)).astype(np.float32)


def backdrop(rng, side):
    g = gradient(rng, side)
    if rng.random() < 0.6:
        g += (clouds(rng, side, int(rng.integers(2, 9))) - 0.5) * rng.uniform(10, 120)
    if rng.random() < 0.3:  # brush strokes: texture stretched along one direction
        n = Image.fromarray(clouds(rng, side, 24, 4, 0.8)).resize((side, side // 6)).resize((side, side), Image.BICUBIC)
        g += (np.asarray(n) - 0.5) * rng.uniform(10, 60)
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
    faces = sorted(FONTS)
    y, shade = rng.uniform(0, 0.1) * side, int(rng.choice((255, 235, 0, 200)))
    while y < side and faces:
        size = int(rng.uniform(9, 34) * OVER)
        font = ImageFont.truetype(faces[rng.integers(len(faces))], size)
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


def smooth(points, closed=False, each=12):
    """A curve through points (Catmull-Rom)."""
    p = np.asarray(points, float)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, each, endpoint=False)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    out = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
    out = out.transpose(1, 0, 2).reshape(-1, 2)
    return out if closed else np.concatenate([out, p[-1:]])


def blob(rng, at, size, rough=0.1, n=120):
    """A smooth closed outline."""
    a = np.linspace(0, 2 * math.pi, n, endpoint=False)
    r = 1 + sum(rng.normal(0, rough / k) * np.cos(k * a + rng.uniform(0, 7)) for k in range(2, 6))
    return np.asarray(at) + (np.asarray(size) * np.stack([np.cos(a), np.sin(a)], 1)) * r[:, None]


def pen(draw, points, width, shade, taper=0.0):
    """An inked line: of constant width, or pointed at its ends."""
    p = np.asarray(points, float)
    if len(p) < 2:
        return
    d = np.gradient(p, axis=0)
    n = np.stack([-d[:, 1], d[:, 0]], 1) / np.maximum(np.hypot(d[:, 0], d[:, 1]), 1e-6)[:, None]
    w = width / 2 * (np.sin(np.linspace(0, math.pi, len(p))) ** 0.6 * taper + 1 - taper)[:, None]
    left, right = p + n * w, p - n * w
    for k in range(len(p) - 1):  # piece by piece: a strip that crosses itself stays filled
        draw.polygon([tuple(q) for q in (left[k], left[k + 1], right[k + 1], right[k])], fill=shade)
    if taper < 0.5:
        for (x, y), h in ((p[0], w[0, 0]), (p[-1], w[-1, 0])):
            draw.ellipse((x - h, y - h, x + h, y + h), fill=shade)


class Cel:
    """One layer of a cel: paint in flat tones, then ink."""

    def __init__(self, rng, im):
        self.rng, self.im, self.draw = rng, im, ImageDraw.Draw(im)
        self.line = rng.choice((0.8, 1.1, 1.4, 1.8, 2.4, 3.2)) * OVER
        self.ink = int(rng.choice((0, 8, 15, 25, 40, 60)))

    def tone(self, low=40, high=245):
        return int(self.rng.uniform(low, high))

    def shape(self, outline, fill, shadow=None, ink=True, width=1.0):
        """Flat, with a shadow tone on the side away from the light that has no line of its own."""
        points = [tuple(p) for p in outline]
        self.draw.polygon(points, fill=fill)
        if shadow is not None:
            away = self.rng.uniform(-0.35, 0.35, 2) * np.ptp(outline, axis=0) + self.rng.normal(0, 2 * OVER, 2)
            self.inside(outline, outline + away, shadow, True)
        if ink:
            pen(self.draw, np.concatenate([outline, outline[:2]]), self.line * width, self.ink)

    def inside(self, outline, other, fill, without=False):
        """Paints what of `other` (or all but it) lies inside an outline."""
        box = (*np.floor(outline.min(0)).astype(int), *np.ceil(outline.max(0)).astype(int) + 1)
        size, origin = (max(box[2] - box[0], 1), max(box[3] - box[1], 1)), np.array(box[:2])
        if max(size) > 2 * self.im.size[0]:
            return
        a, b = (Image.new("L", size) for _ in "ab")
        ImageDraw.Draw(a).polygon([tuple(p) for p in outline - origin], fill=255)
        ImageDraw.Draw(b).polygon([tuple(p) for p in other - origin], fill=255)
        mask = np.asarray(a) & (~np.asarray(b) if without else np.asarray(b))
        self.im.paste(fill, (int(box[0]), int(box[1])), Image.fromarray(mask))

    def strand(self, root, tip, width, fill, shadow=None):
        """A pointed bundle of hair."""
        root, tip = np.asarray(root, float), np.asarray(tip, float)
        d = tip - root
        side = np.array((-d[1], d[0])) / max(np.hypot(*d), 1e-6)
        bend = side * self.rng.normal(0, 0.22) * np.hypot(*d)
        spine = lambda t: root + d * t + bend * 4 * t * (1 - t)
        t = np.linspace(0, 1, 24)[:, None]
        w = width * (1 - t**1.6) * (0.75 + 0.5 * np.sin(math.pi * t)) / 2
        left, right = spine(t) + side * w, spine(t) - side * w
        outline = np.concatenate([left, right[::-1]])
        self.draw.polygon([tuple(p) for p in outline], fill=fill)
        if shadow is not None:
            half = np.concatenate([spine(t) + side * w * self.rng.uniform(-0.3, 0.5), right[::-1]])
            self.draw.polygon([tuple(p) for p in half], fill=shadow)
        for edge in (left, right):
            pen(self.draw, edge, self.line, self.ink, 0.4)

    def eye(self, at, size):
        x, y = at
        rng, draw = self.rng, self.draw
        w, h = size * rng.uniform(0.8, 1.1), size * rng.uniform(0.9, 1.3)

        def line(points, width, taper):
            """Points in half widths and heights from the middle."""
            pen(draw, smooth([(x + w * u, y + h * v) for u, v in points]), self.line * width, self.ink, taper)

        self.draw.polygon([tuple(p) for p in blob(self.rng, at, (w, h * 0.9), 0.02)], fill=self.tone(225, 255))
        top, low = self.tone(10, 90), self.tone(90, 210)
        iw, ih = w * 0.68, h * 0.88
        for k in range(24):  # the iris: dark above, light below
            t = k / 24
            half = iw * math.sqrt(max(1 - (2 * t - 1) ** 2, 0))
            band = (x - half, y - ih + 2 * ih * t, x + half, y - ih + 2 * ih * (t + 1 / 24))
            draw.rectangle(band, fill=int(top + (low - top) * t))
        pen(self.draw, blob(self.rng, at, (iw, ih), 0), self.line, self.ink)
        self.draw.ellipse((x - iw * 0.4, y - ih * 0.5, x + iw * 0.4, y + ih * 0.45), fill=int(top * 0.4))
        for dx, dy, r in ((-0.35, -0.45, 0.3), (0.35, 0.45, 0.16))[: int(self.rng.integers(1, 3))]:
            u, v = x + iw * dx, y + ih * dy
            draw.ellipse((u - iw * r, v - ih * r, u + iw * r, v + ih * r), fill=255)
        line([(-1.15, -0.2), (-0.6, -0.85), (0, -1), (0.6, -0.85), (1.2, -0.1)], rng.uniform(2, 4), 0.7)
        line([(-0.6, 0.85), (0, 0.98), (0.7, 0.8)], 0.8, 0.6)
        line([(-1, -1.3), (0, -1.5), (1, -1.25)], 0.7, 0.6)
        if rng.random() < 0.7:
            line([(-1.1, -1.9), (0, -2.2), (1.1, -1.9)], rng.uniform(1, 2.5), 0.7)

    def figure(self, at, size):
        """Head and shoulders."""
        rng, (x, y) = self.rng, at
        skin, hair = self.tone(150, 245), self.tone(25, 235)
        dark = lambda v: int(v * rng.uniform(0.6, 0.85))
        hair_shadow = dark(hair)
        lean = rng.normal(0, 0.12)
        place = lambda u, v: np.array((x + size * (u + lean * -v), y + size * v))
        for k in range(int(rng.integers(4, 12))):  # hair behind
            u = rng.uniform(-1, 1)
            tip = place(u * 1.5, rng.uniform(0.9, 2.6))
            self.strand(place(u * 0.8, -0.6), tip, size * rng.uniform(0.3, 0.6), hair_shadow)
        self.clothes(place(0, 1.5), size)
        through = lambda *points: smooth([place(u, v) for u, v in points], True)
        self.shape(through((-0.28, 0.7), (-0.3, 1.5), (0.3, 1.5), (0.28, 0.7)), skin, dark(skin))
        face = through((-0.85, -0.3), (-0.8, 0.35), (-0.35, 0.9), (0, 1.05), (0.35, 0.9), (0.8, 0.35),
                       (0.85, -0.3), (0.5, -0.95), (-0.5, -0.95))
        self.shape(face, skin, dark(skin) if rng.random() < 0.7 else None)
        gap, down = rng.uniform(0.36, 0.46), rng.uniform(0.12, 0.3)
        for sign in (-1, 1):
            self.eye(place(sign * gap, down), size * rng.uniform(0.19, 0.25))
        pen(self.draw, [place(0, 0.55), place(0.05, 0.6)], self.line * 0.8, self.ink)
        mouth = rng.uniform(0.05, 0.2)
        pen(self.draw, smooth([place(-mouth, 0.78), place(0, 0.78 + rng.normal(0, 0.06)), place(mouth, 0.78)]), self.line, self.ink, 0.5)
        for u in np.linspace(-0.95, 0.95, int(rng.integers(5, 13))):  # fringe
            tip = place(u * rng.uniform(0.8, 1.25), rng.uniform(-0.15, 0.45) + 0.5 * abs(u))
            shadow = hair_shadow if rng.random() < 0.5 else None
            self.strand(place(u * 0.6, -1.15), tip, size * rng.uniform(0.25, 0.5), hair, shadow)
        crown = through((-0.95, -0.5), (-0.8, -1.1), (0, -1.4), (0.8, -1.1), (0.95, -0.5), (0, -0.75))
        self.draw.polygon([tuple(p) for p in crown], fill=hair)
        n = int(rng.integers(8, 20))  # highlight: a band of points
        u = np.linspace(-0.75, 0.75, 2 * n + 1)
        upper = 0.3 * u * u - 1.12
        lower = upper + 0.14 + np.arange(2 * n + 1) % 2 * 0.16 * rng.uniform(0.4, 1)
        band = [place(a, b) for a, b in (*zip(u, upper), *zip(u[::-1], lower[::-1]))]
        self.draw.polygon([tuple(p) for p in band], fill=min(int(hair * 1.25 + 35), 255))
        for _ in range(int(rng.integers(3, 14))):
            u = rng.uniform(-0.8, 0.8)
            parting = smooth([place(u * 0.15, -1.35), place(u * 0.8, -0.95), place(u * 1.05, -0.4)])
            pen(self.draw, parting, self.line * rng.uniform(0.6, 1), self.ink, 0.9)
        pen(self.draw, crown[: len(crown) * 2 // 3], self.line * 1.2, self.ink, 0.2)

    def clothes(self, at, size):
        rng, (x, y) = self.rng, at
        place = lambda u, v: np.array((x + size * u, y + size * v))
        cloth = self.tone(20, 245)
        dark = int(cloth * rng.uniform(0.55, 0.85))
        body = smooth([place(-0.4, -0.2), place(-1.5, 0.2), place(-2, 3), place(2, 3), place(1.5, 0.2), place(0.4, -0.2)], True)
        self.shape(body, cloth, dark)
        if rng.random() < 0.4:  # stripes
            step = rng.uniform(0.06, 0.25)
            for v in np.arange(0.4, 3, step):
                stripe = smooth([place(-1.6, v), place(0, v + 0.15), place(1.6, v)])
                pen(self.draw, stripe, size * step * rng.uniform(0.15, 0.5), dark)
        for _ in range(int(rng.integers(3, 12))):  # folds
            u, v = rng.uniform(-1.4, 1.4), rng.uniform(0.2, 2.2)
            du, dv = rng.normal(0, 0.4), rng.uniform(0.2, 0.8)
            fold = smooth([place(u, v), place(u + du * 0.3, v + dv * 0.6), place(u + du, v + dv)])
            if rng.random() < 0.5:
                self.draw.polygon([tuple(p) for p in [*fold, place(u + du + 0.15, v + dv * 0.9)]], fill=dark)
            pen(self.draw, fold, self.line, self.ink, 0.8)
        for sign in (-1, 1):  # collar
            self.shape(np.array([place(0, 0.35), place(sign * 0.35, -0.35), place(sign * 0.75, 0.25)]), self.tone(), None)
        if rng.random() < 0.5:
            for v in np.arange(0.6, 2.5, 0.45):
                self.shape(blob(rng, place(0, v), size * 0.07, 0), self.tone(), None)

    def machine(self, at, size):
        """Panels, rivets, vents of thin parallel lines."""
        rng = self.rng
        a = rng.uniform(-0.5, 0.5)
        turn = np.array(((math.cos(a), -math.sin(a) * 0.8), (math.sin(a), math.cos(a))))
        place = lambda u, v: np.asarray(at) + size * (turn @ np.array((u, v)))
        rect = lambda u, v, w, h: np.array([place(u, v), place(u + w, v), place(u + w, v + h), place(u, v + h)])
        base = self.tone(50, 230)
        self.shape(rect(-1, -1, 2, 2), base, int(base * 0.75))
        for _ in range(int(rng.integers(4, 14))):
            u, v, w, h = rng.uniform(-1, 0.6), rng.uniform(-1, 0.6), rng.uniform(0.1, 0.8), rng.uniform(0.1, 0.8)
            w, h = min(w, 1 - u), min(h, 1 - v)
            tone = int(np.clip(base + rng.normal(0, 40), 0, 255))
            shadow = int(tone * 0.75) if rng.random() < 0.5 else None
            self.shape(rect(u, v, w, h), tone, shadow, rng.random() < 0.8, rng.choice((0.6, 1)))
            if rng.random() < 0.6:
                step = rng.uniform(2.2, 7) * OVER / size
                width = step * size * rng.uniform(0.25, 0.5)
                for k in np.arange(step, h - step / 2, step):
                    ink = self.ink if rng.random() < 0.9 else 255
                    pen(self.draw, [place(u + 0.03, v + k), place(u + w - 0.03, v + k)], width, ink)
            elif rng.random() < 0.5:
                for k in np.arange(0.04, w, 0.08):
                    c = place(u + k, v + 0.04)
                    r = self.line
                    self.draw.ellipse((*(c - r), *(c + r)), fill=self.ink)


def scenery(rng, side):
    """Painted background: soft blobs of leaves and clouds, houses with windows; then out of focus, or not."""
    im = Image.fromarray(backdrop(rng, side // 2).astype(np.uint8)).resize((side, side), Image.BICUBIC)
    draw = ImageDraw.Draw(im)
    for _ in range(int(rng.integers(0, 4))):
        at, tone = rng.uniform(0, side, 2), rng.uniform(30, 230)
        spread = rng.uniform(0.05, 0.2) * side
        for _ in range(int(rng.integers(20, 120))):
            leaf = blob(rng, at + rng.normal(0, spread, 2), rng.uniform(0.005, 0.05) * side, 0.2, 24)
            draw.polygon([tuple(p) for p in leaf], fill=int(np.clip(tone + rng.normal(0, 18), 0, 255)))
    if rng.random() < 0.5:
        x = 0.0
        while x < side:
            w, top, tone = rng.uniform(0.05, 0.25) * side, rng.uniform(0.2, 0.8) * side, int(rng.uniform(30, 220))
            draw.rectangle((x, top, x + w, side), fill=tone)
            step, pane = rng.uniform(8, 40) * OVER / 2, int(np.clip(tone + rng.normal(0, 50), 0, 255))
            for u in np.arange(x + step / 2, x + w - step / 2, step):
                for v in np.arange(top + step / 2, side, step * 1.3):
                    draw.rectangle((u, v, u + step * 0.5, v + step * 0.7), fill=pane)
            x += w * rng.uniform(1, 1.3)
    blur = rng.choice((0, 0.6, 1.2, 2.5, 5)) * OVER
    return im.filter(ImageFilter.GaussianBlur(float(blur))) if blur else im


def speed(rng, im):
    """Lines that run to a point."""
    side, draw = im.size[0], ImageDraw.Draw(im)
    c, shade = rng.uniform(0.2, 0.8, 2) * side, int(rng.choice((0, 255)))
    for a in rng.uniform(0, 2 * math.pi, int(rng.integers(60, 260))):
        d, near = np.array((math.cos(a), math.sin(a))), rng.uniform(0.15, 0.6) * side
        n, w = np.array((-d[1], d[0])), math.exp(rng.uniform(math.log(0.4), math.log(5))) * OVER
        draw.polygon([tuple(p) for p in (c + d * near, c + d * 1.5 * side + n * w, c + d * 1.5 * side - n * w)], fill=shade)


# kind: (sizes of the figures, how many at most)
CELS = {"portrait": (0.2, 0.5, 2), "group": (0.03, 0.15, 14), "machine": (0.03, 0.12, 5), "speed": (0.08, 0.35, 4)}


def cels(rng, kind):
    """A frame of an animation, drawn OVER times as large."""
    side = SIDE * OVER
    im = scenery(rng, side)
    if kind == "speed":
        speed(rng, im)
    if kind == "machine":
        for _ in range(int(rng.integers(1, 5))):
            Cel(rng, im).machine(rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0.12, 0.45) * side)
    cel = Cel(rng, im)
    for _ in range(int(rng.integers(0, 6))):  # things
        fill = cel.tone(10, 250)
        outline = blob(rng, rng.uniform(0, side, 2), rng.uniform(0.02, 0.15, 2) * side, 0.25)
        cel.shape(outline, fill, int(fill * rng.uniform(0.6, 0.9)))
    least, most, count = CELS[kind]
    for _ in range(int(rng.integers(1, count + 1))):
        Cel(rng, im).figure(rng.uniform((0.2, 0.25), (0.8, 0.7)) * side, rng.uniform(least, most) * side)
    return im


def direction(rng, side):
    """Which way brushes go: a smooth field of angles."""
    return rng.uniform(0, 2 * math.pi) + (clouds(rng, side, int(rng.integers(2, 6)), 2) - 0.5) * rng.uniform(1, 8)


def brushed(rng, im, angles):
    """Painted over: strokes of broad, then of narrow brushes, each a bundle of hairs of the tone that is there."""
    side, draw = im.size[0], ImageDraw.Draw(im)
    want = np.asarray(im.filter(ImageFilter.GaussianBlur(rng.uniform(1, 4))))
    uneven = rng.uniform(2, 14)
    for radius, count in ((rng.uniform(20, 40), 250), (rng.uniform(8, 16), 900), (rng.uniform(2.5, 6), 2600)):
        detail = np.asarray(im.filter(ImageFilter.GaussianBlur(radius))).astype(np.float32) - want
        for x, y in rng.integers(0, side, (count, 2)):
            if radius < 18 and abs(detail[y, x]) < 4 and rng.random() < 0.7:
                continue
            a = angles[y, x] + rng.normal(0, 0.2)
            d = np.array((math.cos(a), math.sin(a)))
            n, length, tone = np.array((-d[1], d[0])), radius * rng.uniform(1.5, 5), want[y, x] + rng.normal(0, uneven)
            bend = n * rng.normal(0, 0.15) * length
            hairs = int(rng.integers(2, 7))
            for k in range(hairs):
                p = np.array((x, y)) + n * radius * (2 * (k + 0.5) / hairs - 1)
                ends = rng.uniform(0.7, 1, 2) * length / 2
                points = [tuple(p - d * ends[0]), tuple(p + bend), tuple(p + d * ends[1])]
                shade = int(np.clip(tone + rng.normal(0, uneven * 0.6), 0, 255))
                draw.line(points, fill=shade, width=max(round(2.4 * radius / hairs), 1), joint="curve")
    return im


def washes(rng, a, count):
    """Watercolour: transparent patches that are darker at their rims and grainy."""
    side = a.shape[0]
    grain = clouds(rng, side, side // 4, 2, 1.0) - 0.5
    for _ in range(count):
        mask, size = Image.new("L", (side, side)), rng.uniform(0.05, 0.35) * side
        outline = blob(rng, rng.uniform(0, side, 2), (size, size * rng.uniform(0.4, 1.5)), 0.3)
        ImageDraw.Draw(mask).polygon([tuple(p) for p in outline], fill=255)
        inside = np.asarray(mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.6, 3)))).astype(np.float32) / 255
        near = np.asarray(mask.filter(ImageFilter.GaussianBlur(rng.uniform(3, 12)))).astype(np.float32) / 255
        wash = rng.uniform(0.05, 0.4) * (0.7 + 0.6 * clouds(rng, side, 4, 2)) + (1 - near) * rng.uniform(0, 0.5)
        a = a * (1 - inside * np.clip(wash + grain * rng.uniform(0, 0.15), 0, 0.9))
    return a


def leaves(rng, im):
    """Foliage: clumps of leaves, lit from one side, dark ones first."""
    side, draw = im.size[0], ImageDraw.Draw(im)
    shape = [(t, rng.uniform(0.15, 0.4) * math.sin(math.pi * t)) for t in np.linspace(0, 1, 7)]
    shape = np.array(shape + [(t, -w) for t, w in shape[-2:0:-1]]) - (0.5, 0)
    for _ in range(int(rng.integers(2, 9))):
        at, spread, size, tone = rng.uniform(0, side, 2), rng.uniform(0.04, 0.2) * side, rng.uniform(6, 30), rng.uniform(20, 140)
        light, count = rng.uniform(20, 110), int(rng.integers(120, 500))
        for k in range(count):
            p = rng.normal(0, 1, 2)
            a = rng.uniform(0, 2 * math.pi)
            turn = np.array(((math.cos(a), math.sin(a)), (-math.sin(a), math.cos(a)))) * size * rng.uniform(0.5, 1.2)
            lit = k / count + 0.25 * (p[0] - p[1]) + rng.normal(0, 0.15)
            points = [tuple(q) for q in at + p * spread + shape @ turn]
            draw.polygon(points, fill=int(np.clip(tone + light * lit, 0, 255)))
            if size > 18 and rng.random() < 0.5:
                draw.line((*points[0], *points[6]), fill=int(np.clip(tone + light * lit * 0.6, 0, 255)), width=1)


def rocks(rng, im):
    """Stones with facets, cracks and speckles."""
    side, draw = im.size[0], ImageDraw.Draw(im)
    for _ in range(int(rng.integers(3, 16))):
        at, size, tone = rng.uniform((0, 0.3), 1, 2) * side, rng.uniform(0.04, 0.2) * side, rng.uniform(50, 190)
        outline = blob(rng, at, (size, size * rng.uniform(0.5, 1)), 0.2, int(rng.integers(7, 14)))
        ridge = at + rng.normal(0, 0.25, 2) * size
        for p, q in zip(outline, np.roll(outline, -1, 0)):
            away = (p + q) / 2 - at
            shade = tone + 50 * (-away[1] - 0.6 * away[0]) / max(size, 1) + rng.normal(0, 8)
            draw.polygon([tuple(ridge), tuple(p), tuple(q)], fill=int(np.clip(shade, 0, 255)))
        for _ in range(int(rng.integers(0, 8))):
            crack = np.cumsum(np.concatenate([[at + rng.normal(0, 0.4, 2) * size], rng.normal(0, size * 0.08, (6, 2))]), 0)
            draw.line([tuple(p) for p in crack], fill=int(tone * rng.uniform(0.3, 0.7)), width=int(rng.integers(1, 4)))
        for p in at + rng.normal(0, 0.35, (int(rng.integers(0, 80)), 2)) * size:
            r = rng.uniform(0.5, 2)
            draw.ellipse((*(p - r), *(p + r)), fill=int(np.clip(tone + rng.normal(0, 40), 0, 255)))


def hatched(rng, im, angles):
    """Pen strokes over paint where it is dark, along a field, with gaps."""
    side, draw = im.size[0], ImageDraw.Draw(im)
    tone = np.asarray(im.filter(ImageFilter.GaussianBlur(3)))
    limit, ink, step = rng.uniform(50, 150), int(rng.choice((0, 15, 40, 255))), rng.uniform(4, 11)
    turned = rng.uniform(0, math.pi)
    for y, x in (rng.random((int((side / step) ** 2 * 0.6), 2)) * side).astype(int):
        if (tone[y, x] < limit) != (ink < 200):
            continue
        a, length = angles[y, x] + turned + rng.normal(0, 0.08), step * rng.uniform(1.5, 4)
        d = np.array((math.cos(a), math.sin(a))) * length / 2
        draw.line((x - d[0], y - d[1], x + d[0], y + d[1]), fill=ink, width=int(rng.choice((1, 2, 2, 3))))


def relined(im, drawn):
    """The ink of a drawing over what was painted on it."""
    dark = np.asarray(drawn).astype(np.float32)
    around = np.asarray(drawn.filter(ImageFilter.GaussianBlur(6))).astype(np.float32)
    line = np.clip((around - dark - 18) / 30, 0, 1) * np.clip((110 - dark) / 40, 0, 1)
    return Image.fromarray((np.asarray(im) * (1 - line) + dark * line).astype(np.uint8))


def painted(rng, kind):
    """Paint as in comics and backgrounds, twice as large: brushes, washes, leaves, stones, hatching, on paper."""
    side = 2 * SIDE
    if kind < 2:
        im = drawn = cels(rng, list(CELS)[int(rng.integers(4))]).resize((side, side), Image.BOX)
    else:
        im = Image.fromarray(backdrop(rng, side).astype(np.uint8))
        for add in rng.permutation([leaves, rocks, leaves, rocks])[: int(rng.integers(1, 4))]:
            add(rng, im)
        if rng.random() < 0.5:
            Cel(rng, im).figure(rng.uniform(0.25, 0.75, 2) * side, rng.uniform(0.1, 0.3) * side)
        drawn = im.copy()
    angles = direction(rng, side)
    if kind in (0, 2):
        im = brushed(rng, im.copy(), angles)
    if kind in (1, 3) or rng.random() < 0.2:
        im = Image.fromarray(washes(rng, np.asarray(im).astype(np.float32), int(rng.integers(3, 9))).astype(np.uint8))
    if kind < 3 and rng.random() < 0.8:
        im = relined(im, drawn)
    if rng.random() < 0.4:
        hatched(rng, im, angles)
    a = np.asarray(im.resize((SIDE, SIDE), Image.BOX)).astype(np.float32)
    if rng.random() < 0.5:  # paper
        a = a * (1 + (clouds(rng, SIDE, SIDE // 3, 2, 1.0) - 0.5) * rng.uniform(0.02, 0.14))
    if rng.random() < 0.4:  # soft shading
        a = a * (0.75 + 0.5 * clouds(rng, SIDE, int(rng.integers(2, 12)), 3))
    return a


def glow(rng, a):
    """Light that spreads, or a colour wash over a part."""
    if rng.random() < 0.3:
        bright = Image.fromarray(np.clip((a - 170) * 3, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(3, 12)))
        a = a + np.asarray(bright) * rng.uniform(0.1, 0.5)
    if rng.random() < 0.3:
        a = a + (gradient(rng, SIDE) - 128) * rng.uniform(0.1, 0.4)
    return a


def picture(seed):
    rng = np.random.default_rng(seed)
    if seed % 3 == 2:
        return Image.fromarray(np.clip(painted(rng, seed // 3 % 4) + 0.5, 0, 255).astype(np.uint8))
    if seed % 2:
        small = cels(rng, list(CELS)[seed // 2 % 4]).resize((SIDE, SIDE), Image.BOX)
        a = glow(rng, np.asarray(small).astype(np.float32))
        return Image.fromarray(np.clip(a + 0.5, 0, 255).astype(np.uint8))
    kind = seed // 2 % 6
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


def save(job):
    seed, path = job
    picture(seed).save(path + ".part", "WEBP", lossless=True, quality=0, method=0)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", required=True)
    ap.add_argument("--count", type=int, default=96)
    ap.add_argument("--first", type=int, default=0, help="seed of the first picture")
    ap.add_argument("--fonts", help="folder of .ttf files instead of DejaVu's")
    o = ap.parse_args()
    os.makedirs(o.out, exist_ok=True)
    FONTS = glob.glob(os.path.join(o.fonts, "DejaVu*.ttf")) if o.fonts else FONTS
    with Pool() as pool:
        pool.map(save, [(o.first + i, os.path.join(o.out, f"drawn_{i:04}.webp")) for i in range(o.count)], 1)
