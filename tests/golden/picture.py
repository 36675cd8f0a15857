#!/usr/bin/env python3
"""Samples, measured in the output: formats, flat colours, ramps, chroma's place, gradients, sizes.

Inputs are written sample by sample here and outputs decoded to samples by the ffmpeg program, so
that nothing but KizunaSR touches what is compared.

  picture.py PROGRAM [PART_OF_A_SECTION'S_NAME]

Ends with `N passed, N failed, N skipped`.
"""
import array, json, os, re, subprocess, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

PLAIN = ["--denoise", "0", "--progress", "none", "--log-level", "warning", "--overwrite", "--fresh"]


class Format:
    """A planar format: bits, chroma shifts, planes."""

    def __init__(self, name):
        self.name = name
        bits = re.search(r"(?:p|gray|ap)(9|10|12|14|16)(?:le)?$", name)
        self.bits = int(bits.group(1)) if bits else 8
        self.rgb = name.startswith("gbr")
        self.grey = name.startswith("gray")
        alpha = name.startswith(("yuva", "gbrap"))
        self.planes = 1 if self.grey else 4 if alpha else 3
        shifts = {"420": (1, 1), "422": (1, 0), "444": (0, 0), "411": (2, 0), "410": (2, 2), "440": (0, 1)}
        found = re.search(r"4[0-4][0-4]", name)
        self.shift = shifts[found.group(0)] if found else (0, 0)

    def size(self, plane, width, height):
        x, y = self.shift if plane in (1, 2) else (0, 0)
        return -(-width // (1 << x)), -(-height // (1 << y))

    def pack(self, planes):
        code = "B" if self.bits == 8 else "H"
        return b"".join(array.array(code, [v for row in p for v in row]).tobytes() for p in planes)

    def unpack(self, data, width, height):
        values = array.array("B" if self.bits == 8 else "H", data)
        planes, at = [], 0
        for p in range(self.planes):
            w, h = self.size(p, width, height)
            planes.append([values[at + y * w:at + (y + 1) * w] for y in range(h)])
            at += w * h
        return planes


def le(name):
    return name + "le" if re.search(r"(p|gray)(9|10|12|14|16)$", name) else name


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def at(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, fmt, width, height, planes, tags=(), frames=1):
        """Writes a picture, shown `frames` times, as FFV1 (raw in NUT where that has no such format)."""
        path = self.at(name)
        args = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", le(fmt.name), "-s", f"{width}x{height}", "-i", "-"]
        codec = ["-c:v", "rawvideo"] if path.endswith(".nut") else ["-c:v", "ffv1"]
        colours = clips.colour_filter(tags) if tags else ""
        r = subprocess.run(args + codec + (["-vf", colours] if colours else []) + list(tags) + [path], input=fmt.pack(planes) * frames, capture_output=True)
        check(r.returncode == 0, f"{name} is made", r.stderr.decode())
        return path

    def upscale(self, source, name, *options, status=0):
        r = run(self.program, "upscale", source, self.at(name), *PLAIN, *options)
        if r.returncode != status:
            check(False, f"{name}: upscale {' '.join(options)}", f"status {r.returncode}: {r.stderr}")
        return self.at(name), r.stderr

    def info(self, path):
        r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
                "stream=pix_fmt,width,height,codec_name,nb_read_frames", "-count_frames", "-of", "json", path)
        return json.loads(r.stdout)["streams"][0]

    def read(self, path):
        """Samples of the first frame, in the format it is coded in."""
        r = self.raw(path)
        # One program start says both what the samples are and gives them.
        name, width, height = re.search(r"Stream #0:0.*: Video: .*?, (\w+)(?:\([^)]*\))?, (\d+)x(\d+)", r.stderr.decode()).groups()
        plain = {"rgb24": "gbrp", "bgr0": "gbrp", "rgba": "gbrap", "bgra": "gbrap", "rgb48be": "gbrp16le", "rgb48le": "gbrp16le", "pal8": "gbrap",
                 "yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p"}.get(name, name)
        if plain != name and plain.startswith("gbr"):
            r = self.raw(path, "-pix_fmt", plain)
        fmt = Format(plain)
        return fmt, fmt.unpack(r.stdout, int(width), int(height))

    @staticmethod
    def raw(path, *options):
        return subprocess.run(["ffmpeg", "-hide_banner", "-i", path, "-map", "0:v:0", "-frames:v", "1", "-f", "rawvideo", *options, "-"], capture_output=True)


