#!/usr/bin/env python3
"""How often a run opens its files and has FFmpeg look at them, and how many frames it decodes (counted.c).

What is done once must not be done again unnoticed: the limits are what the program needs now.

  counted.py COUNTED_PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import os, sys, tempfile

from checks import check, finish, run

FAST = "--codec libx264 --preset ultrafast --progress none --workers 1 --threads 1 --scale 2".split()
# Two other streams, of which each is tried and compared on its own.
STREAMS = "-map 0:v -map 1:a -map 1:a -c:a aac"


def make(folder, name, seconds, container=""):
    path = os.path.join(folder, name)
    run("ffmpeg", "-v", "error", "-cpuflags", "0", "-f", "lavfi", "-i", f"testsrc2=s=64x36:d={seconds}:r=24", "-f", "lavfi", "-i",
        f"sine=d={seconds}", *STREAMS.split(), "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-bf", "2", "-g", "48",
        *container.split(), path)
    return path


def count(program, folder, *args):
    counts = os.path.join(folder, "counts")
    r = run(program, *args, env={**os.environ, "KSR_COUNTS": counts})
    if r.returncode:
        return {}, r.stderr
    with open(counts) as file:
        return {name: int(n) for name, n in (line.split() for line in file)}, r.stderr


def check_counts(what, found, errors, limits):
    for name, limit in limits.items():
        check(0 < found.get(name, 0) <= limit, f"{what}: {name} at most {limit}", f"{found} {errors}")


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.mkv")
        for name, seconds, limits in (("short.mkv", 12, {"looked": 1, "opened": 24, "packets": 262}),
                                      ("short.mp4", 12, {"looked": 1, "opened": 24, "packets": 262}),
                                      ("long.mkv", 60, {"looked": 1, "opened": 36, "packets": 296})):
            source = make(folder, name, seconds)
            found, errors = count(program, folder, "plan", source, out, *FAST)
            check_counts("plan of " + name, found, errors, limits)
            for left in os.listdir(out + ".kizunasr"):
                os.unlink(os.path.join(out + ".kizunasr", left))
        # Two segments of 144 frames, each of which is decoded once.
        source = os.path.join(folder, "short.mkv")
        found, errors = count(program, folder, "upscale", source, out, *FAST)
        check_counts("upscale", found, errors, {"looked": 3, "opened": 44, "packets": 642})
        found, errors = count(program, folder, "verify", source, out)
        check_counts("verify", found, errors, {"looked": 5, "opened": 30, "packets": 896})
    finish()


if __name__ == "__main__":
    main()
