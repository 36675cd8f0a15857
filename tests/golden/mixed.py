#!/usr/bin/env python3
"""Film, video and interlaced video in one source: --inverse-telecine mixed.

Clips are drawn of numbered moments, whose fields are laid out as telecine, 30 frames a second and
60 fields a second do, with edits between; then coded. The numbers and the timestamps of the output
must be those that were drawn, each once.

  mixed.py PROGRAM --frames PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, tempfile

import numpy as np

from checks import check, finish, run, some
from fields import pull_down

W, H = 160, 128
BITS, CELL = 10, 16  # of the number, in cells at the top
FIELD = 1001 / 60000
NEUTRAL = ["--codec", "ffv1", "--denoise", "0", "--progress", "none"]
MPEG2 = "-c:v mpeg2video -pix_fmt yuv420p -flags +ilme+ildct -b:v 5M -maxrate 6M -bufsize 2M -g 15 -bf 2"


def gray(number):
    """Of one number and the next a single bit differs: no bit flickers from field to field."""
    return number ^ number >> 1


def draw(number, held=1, noise=0, small=False):
    """A moment: its number, before something that moves, or (small) of which little moves."""
    shown = number // held
    y, x = np.mgrid[0:H, 0:W]
    step = 0 if small else 5 * shown
    luma = 110 + 50 * np.sin((x + step) / 11) + 30 * np.sin((y + x / 2 + step / 2) / 7)
    luma[:36] = 60
    if small:
        at = 40 + shown * 7 % 80
        luma[80:92, at:at + 12] = 220
    for b in range(BITS):
        luma[2:34, b * CELL:(b + 1) * CELL] = 200 if gray(number) >> b & 1 else 60
    if small:  # the number is small too
        luma[:36] = 60
        for b in range(BITS):
            luma[8:24, b * CELL + 4:b * CELL + 12] = 200 if gray(shown) >> b & 1 else 60
    if noise:
        luma = luma + np.random.default_rng(number).normal(0, noise, luma.shape)
    return np.clip(luma, 16, 235).astype(np.uint8)


def read(image):
    number = sum(int(image[12:20, b * CELL + 6:b * CELL + 10].mean() > 130) << b for b in range(BITS))
    for shift in (8, 4, 2, 1):
        number ^= number >> shift
    return number


class Clip:
    """Fields in a row, each with the number of its moment."""

    def __init__(self):
        self.fields, self.kinds, self.next = [], [], 1

    def add(self, counts, kind):
        for count in counts:
            self.fields += [self.next] * count
            self.kinds += [kind] * count
            self.next += 1
        return self

    def film(self, frames, skip=0):
        """Telecined film of so many frames of video, from a frame of the cycle on."""
        self.next += 1
        pattern = [2, 3] * frames
        fields = sum(([self.next + i] * c for i, c in enumerate(pattern)), [])[2 * skip:2 * (skip + frames)]
        self.fields += fields
        self.kinds += ["film"] * len(fields)
        self.next = fields[-1] + 1
        return self

    def video(self, frames):
        return self.add([2] * frames, "video")

    def interlaced(self, frames):
        return self.add([1] * 2 * frames, "interlaced")

    def wanted(self, bob=True, held=1, small=False):
        """The numbers and times of the output, in fields."""
        groups = []
        for i, (n, k) in enumerate(zip(self.fields, self.kinds)):
            if groups and groups[-1][0] == n:
                groups[-1][2] += 1
            elif k == "interlaced" and not bob and i % 2:
                groups[-1][2] += 1
            else:
                groups.append([n, i, 1, k])
        out, start, count = [], 0, 0
        for n, i, length, kind in groups:
            place = start + 2.5 * count
            on = kind == "film" and count and -.5 <= place - i <= (.5 if length > 1 else 0)
            if not on:
                start, count, place = i, 0, i
            count += kind == "film"
            out.append((n // held if small else n, place))
        return out

    def code(self, path, options, **how):
        """Writes the frames of two fields each."""
        drawn = {n: draw(n, **how) for n in set(self.fields)}
        frames = [drawn[n].copy() for n in self.fields[::2]]
        for frame, n in zip(frames, self.fields[1::2]):
            frame[1::2] = drawn[n][1::2]
        return encode(path, frames, "30000/1001", "-vf setfield=tff " + options)


def encode(path, frames, rate, options):
    raw = path + ".yuv"
    with open(raw, "wb") as f:
        f.write(b"".join(frame.tobytes() + bytes([128]) * (W * H // 2) for frame in frames))
    r = run("ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-s", f"{W}x{H}", "-pix_fmt", "yuv420p", "-r", rate, "-i", raw, *options.split(), path)
    os.remove(raw)
    check(r.returncode == 0, f"{os.path.basename(path)} is made", r.stderr)
    return path


def shown(path):
    """The numbers and times of a video."""
    r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "json", path)
    times = sorted(float(p["pts_time"]) for p in json.loads(r.stdout)["packets"])
    raw = path + ".raw"
    run("ffmpeg", "-v", "error", "-y", "-i", path, "-vsync", "0", "-vf", f"scale={W}:{H}:flags=area", "-pix_fmt", "gray", "-f", "rawvideo", raw)
    data = np.fromfile(raw, np.uint8).reshape(-1, H, W)
    os.remove(raw)
    return [read(image) for image in data], times


def clips():
    yield "film", Clip().film(50), {}, {}
    for phase in range(1, 5):
        yield f"film from frame {phase}", Clip().film(30, phase), {}, {}
    yield "video", Clip().video(40), {}, {}
    yield "film, video, film", Clip().film(40).video(40).film(40), {}, {}
    yield "interlaced", Clip().interlaced(40), {}, {}
    yield "all", Clip().film(40).interlaced(30).video(30).film(40), {}, {}
    for end in range(5):
        clip = Clip()
        for begin in range(5):
            clip.film(20 + end, begin)
        yield f"edits after frame {end}", clip, {}, {}
    for held in (2, 3):
        yield f"film on {held}s", Clip().film(60), {"held": held}, {}
        yield f"video on {held}s", Clip().film(30).video(40), {"held": held}, {}
    yield "little moves", Clip().film(60), {"small": True}, {}
    yield "little moves on 2s", Clip().film(60), {"small": True, "held": 2}, {"held": 2}
    yield "noise", Clip().film(40).video(30), {"noise": 4}, {}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--frames", required=True)
    ap.add_argument("--only", default="")
    o = ap.parse_args()
    program, frames = os.path.abspath(o.program), os.path.abspath(o.frames)
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def upscale(source, name, *options):
            r = run(program, "upscale", source, at(name), *options, "--overwrite", "--fresh")
            check(r.returncode == 0, f"{name}: upscale {' '.join(options)}", r.stderr)
            return at(name), r.stderr

        for name, clip, how, expect in some(clips()):
            if o.only not in name:
                continue
            small = how.get("small", False)
            source = clip.code(at("in.mkv"), MPEG2, **how)
            for bob in (True, False) if "interlaced" in clip.kinds else (True,):
                path, said = upscale(source, "out.mkv", "--inverse-telecine", "mixed", *(["--deinterlace", "field"] if bob else []), *NEUTRAL)
                wanted = clip.wanted(bob, how.get("held", 1), small)
                numbers, times = shown(path)
                ok = numbers == [n for n, _ in wanted]
                first = next((i for i, (a, b) in enumerate(zip(numbers, [n for n, _ in wanted])) if a != b), -1)
                check(ok, f"{name}: each moment once", f"{len(numbers)} {len(wanted)} first {first}: {numbers[max(first - 3, 0):first + 4]} {wanted[max(first - 3, 0):first + 4]} {said}")
                off = max((abs(t - times[0] - (w - wanted[0][1]) * FIELD) for t, (_, w) in zip(times, wanted)), default=9)
                check(len(times) == len(wanted) and off < 0.0011, f"{name}: at its time", f"{off} {[(n, w, round((t - times[0]) / FIELD, 1)) for t, (n, w) in zip(times, wanted) if abs(t - times[0] - (w - wanted[0][1]) * FIELD) > .0011]}")
        if not o.only:
            soft_and_hard(program, frames, at, upscale)
            same_bytes(program, frames, at, upscale)
    finish()


def soft_and_hard(program, frames, at, upscale):
    """Flags repeat fields of 24 frames, then 24 frames are telecined, then 15 of video."""
    encode(at("soft.m2v"), [draw(n) for n in range(1, 25)], "24000/1001", MPEG2.replace("+ilme+ildct", "+ilme"))
    clip = Clip()
    clip.next = 24
    clip.film(30).video(15).code(at("hard.m2v"), MPEG2)
    with open(at("both.m2v"), "wb") as f:
        f.write(pull_down(open(at("soft.m2v"), "rb").read()) + open(at("hard.m2v"), "rb").read())
    r = run("ffmpeg", "-v", "error", "-y", "-fflags", "+genpts", "-i", at("both.m2v"), "-c", "copy", "-f", "vob", at("both.vob"))
    check(r.returncode == 0, "soft and hard: made", r.stderr)
    path, said = upscale(at("both.vob"), "both.mkv", "--inverse-telecine", "mixed", *NEUTRAL)
    numbers, times = shown(path)
    check(numbers == list(range(1, 25 + 24 + 15)), "soft and hard: each moment once", f"{numbers} {said}")
    off = max(abs(t - times[0] - i * 2.5 * FIELD) for i, t in enumerate(times[:48]))
    check(off < 0.0011, "soft and hard: film at its rate", off)
    off = max(abs(t - times[48] - i * 2 * FIELD) for i, t in enumerate(times[48:]))
    check(off < 0.0011 and abs(times[48] - times[0] - 120 * FIELD) < 0.0011, "soft and hard: video at its rate", off)
    r = run(program, "verify", at("both.vob"), path, "--inverse-telecine", "mixed")
    check(r.returncode == 0, "soft and hard: verify", r.stdout + r.stderr)


def same_bytes(program, frames, at, upscale):
    clip = Clip().film(90).interlaced(60).video(60).film(75, 2)
    source = clip.code(at("long.mkv"), MPEG2)
    r = run(frames, source, "5", "mixed")
    check(r.returncode == 0, f"the same frames from anywhere: {r.stdout.strip()}", r.stderr)
    # Keyframes, here every 12, may be the second half of a frame of film.
    r = run(frames, Clip().film(100).code(at("keys.mkv"), MPEG2.replace("-g 15", "-g 12")), "5", "mixed")
    check(r.returncode == 0, f"also where halves are keyframes: {r.stdout.strip()}", r.stderr)
    options = ["--inverse-telecine", "mixed", "--deinterlace=field", "--preset", "ultrafast", "--progress", "none"]
    reference = None
    for more in (["--workers", "1", "--threads", "1"], ["--workers", "2", "--threads", "2"], ["--cpu", "c"]):
        path, said = upscale(source, "same.mkv", *options, *more)
        check("segments: 2" in said, "two segments", said)
        data = open(path, "rb").read()
        reference = reference or data
        check(data == reference, f"same bytes with {' '.join(more)}")
    r = run(program, "verify", source, at("same.mkv"), "--inverse-telecine", "mixed", "--deinterlace=field")
    check(r.returncode == 0, "verify", r.stdout + r.stderr)
    os.remove(at("same.mkv"))
    run(program, "plan", source, at("same.mkv"), *options, "--fresh")
    for n in ("1", "0"):
        r = run(program, "work", at("same.mkv.kizunasr"), "--segment", n)
        check(r.returncode == 0, f"segment {n} alone", r.stderr)
    run(program, "join", at("same.mkv.kizunasr"))
    check(os.path.exists(at("same.mkv")) and open(at("same.mkv"), "rb").read() == reference, "same bytes from segments made in another order")
    path, _ = upscale(source, "part.mkv", "--inverse-telecine", "mixed", "--start", "2", "--duration", "2", *NEUTRAL)
    whole, _ = upscale(source, "whole.mkv", "--inverse-telecine", "mixed", *NEUTRAL)
    (part, _), (all_, times) = shown(path), shown(whole)
    check(part == [n for n, t in zip(all_, times) if 2 <= t < 4] != [], "a range has the frames that the whole has there", f"{part}")
    r = run(program, "plan", source, at("no.avi"), "--inverse-telecine", "mixed")
    check(r.returncode == 2 and "cannot hold a variable frame rate" in r.stderr, "AVI is refused", f"{r.returncode} {r.stderr}")
    r = run(program, "plan", source, at("no.mkv"), "--inverse-telecine", "mixed", "--cfr")
    check(r.returncode == 2 and "the frame rate is variable" in r.stderr, "so is a constant rate", f"{r.returncode} {r.stderr}")


if __name__ == "__main__":
    main()