def flat(fmt, width, height, colour):
    return [[[colour[p]] * fmt.size(p, width, height)[0]] * fmt.size(p, width, height)[1] for p in range(fmt.planes)]


# --- Formats: nothing is dropped ---

def formats(b):
    """A flat colour in every format, through ffv1 (which takes nearly all): same format, same codes."""
    names = ["yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv410p", "yuv440p", "gray", "gbrp", "yuva420p", "yuva444p", "gbrap"]
    names += [f + d for f in ("yuv420p", "yuv422p", "yuv444p", "gbrp") for d in ("9", "10", "12", "14", "16")]
    names += ["yuv440p10", "yuv440p12", "gray9", "gray10", "gray12", "gray16", "yuva420p10", "yuva422p10", "yuva444p16", "gbrap10", "gbrap12", "gbrap16"]
    for name in some(names):
        fmt = Format(name)
        top = (1 << fmt.bits) - 1
        colour = [top * k // 16 | 1 for k in (9, 5, 13, 7)]
        source = b.write(f"{name}.mkv", fmt, 24, 20, flat(fmt, 24, 20, colour))
        out, said = b.upscale(source, f"{name}.out.mkv", "--codec", "ffv1")
        got, planes = b.read(out)
        off = max(abs(v - colour[p]) for p in range(fmt.planes) for row in planes[p] for v in row) if got.planes == fmt.planes else None
        # 16 bits lose the last one, RGB of 14 bits and more one for each bit above 13.
        check(got.name == le(name) and off is not None and off <= (0 if fmt.bits < 14 else (fmt.bits == 16) if not fmt.rgb else fmt.bits - 13), f"formats: {name} stays, codes too",
              f"{got.name}, off by {off}")
        check("lost" not in said, f"formats: {name}: no loss said", said)


def encoders(b):
    """What each encoder makes of each format, and what is said of it."""
    table = [  # input, encoder, expected format, word of the warning or None
        ("yuv420p", "libx264", "yuv420p", None), ("yuv422p", "libx264", "yuv422p", None), ("yuv444p", "libx264", "yuv444p", None),
        ("yuv420p10", "libx264", "yuv420p10le", None), ("yuv422p10", "libx264", "yuv422p10le", None), ("yuv444p10", "libx264", "yuv444p10le", None),
        ("yuv420p12", "libx264", "yuv420p10le", "bit depth"), ("yuv411p", "libx264", "yuv422p", None), ("gray", "libx264", "yuvj420p", None),
        ("gray10", "libx264", "gray10le yuv420p10le", None), ("gray16", "libx264", "gray10le yuv420p10le", "bit depth"), ("gbrp", "libx264", "yuv444p", "RGB"),
        ("yuva420p", "libx264", "yuv420p", "transparency"), ("yuv440p", "libx264", "yuv444p", None), ("yuv410p", "libx264", "yuv420p", None),
        ("yuv420p10", "libx265", "yuv420p10le", None), ("yuv422p12", "libx265", "yuv422p12le", None), ("yuv444p12", "libx265", "yuv444p12le", None),
        ("yuv420p16", "libx265", "yuv420p12le", "bit depth"), ("gbrp", "libx265", "gbrp", None), ("gbrp12", "libx265", "gbrp12le", None),
        ("gray12", "libx265", "gray12le", None), ("yuv420p9", "libx265", "yuv420p10le", None),
        ("yuv420p10", "libvpx-vp9", "yuv420p10le", None), ("yuv440p", "libvpx-vp9", "yuv440p", None), ("yuv444p12", "libvpx-vp9", "yuv444p12le", None),
        ("gbrp", "libvpx-vp9", "gbrp", None), ("gray", "libvpx-vp9", "yuv420p yuvj420p yuv444p yuv440p yuv422p", None), ("yuv420p14", "libvpx-vp9", "yuv420p12le", "bit depth"),
    ]
    for name, codec, wanted, word in some(table):
        fmt = Format(name)
        source = b.write("in.mkv", fmt, 32, 32, flat(fmt, 32, 32, [(1 << fmt.bits - 1) + 3] * 4))
        out, said = b.upscale(source, "out.mkv", "--codec", codec, "--preset", "ultrafast", "--crf", "0")
        got = b.info(out)["pix_fmt"]
        check(got in wanted.split(), f"encoders: {name} to {codec} is {wanted}", got)
        check((word in said) if word else "lost" not in said and "exact" not in said, f"encoders: {name} to {codec}: {word or 'nothing'} is lost, and said", said)
    _, said = b.upscale(b.write("in.mkv", Format("yuv444p10"), 32, 32, flat(Format("yuv444p10"), 32, 32, [300] * 3)), "out.mkv",
                        "--pixel-format", "yuv420p", "--preset", "ultrafast")
    check("bit depth" in said or "chroma" in said, "encoders: a named format that loses is said", said)


def ramp(b):
    """A 10-bit ramp keeps its levels from end to end; an 8-bit one its own."""
    for name, codec, least in some((("yuv420p10", "libx264", 860), ("yuv420p10", "libx265", 860), ("yuv422p10", "libvpx-vp9", 860),
                                    ("yuv444p12", "libx265", 860), ("gray10", "ffv1", 860), ("gbrp10", "ffv1", 860))):
        fmt = Format(name)
        unit = 1 << fmt.bits - 10
        line = [(64 + x) * unit for x in range(876)]
        planes = [[line[:fmt.size(p, 876, 36)[0]] if p == 0 or fmt.rgb else [512 * unit] * fmt.size(p, 876, 36)[0]] * fmt.size(p, 876, 36)[1] for p in range(fmt.planes)]
        source = b.write("ramp.mkv", fmt, 876, 36, planes)
        out, _ = b.upscale(source, "ramp.out.mkv", "--codec", codec, *([] if codec == "ffv1" else ["--crf", "0", "--preset", "ultrafast"]))
        got, read = b.read(out)
        levels = len(set(read[0][30]))
        check(levels >= least and got.bits >= 10, f"ramp: {name} through {codec} keeps its levels", f"{levels} levels, {got.name}")


# --- Flat colours ---

KR_KB = {"smpte170m": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020nc": (0.2627, 0.0593)}
COLOURS = [(1, 1, 1), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0.5), (0.8, 0.4, 0.1), (0.1, 0.3, 0.7)]


def to_ycc(rgb, matrix, full, bits):
    kr, kb = KR_KB[matrix]
    y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2]
    cb, cr = (rgb[2] - y) / (2 - 2 * kb), (rgb[0] - y) / (2 - 2 * kr)
    top, unit = (1 << bits) - 1, 1 << bits - 8
    if full:
        return [min(round(v), top) for v in (y * top, (1 << bits - 1) + cb * top, (1 << bits - 1) + cr * top)]
    return [round((16 + 219 * y) * unit), round((128 + 224 * cb) * unit), round((128 + 224 * cr) * unit)]


