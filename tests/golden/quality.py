#!/usr/bin/env python3
"""What the stages promise of whole pictures: coding noise goes down, clean lines stay, still films
stay still and calm.

  quality.py PROGRAM SAMPLE_PROGRAM

The sample scene is drawn at full size, reduced by two, and upscaled again, from lossless files and
from coded ones. Ends with `N passed, N failed, N skipped`.
"""
import math, os, subprocess, sys, tempfile

import numpy as np

from checks import check, finish, run

WIDTH, HEIGHT = 640, 360


def pictures(path, width=WIDTH, height=HEIGHT):
    """Luma of every frame."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                         capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width).astype(np.float64)


def psnr(a, b):
    return -10 * math.log10(max(((a - b) ** 2).mean(), 1e-9) / 255 ** 2)


def main():
    program, sample = (os.path.abspath(p) for p in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def ffmpeg(*args):
            r = run("ffmpeg", "-v", "error", "-y", *args)
            check(r.returncode == 0, f"{os.path.basename(args[-1])} is made", r.stderr)

        def upscale(source, *options):
            r = run(program, "upscale", at(source), at("out.mkv"), "--codec", "ffv1", "--overwrite", "--fresh",
                    "--progress", "none", *options)
            check(r.returncode == 0, f"{source} is upscaled {' '.join(options)}", r.stderr)
            return pictures(at("out.mkv"))

        r = run(sample, "--width", str(WIDTH), "--height", str(HEIGHT), "--frames", "8", "--vcodec", "ffv1",
                "--no-audio", "--no-title", "--no-chapters", at("full.mkv"))
        check(r.returncode == 0, "the scene is drawn", r.stderr)
        full = pictures(at("full.mkv"))
        small = ["-vf", f"scale={WIDTH // 2}:{HEIGHT // 2}:flags=area"]
        ffmpeg("-i", at("full.mkv"), *small, "-c:v", "ffv1", at("clean.mkv"))
        ffmpeg("-i", at("full.mkv"), *small, "-c:v", "mjpeg", "-q:v", "6", at("jpeg.mkv"))
        ffmpeg("-i", at("full.mkv"), *small, "-c:v", "libx264", "-preset", "veryfast", "-crf", "30", at("h264.mkv"))

        # Stage 1, both ways.
        scores = {source: {d: psnr(upscale(source, "--denoise", d), full) for d in ("0", "0.2", "0.4")}
                  for source in ("clean.mkv", "jpeg.mkv", "h264.mkv")}
        for source, s in scores.items():
            print("    " + source + ": " + ", ".join(f"denoise {d} {v:.3f} dB" for d, v in s.items()))
        for source in ("jpeg.mkv", "h264.mkv"):
            s = scores[source]
            check(s["0.2"] > s["0"], f"{source}: denoise 0.2 is better than none", f"{s}")
        s = scores["clean.mkv"]
        check(s["0"] - s["0.2"] < 0.1, "clean lines lose less than 0.1 dB", f"{s}")
        check(s["0"] > scores["h264.mkv"]["0"] + 1, "the coded film is the worse one")

        # A still film stays still, with and without blending.
        ffmpeg("-i", at("clean.mkv"), "-vf", "loop=loop=11:size=1", "-frames:v", "12", "-c:v", "ffv1", at("still.mkv"))
        for options in ([], ["--temporal"]):
            frames = upscale("still.mkv", *options)
            check(len(frames) == 12 and (frames == frames[0]).all(), f"a still film stays still {' '.join(options)}")

        # Noise on it flickers less: to (1 - w) / (1 + w) of its variance at most half more.
        ffmpeg("-i", at("still.mkv"), "-vf", "noise=alls=8:allf=t:all_seed=7", "-c:v", "ffv1", at("noisy.mkv"))
        weight = 0.5
        calm = [upscale("noisy.mkv", "--denoise", "0", *o) for o in ([], ["--temporal", "--temporal-weight", str(weight)])]
        flicker = [frames[6:].var(axis=0).mean() for frames in calm]
        left = flicker[1] / flicker[0]
        check(left < 1.5 * (1 - weight) / (1 + weight), f"flicker falls to {left:.2f}", f"{flicker}")
    finish()


main()
