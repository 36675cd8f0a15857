#!/usr/bin/env python3
"""Frames that do not decode: abort, repeat and skip, also at the border of two segments; lost ones are counted.

A film of two segments in which every frame is a keyframe, so that one damaged packet is one bad
frame. The output of `repeat` must show, in place of each bad frame, the good one before it.

  damage.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, struct, sys, tempfile

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


def empty_frames(data, which):
    """Writes zeros over these video chunks of an AVI without sound."""
    data, at, n = bytearray(data), data.index(b"movi") + 4, 0
    while data[at:at + 4] == b"00dc":
        size = struct.unpack("<I", data[at + 4:at + 8])[0]
        if n in which:
            data[at + 8:at + 8 + size] = bytes(size)
        at, n = at + 8 + size + size % 2, n + 1
    return bytes(data), n


def test_lost(program, folder):
    """A film indexed by decoding has only the frames that decode, and says how many do not."""
    whole, bad, out = (os.path.join(folder, n) for n in ("lost-whole.avi", "lost.avi", "lost.mkv"))
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=24:duration=3",
        "-c:v", "mpeg4", "-q:v", "3", "-bf", "2", "-g", "24", whole)
    lost = (9, 30, 42)  # frames that no other needs
    with open(whole, "rb") as file:
        data, count = empty_frames(file.read(), lost)
    with open(bad, "wb") as file:
        file.write(data)
    check(count == 72, "a film of 72 frames", count)
    for path, number in ((whole, 0), (bad, len(lost))):
        r = run(program, "probe", path, "--json")
        video = json.loads(r.stdout or "{}").get("video", {})
        check((video.get("index"), video.get("undecodable_frames"), video.get("frames")) == ("decoded", number, 72 - number),
              f"probe counts {number} that do not decode", video)
        check(("frames cannot be decoded" in r.stderr) == (number > 0), f"probe says so of {number}", r.stderr)
    r = run(program, "upscale", bad, out, "--codec", "ffv1", "--progress", "none")
    check(r.returncode == 0 and "3 of 72 frames cannot be decoded and are dropped" in r.stderr, "upscale says how many", r.stderr)
    r = run("ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", out)
    times = sorted(float(t.strip(",")) for t in r.stdout.split())
    gaps = [round(b - a, 3) for a, b in zip(times, times[1:]) if b - a > 0.06]
    check(len(times) == 69 and len(gaps) == 3 and all(0.08 < g < 0.09 for g in gaps), "the others keep their times", (len(times), gaps))


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
        r = run(program, "verify", bad, path, "--progress", "none")
        check(r.returncode == 0, "repeat: verify finds every other frame right", r.stdout + r.stderr)
        one = open(path, "rb").read()
        path, r = upscale(bad, "repeat1.mkv", "--on-frame-error", "repeat", "--workers", "1")
        check(open(path, "rb").read() == one, "repeat: same bytes with one worker")

        path, r = upscale(bad, "skip.mkv", "--on-frame-error", "skip")
        check(r.returncode == 0 and f"{len(BAD)} skipped" in r.stdout, "skip: counted in the result", r.stdout + r.stderr)
        check(frame_hashes(path) == [h for i, h in enumerate(good) if i not in BAD], "skip: all other frames")
        test_lost(program, folder)
    finish()


if __name__ == "__main__":
    main()
