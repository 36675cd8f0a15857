#!/usr/bin/env python3
"""Frames that do not decode: abort, repeat and skip, also at the border of two segments.

A film of two segments in which every frame is a keyframe, so that one damaged packet is one bad
frame. The output of `repeat` must show, in place of each bad frame, the good one before it.

  damage.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile

from checks import check, finish, run

FRAMES = 240
BAD = (50, 51, 119, 120, 121, 200)  # 120 begins the second segment


def packets(path):
    r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pos,size",
            "-of", "json", path)
    return [(int(p["pos"]), int(p["size"])) for p in json.loads(r.stdout)["packets"]]


def frame_hashes(path):
    r = run("ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-f", "framemd5", "-")
    return [line.split(",")[-1].strip() for line in r.stdout.splitlines() if not line.startswith("#")]


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        whole, bad = (os.path.join(folder, n) for n in ("whole.avi", "bad.avi"))
        # MJPEG in AVI: the demuxer gives packets as they are, so nothing but the frame suffers.
        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=10",
            "-c:v", "mjpeg", "-q:v", "3", whole)
        data = bytearray(open(whole, "rb").read())
        places = packets(whole)
        check(len(places) == FRAMES, "the film has its frames", len(places))
        for i in BAD:
            at, size = places[i]
            data[at + 8:at + size - 8] = bytes(size - 16)  # inside the chunk, wherever it begins
        open(bad, "wb").write(data)

        def upscale(source, name, *options):
            path = os.path.join(folder, name)
            return path, run(program, "upscale", source, path, "--codec", "ffv1", "--progress", "none", *options)

        good, r = upscale(whole, "good.mkv")
        check(r.returncode == 0 and "segments: 2" in r.stderr, "the undamaged film, two segments", r.stderr)
        good = frame_hashes(good)

        path, r = upscale(bad, "abort.mkv", "--workers", "1")
        check(r.returncode == 1 and "frame 50 " in r.stderr, "abort: status 1, names the first bad frame", r.stderr)
        check(not os.path.exists(path), "abort: no output")

        path, r = upscale(bad, "repeat.mkv", "--on-frame-error", "repeat")
        check(r.returncode == 0 and f"{len(BAD)} repeated" in r.stdout, "repeat: counted in the result", r.stdout + r.stderr)
        wanted = list(good)
        for i in BAD:
            wanted[i] = wanted[i - 1]
        check(frame_hashes(path) == wanted, "repeat: the good frame before, across the border too")
        one = open(path, "rb").read()
        path, r = upscale(bad, "repeat1.mkv", "--on-frame-error", "repeat", "--workers", "1")
        check(open(path, "rb").read() == one, "repeat: same bytes with one worker")

        path, r = upscale(bad, "skip.mkv", "--on-frame-error", "skip")
        check(r.returncode == 0 and f"{len(BAD)} skipped" in r.stdout, "skip: counted in the result", r.stdout + r.stderr)
        check(frame_hashes(path) == [h for i, h in enumerate(good) if i not in BAD], "skip: all other frames")
    finish()


if __name__ == "__main__":
    main()
