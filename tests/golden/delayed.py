#!/usr/bin/env python3
"""An executor that holds two frames back makes the bytes of one that holds none (delayed.c).

What belongs to a frame beside its samples must wait with it: irregular timestamps, captions, frames
repeated and skipped, also at the border of two segments, and the memory of the temporal stage.

  delayed.py PROGRAM DELAYED_PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import os, sys, tempfile

import colour
import damage
from checks import check, finish, run

FAST = "--codec libx264 --preset ultrafast --progress none --workers 1 --threads 1".split()
TEMPORAL = "--temporal --temporal-weight 0.6 --motion-threshold 1".split()


def make_captioned(folder):
    """Two segments of irregular timestamps; every frame has other captions."""
    path = os.path.join(folder, "vfr.mkv")
    plain = colour.make_captioned(folder, "cc.mkv", 9)
    run("ffmpeg", "-v", "error", "-i", plain, "-c", "copy", "-bsf:v", "setts=ts=(N+mod(N\\,3)/4)/24/TB", path)
    return path


def spoil(path, frames, share):
    """Zeroes a share of these packets, but for their ends."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    places = damage.packets(path)
    for i in frames:
        at, size = places[i]
        first = at + 8 + int(size * (1 - share))
        data[first:at + size - 8] = bytes(at + size - 8 - first)
    with open(path, "wb") as file:
        file.write(data)


def make_damaged(folder):
    """Two segments, in each several bad frames, two of them at the border."""
    path = os.path.join(folder, "bad.avi")
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=12:duration=16", "-c:v", "mjpeg", "-q:v", "3", path)
    spoil(path, (5, 30, 31, 32, 95, 96, 97, 150), 1)
    return path


def make_raw(folder, pixel_format):
    path = os.path.join(folder, pixel_format + ".nut")
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=62x34:rate=12:duration=0.5", "-pix_fmt", pixel_format,
        "-c:v", "rawvideo", path)
    return path


def compare(programs, source, folder, what, *options):
    made = []
    for i, program in enumerate(programs):
        out = os.path.join(folder, f"{i}.mkv")
        r = run(program, "upscale", source, out, *FAST, *options, "--overwrite", "--fresh")
        data = open(out, "rb").read() if os.path.exists(out) else b""
        made.append((r.returncode, r.stderr.replace(out, "OUT"), data))
    check(made[0][0] == made[1][0] == 0, f"{what}: both run", [m[:2] for m in made])
    check(made[0][2] and made[0][2] == made[1][2], f"{what}: the same bytes", [len(m[2]) for m in made])
    check(made[0][1] == made[1][1], f"{what}: the same messages", [m[1] for m in made])
    return made[0][1]


def main():
    programs = [os.path.abspath(p) for p in sys.argv[1:3]]
    with tempfile.TemporaryDirectory() as folder:
        vfr, bad = make_captioned(folder), make_damaged(folder)
        compare(programs, vfr, folder, "irregular times and captions", *TEMPORAL)
        check(len(set(colour.captions(os.path.join(folder, "1.mkv")))) > 10, "captions are there")
        # Planes as the decoder has them, and as the encoder takes them.
        os.environ["DELAYED_RAW"] = "1"
        for source, target, *crop in (("nv12", "nv12", "--crop", "40:24:6:4"), ("yuv420p", "yuv420p10le")):
            compare(programs, make_raw(folder, source), folder, f"{source} to {target}", "--pixel-format", target, *crop)
        del os.environ["DELAYED_RAW"]
        compare(programs, vfr, folder, "a bit rate, fitted", "--bitrate", "60k", "--fit", "100x100", "--codec", "libx264")
        spoil(vfr, (19, 20, 70), 0.5)
        said = compare(programs, vfr, folder, "repeated frames and captions", "--on-frame-error", "repeat")
        repeats = said.count("repeated")
        check(repeats == 3, "frames with captions are repeated", said)
        kept = colour.captions(os.path.join(folder, "1.mkv"))
        check(len(kept) == 216 - repeats, "a repeated frame has no captions", f"{len(kept)} {repeats}")
        said = compare(programs, bad, folder, "repeated frames", *TEMPORAL, "--on-frame-error", "repeat")
        check(said.count("repeated") >= 8, "frames are repeated", said)
        said = compare(programs, bad, folder, "skipped frames", *TEMPORAL, "--on-frame-error", "skip")
        check(said.count("skipped") >= 8, "frames are skipped", said)
    finish()


if __name__ == "__main__":
    main()