def to_rgb(ycc, matrix, full, bits):
    kr, kb = KR_KB[matrix]
    top, unit = (1 << bits) - 1, 1 << bits - 8
    half = 1 << bits - 1
    y, cb, cr = ((ycc[0] / top, (ycc[1] - half) / top, (ycc[2] - half) / top) if full else
                 ((ycc[0] / unit - 16) / 219, (ycc[1] - half) / unit / 224, (ycc[2] - half) / unit / 224))
    r, b = y + (2 - 2 * kr) * cr, y + (2 - 2 * kb) * cb
    g = (y - kr * r - kb * b) / (1 - kr - kb)
    return [min(max(v, 0), 1) for v in (r, g, b)]


def patches(fmt, codes):
    """Eight patches of 16x32 in a row."""
    planes = []
    for p in range(fmt.planes):
        w, h = fmt.size(p, 128, 32)
        planes.append([[codes[x * 8 // w][p] for x in range(w)]] * h)
    return planes


def middle(planes, p, i):
    rows = planes[p]
    return rows[len(rows) // 2][(2 * i + 1) * len(rows[0]) // 16]


def flats(b):
    for matrix in some(KR_KB):
        for full in some((False, True)):
            tags = ["-colorspace", matrix, "-color_range", "pc" if full else "tv"]
            sources = {}
            for name, options, ext in (("yuv420p", ["--codec", "libx264", "--crf", "0"], "mkv"), ("yuv420p10", ["--codec", "libx265", "--crf", "0"], "mkv"),
                                       ("yuv420p", ["--codec", "libx264", "--crf", "0", "--pixel-format", "yuv420p10le"], "mkv"),
                                       ("yuv444p10", ["--codec", "libvpx-vp9", "--crf", "0", "--pixel-format", "yuv420p"], "mkv"),
                                       ("yuv420p", [], "png"), ("yuv444p10", ["--pixel-format", "rgb48be"], "png"), ("yuv420p", ["--pixel-format", "rgb24"], "png"),
                                       ("yuv422p", [], "jpg")):
                fmt = Format(name)
                codes = [to_ycc(c, matrix, full, fmt.bits) for c in COLOURS]
                if name not in sources:
                    sources[name] = b.write(f"flat.{name}.mkv", fmt, 128, 32, patches(fmt, codes), tags)
                source = sources[name]
                speed = ["--preset", "ultrafast"] if ext == "mkv" else []
                out, _ = b.upscale(source, "flat.out." + ext, *options, *speed)
                got, planes = b.read(out)
                worst = 0
                for i, code in enumerate(codes):
                    if got.rgb:
                        r, g, bl = to_rgb(code, matrix, full, fmt.bits)
                        wanted = [v * ((1 << got.bits) - 1) for v in (g, bl, r)]
                    elif ext == "jpg":
                        wanted = to_ycc(to_rgb(code, matrix, full, 8), "smpte170m", True, 8)  # as JFIF has it
                    elif full:
                        ratio = ((1 << got.bits) - 1) / ((1 << fmt.bits) - 1)
                        wanted = [code[0] * ratio] + [(c - (1 << fmt.bits - 1)) * ratio + (1 << got.bits - 1) for c in code[1:]]
                    else:
                        wanted = [c * 2.0 ** (got.bits - fmt.bits) for c in code]
                    worst = max([worst] + [abs(middle(planes, p, i) - wanted[p]) for p in range(3)])
                limit = 3.0 if ext == "jpg" else 2.0 if got.bits == 16 else 1.0  # JPEG's own quantizer; 15-bit samples
                check(worst <= limit + 1e-9, f"flats: {matrix} {'full' if full else 'limited'} {name} to {got.name} in {ext}: within one code",
                      f"off by {worst:.3f}")


# --- Chroma's place ---

def place(values, low, high):
    """Where a step from low to high stands: the sum of what is above low, seen from the right end."""
    return len(values) - sum((v - low) / (high - low) for v in values) - 0.5


def sitings(b):
    """A coloured edge at the same place in luma and chroma must stay so, at every siting."""
    size, edge = 96, 48.0  # the edge, in luma samples
    breadth = 32  # across the edge all is the same
    fitted = ("yuv420p12", "yuv422p12", "yuv411p", "yuv444p12")  # across, in place of 4x
    for name in some((*fitted, "yuv420p", "yuv420p10", "yuv422p", "yuv440p", "yuv440p10")):
        fmt = Format(name)
        unit = 1 << fmt.bits - 8
        places = ("left", "center", "topleft", "top") if name in ("yuv420p12", "yuv420p10") else ("left", "center", "topleft")
        for location in places:
            for axis in some((0, 1)):
                group = 1 << fmt.shift[axis]
                cosited = location in (("left", "topleft"), ("topleft", "top"))[axis]
                offset = 0 if cosited else (group - 1) / 2
                # A soft edge, wide enough for the coarsest grid to say where it is.
                width = 6 * max(group, 2)
                soft = lambda at: (lambda t: t * t * (3 - 2 * t))(min(max((at - edge) / width + 0.5, 0), 1))
                luma = [round((60 + 128 * soft(x)) * unit) for x in range(size)]
                chroma = [round((64 + 128 * soft(group * x + offset)) * unit) for x in range(size // group)]
                planes = []
                shape = (size, breadth) if axis == 0 else (breadth, size)
                for p in range(3):
                    w, h = fmt.size(p, *shape)
                    line = chroma if p else luma
                    planes.append([line] * h if axis == 0 else [[v] * w for v in line])
                source = b.write("edge.mkv", fmt, *shape, planes, ["-chroma_sample_location", location, "-color_range", "tv"])
                others = [["--pixel-format", "yuv444p12"], ["--pixel-format", "yuv420p12"]] if fmt.bits == 12 else []
                for options in [[], ["--fit", "150x150"] if axis and name in fitted else ["--scale", "4"]] + others:
                    out, said = b.upscale(source, "edge.out.mkv", "--codec", "ffv1", "--dither", "false", *options)
                    got, read = b.read(out)
                    pick = lambda p: list(read[p][len(read[p]) // 2]) if axis == 0 else [row[len(row) // 2] for row in read[p]]
                    in_luma = place(pick(0), 60 * unit, 188 * unit) + 0.5
                    samples = pick(1)
                    wanted = le(options[1]) if "--pixel-format" in options else le(name)
                    ratio = len(pick(0)) // len(samples)
                    at = (place(samples, 64 * unit, 192 * unit) * ratio + (0 if cosited else (ratio - 1) / 2)) + 0.5
                    # Eight bits are too coarse to measure more than a pixel of the input.
                    limit = len(pick(0)) / size / 16 if fmt.bits == 8 else 1 / 16
                    check(got.name == wanted and abs(at - in_luma) < limit, f"sitings: {name} {location} axis {axis} {' '.join(options)}: chroma is where luma is",
                          f"{got.name}: luma {in_luma:.4f}, chroma {at:.4f}")


# --- Gradients ---

def gradients(b):
    """A slow gradient: each window of the output has the two codes that surround its true value."""
    fmt = Format("yuv420p")
    width, height = 512, 64
    planes = [[[64 + x // 32 for x in range(width)]] * height] + [[[128] * (width // 2)] * (height // 2)] * 2
    source = b.write("slow.mkv", fmt, width, height, planes)
    for dither in ("true", "false"):
        out, _ = b.upscale(source, "slow.out.mkv", "--codec", "ffv1", "--dither", dither)
        _, read = b.read(out)
        levels = len(set(v for row in read[0] for v in row))
        check(levels == 16, f"gradients: 8 bits, dither {dither}: as many levels as before", levels)
    ten = Format("yuv420p10")
    planes = [[[256 + x // 8 for x in range(width)]] * height] + [[[512] * (width // 2)] * (height // 2)] * 2
    source = b.write("slow10.mkv", ten, width, height, planes)
    for dither in ("true", "false"):
        out, _ = b.upscale(source, "slow10.out.mkv", "--codec", "ffv1", "--pixel-format", "yuv420p", "--dither", dither)
        _, read = b.read(out)
        # Local means of 16x16: dithered they keep the steps of 10 bits, rounded they fall on 8 bits.
        means = [sum(read[0][y][x + k] for y in range(32, 48) for k in range(16)) / 256 for x in range(0, 2 * width, 16)]
        steps = len(set(round(m * 4) for m in means))
        check((steps >= 60) if dither == "true" else (steps <= 34), f"gradients: 10 bits to 8, dither {dither}: {steps} local steps of 64", steps)


# --- Sizes ---

def refused(b, source, codec, reason, *options):
    """Refused before the work: exit status 2, one line that says why, and nothing is left behind."""
    out = b.at("refused.mkv")
    r = run(b.program, "upscale", source, out, "--codec", codec, "--progress", "none", "--log-level", "error", *options)
    said = f"kizunasr: error: failed to open encoder {codec} {reason}\n"
    check(r.returncode == 2 and r.stderr == said, f"sizes: {codec} {' '.join(options)}: refused, and why", f"{r.returncode} {r.stderr}, wanted {said}")
    left = [n for n in os.listdir(b.folder) if n.startswith("refused")]
    check(not left, f"sizes: {codec}: nothing is begun", left)


def encoder_limits(b, big):
    """The smallest and the largest sizes: what an encoder does not take is refused, the rest is made."""
    for w, h in some(((1, 1), (3, 2), (7, 5), (31, 31))):
        for name in ("yuv420p", "yuv444p"):
            fmt = Format(name)
            source = b.write("limit.mkv", fmt, w, h, flat(fmt, w, h, [100, 90, 170]))
            chroma = 2 if name == "yuv420p" else 1
            x, y = (-(-2 * v // chroma) * chroma for v in (w, h))
            for codec in ("libx264", "libvpx-vp9", "ffv1"):
                out, _ = b.upscale(source, "limit.out.mkv", "--codec", codec, *([] if codec == "ffv1" else ["--preset", "ultrafast"]))
                info = b.info(out)
                check((info["width"], info["height"], info["nb_read_frames"]) == (x, y, "1"), f"sizes: {w}x{h} {name} through {codec}", info)
                if codec == "ffv1":
                    check(all({v for row in plane for v in row} == {code} for plane, code in zip(b.read(out)[1], (100, 90, 170))), f"sizes: {w}x{h} {name} through ffv1: the flat that went in")
            refused(b, source, "libx265", f"({x}x{y}): the minimum size is 64x64")
    fmt = Format("yuv420p")
    source = b.write("limit.mkv", fmt, 32, 32, flat(fmt, 32, 32, [100, 90, 170]))
    out, _ = b.upscale(source, "limit.out.mkv", "--codec", "libx265", "--preset", "ultrafast")
    info = b.info(out)
    check(info["width"] == 64, "sizes: 64x64 is what libx265 takes", info)
    for codec in ("libx264", "libx265", "libvpx-vp9", "ffv1"):
        refused(b, big, codec, "(32768x17280, yuv420p): Picture size 32768x17280 is invalid", "--scale", "4")
    for codec, name in (("libx264", "auto"), ("ffv1", "auto"), ("ffv1", "yuv444p16le")):
        r = run(b.program, "plan", big, b.at("large.mkv"), "--codec", codec, "--pixel-format", name, "--fresh", "--progress", "none")
        check(r.returncode == 0, f"sizes: {codec} at 16384x8640 {name} is planned", r.stderr)


def sizes(b):
    for w, h in some(((1, 1), (1, 9), (9, 1), (3, 2), (33, 17), (35, 19))):
        for name in ("yuv420p", "yuv422p10", "yuv411p", "gray", "gbrp"):
            fmt = Format(name)
            colour = [100, 90, 170, 0]
            source = b.write("size.nut" if name == "yuv411p" else "size.mkv", fmt, w, h, flat(fmt, w, h, colour))
            out, _ = b.upscale(source, "size.out.mkv", "--codec", "libvpx-vp9" if name != "yuv411p" else "libx264", "--crf", "0", "--preset", "ultrafast")
            info = b.info(out)
            check((info["width"], info["height"]) == (2 * w, 2 * h), f"sizes: {w}x{h} {name}", info)
    # The largest: only what is refused must be said before the work.
    big = b.at("big.mkv")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=gray:size=8192x4320:rate=1:duration=1", "-c:v", "libx264", "-preset", "ultrafast", big)
    # Samples of all rows, or of a tenth of them, as wide. Plans below are of all.
    lines, crop = (4320, []) if EVERY == 1 else (432, ["--crop", "8192:432:0:0"])
    out, _ = b.upscale(big, "big.out.mkv", *crop, "--fit", f"8192x{lines}", "--preset", "ultrafast")
    info = b.info(out)
    check((info["width"], info["height"]) == (8192, lines), f"sizes: 8192x{lines} in and, fitted, out", info)
    encoder_limits(b, big)
    odd = b.at("odd.mkv")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=101x99:rate=24:duration=0.2", "-c:v", "libx264", "-pix_fmt", "yuv444p", odd)
    r = run(b.program, "upscale", odd, b.at("odd.out.mkv"), "--fit", "101x99", "--pixel-format", "yuv420p", *PLAIN)
    check(r.returncode == 0 and b.info(b.at("odd.out.mkv"))["width"] % 2 == 0, "sizes: fitted sizes are even where chroma demands it", r.stderr)
    b.upscale(b.write("xyz.nut", Format("yuv444p12"), 8, 8, flat(Format("yuv444p12"), 8, 8, [1, 2, 3]), ["-pix_fmt", "xyz12le"]), "xyz.out.mkv", status=3)
    check(not os.path.exists(b.at("xyz.out.mkv.kizunasr")), "sizes: a format that cannot be processed is found before the work")
    # Cropping in the bitstream: 1080 lines are coded as 1088, and any rectangle can be cut.
    source = b.at("crop.mkv")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=0.2", "-c:v", "libx264", "-crf", "0", "-pix_fmt", "yuv420p", b.at("whole.mkv"))
    run("ffmpeg", "-v", "error", "-y", "-i", b.at("whole.mkv"), "-c", "copy", "-bsf:v", "h264_metadata=crop_left=8:crop_right=6:crop_top=2:crop_bottom=4", source)
    run("ffmpeg", "-v", "error", "-y", "-flags", "unaligned", "-i", source, "-c:v", "ffv1", b.at("cut.mkv"))
    a, _ = b.upscale(source, "crop.out.mkv", "--codec", "ffv1")
    c, _ = b.upscale(b.at("cut.mkv"), "cut.out.mkv", "--codec", "ffv1")
    info = b.info(a)
    check(info["width"] == 164 and b.read(a)[1] == b.read(c)[1], "sizes: cropping in the bitstream", info)


def main():
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(os.path.abspath(sys.argv[1]), folder)
        judging = (ramp, flats, sitings, gradients)  # codes and places, of what the others run, too
        for section in (formats, encoders, *judging, sizes):
            if only in section.__name__ and (EVERY == 1 or section not in judging):
                section(bench)
    finish()


if __name__ == "__main__":
    main()
