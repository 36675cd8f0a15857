#!/usr/bin/env python3
"""--bitrate: a film of very easy and very hard segments has the size that was asked for.

Four segments: a still grey picture, moving noise, a test pattern, a zoom. At several bit rates and with each
encoder of the promise the video of the whole film must be within 5 % of what was asked for; the plan's
targets must say that the easy segment gets least; and the bytes must not depend on workers and threads.

  rates.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile

import clips
from checks import check, finish, run, some

SIZE, RATE, SECONDS = "96x64", 12, 32
PARTS = (
    "color=gray:size={0}:rate={1}:duration=8",
    "testsrc2=size={0}:rate={1}:duration=8,noise=alls=24:allf=t:all_seed=7",
    "testsrc2=size={0}:rate={1}:duration=8",
    "mandelbrot=size={0}:rate={1}:start_scale=0.5:end_scale=0.01:end_pts=96,trim=duration=8",
)
# Bits per second that this film can use, by encoder.
RATES = {"libx264": ("120k", "300k", "800k"), "libx265": ("600k", "120k"),
         "libvpx-vp9": ("150k", "600k")}


def make_film(folder):
    path = os.path.join(folder, "film.mkv")
    inputs = [word for part in PARTS for word in ("-f", "lavfi", "-i", part.format(SIZE, RATE))]
    joined = "".join(f"[{i}:v]format=yuv420p,setsar=1[v{i}];" for i in range(4))
    joined += "".join(f"[v{i}]" for i in range(4)) + "concat=n=4"
    clips.need(clips.ffmpeg(*inputs, "-filter_complex", joined, "-c:v", "ffv1", "-g", "1", "-bitexact", path))
    return path


def video_bits(path):
    r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=size", "-of",
            "csv=p=0", path)
    return 8 * sum(int(word) for word in r.stdout.replace(",", " ").split())


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        film = make_film(folder)
        place = lambda name: os.path.join(folder, name)
        for codec, rates in RATES.items():
            for rate in some(rates):
                name = f"{codec}-{rate}.mkv"
                r = run(program, "upscale", film, place(name), "--codec", codec, "--preset", "superfast",
                        "--bitrate", rate, "--denoise", "0", "--workers", "1", "--progress", "none", "--keep-work")
                if not check(r.returncode == 0, f"{codec} {rate}: runs", r.stderr):
                    continue
                got = video_bits(place(name)) / SECONDS / 1000 / int(rate[:-1])
                check(abs(got - 1) <= 0.05, f"{codec} {rate}: {got:.3f} of what was asked for")
                with open(place(name + ".kizunasr/manifest.json")) as file:
                    targets = [s["bit_rate"] for s in json.load(file)["segments"]]
                check(len(targets) == 4 and min(targets) == targets[0] and max(targets) == targets[1],
                      f"{codec} {rate}: the easy segment gets least, the hard one most", targets)
                print("    ", targets)
        r = run(program, "upscale", film, place("again.mkv"), "--codec", "libx265", "--preset", "superfast",
                "--bitrate", "600k", "--denoise", "0", "--workers", "2", "--threads", "3", "--progress", "none")
        same = open(place("again.mkv"), "rb").read() == open(place("libx265-600k.mkv"), "rb").read()
        check(r.returncode == 0 and same, "the same bytes with other workers and threads", r.stderr)
    finish()


if __name__ == "__main__":
    main()
