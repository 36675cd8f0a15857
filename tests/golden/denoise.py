#!/usr/bin/env python3
"""--denoise auto: clean sources get exactly 0, coded ones what they need, and every run the same.

  denoise.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile

import clips
from checks import check, finish, run

WIDTH, HEIGHT, FRAMES = 256, 192, 6


def drawing(x, y, i):
    """Slanted lines and discs on flat ground, moving."""
    if (x + 0.37 * y + 3 * i) % 41 < 3:
        return 20
    u, v = x % 77 - 38, (y + i) % 59 - 29
    return 40 if u * u + v * v < 300 else 190


def hatching(x, y, i):
    return 60 if (x + 2 * y + i) % 7 < 2 else 215


def halftone(x, y, i):
    u, v = x % 8 - 4, y % 8 - 4
    return 50 if u * u + v * v < 4 + x // 32 else 225


def letters(x, y, i):
    """Type of cells of 8x8, as of a screen."""
    bits = (0x3c66c3c3ffc3c300 * (1 + x // 8 % 5) + 0x7e181818187e0000 * (y // 8 % 3)) & (1 << 64) - 1
    return 235 if bits >> (x % 8 + 8 * (y % 8)) & 1 else 16


def grainy(x, y, i):
    return drawing(x, y, i) + (x * 2654435761 ^ y * 40503 ^ i * 97 ^ (x * y * 7919) >> 3) % 13 - 6


def video(folder, name, paint, frames=FRAMES, fmt="gray"):
    """Without loss, from frames that are painted sample by sample."""
    raw = clips.write(folder, name + ".raw", bytes(paint(x, y, i) for i in range(frames) for y in range(HEIGHT)
                                                   for x in range(WIDTH)))
    path = os.path.join(folder, name)
    clips.need(clips.ffmpeg("-f", "rawvideo", "-pixel_format", "gray", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate",
                            12, "-i", raw, "-vf", "format=yuv420p", "-c:v", "ffv1", "-bitexact", path))
    return path


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def told(source, *options, output="out.mkv"):
            """What a dry run says of the strength."""
            r = run(program, "upscale", source, at(output), "--dry-run", "--json", *options)
            return json.loads(r.stdout)["denoise"] if r.returncode == 0 else r.stderr

        def coded(source, name, options):
            clips.need(clips.ffmpeg("-i", source, *options.split(), "-threads", 1, "-bitexact", at(name)))
            return at(name)

        def upscale(source, output, *options):
            return run(program, "upscale", source, at(output), "--codec", "ffv1", "--progress", "none", *options)

        def frames(name):
            return run("ffmpeg", "-v", "error", "-i", at(name), "-f", "md5", "-").stdout

        # Clean.
        clean = video(folder, "clean.mkv", drawing)
        for name, paint in (("hatching", hatching), ("halftone", halftone), ("letters", letters), ("grain", grainy)):
            source = video(folder, name + ".mkv", paint, 2)
            check(told(source) == "0 (clean)", f"{name}: 0", told(source))
        check(told(clean) == "0 (clean)", "a clean source: 0", told(clean))
        near = coded(clean, "near.mkv", "-c:v libx264 -preset ultrafast -crf 4")
        check(told(near) == "0 (clean)", "H.264 nearly without loss: 0", told(near))
        r = upscale(clean, "auto.mkv", "--keep-work")
        check(r.returncode == 0 and "denoise: 0 (clean)" in r.stderr, "a run says so", r.stderr)
        upscale(clean, "none.mkv", "--denoise", "0")
        check(frames("auto.mkv") == frames("none.mkv") != "", "and does nothing")
        check(told(clean, "--denoise", "0.25") == "0.25", "a number stands", told(clean, "--denoise", "0.25"))
        check(told(clean, "--denoise", "1") == "1" and told(clean, "--denoise", "0") == "0", "1 and 0, too")

        # Coded.
        for name, options, word, least in (
                ("h264.mkv", "-c:v libx264 -preset ultrafast -crf 30", "H.264", 0.3),
                ("h264-10.mkv", "-c:v libx264 -preset ultrafast -crf 30 -pix_fmt yuv420p10le", "H.264", 0.3),
                ("hevc.mp4", "-c:v libx265 -preset ultrafast -crf 32 -x265-params log-level=0:keyint=3:open-gop=1", "HEVC", 0.3),
                ("hevc.ts", "-c:v libx265 -preset ultrafast -crf 32 -pix_fmt yuv420p10le -x265-params "
                 "log-level=0:keyint=3:scaling-list=default:temporal-layers=2", "HEVC", 0.3),
                ("mpeg2.mpg", "-c:v mpeg2video -q:v 6", "MPEG-2", 0.3),
                ("mpeg4.avi", "-c:v mpeg4 -q:v 6", "MPEG-4", 0.3),
                ("vp9.webm", "-c:v libvpx-vp9 -b:v 0 -crf 45 -deadline realtime -cpu-used 8", "VP9", 0.2),
                ("jpeg.avi", "-c:v mjpeg -q:v 8 -pix_fmt yuvj420p", "JPEG", 0.2)):
            said = told(coded(clean, name, options))
            check(said.endswith(f" ({word} noise)") and least <= float(said.split()[0]) <= 0.5, f"{name}: {said}", said)
        for name, options in (("vp9.webm", "-c:v libvpx-vp9 -lossless 1 -deadline realtime -cpu-used 8"),
                              ("h264.mkv", "-c:v libx264 -preset ultrafast -qp 0"),
                              ("hevc.mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=0:lossless=1")):
            said = told(coded(clean, "lossless-" + name, options))
            check(said == "0 (clean)", f"{name} without loss: 0", said)
        said = told(coded(clean, "vp8.webm", "-c:v libvpx -b:v 2M -crf 8 -deadline realtime -cpu-used 8"))
        check(said == "0 (no noise found)", "VP8, which tells no quantizer", said)
        again = coded(at("jpeg.avi"), "again.mkv", "-c:v ffv1")
        check(told(again).endswith(" (coding noise)"), "what was coded before: its blocks show", told(again))
        ai = lambda model: ("--use-ai", "--ai-model", model)
        plain = told(at("jpeg.avi"))
        check(told(at("jpeg.avi"), *ai("anime-quality")) == plain, "JPEG and a network: the same")
        for model in ("anime-best", "anime-ultra"):
            said = told(at("jpeg.avi"), *ai(model))
            check(float(said.split()[0]) < float(plain.split()[0]), f"JPEG and {model}: less, {said}", plain)
            path = os.path.join(os.path.dirname(__file__), "../../models", model + ".ksrnet")
            check(told(at("jpeg.avi"), *ai(path)) == said, f"{model} by its path: the same")
            check(told(at("h264.mkv"), *ai(model)) == told(at("h264.mkv")), f"H.264 and {model}: all that is measured")
            check(told(at("jpeg.avi"), "--denoise", "0.3", *ai(model)) == "0.3", f"{model}: a number stands")
        for model in ("anime-dvd", "anime-web"):
            path = os.path.join(os.path.dirname(__file__), "../../models", model + ".ksrnet")
            for source in ("mpeg2.mpg", "mpeg4.avi", "h264.mkv", "hevc.mp4"):
                said = told(at(source), *ai(model))
                check(said == "0 (noise is left to the network)", f"{source} and {model}: 0", said)
            check(told(at("h264.mkv"), *ai(path)).startswith("0 (noise"), f"{model} by its path: the same")
            check(told(clean, *ai(model)) == "0 (clean)", f"a clean source and {model}: clean")
            check(told(at("mpeg2.mpg"), "--denoise", "0.3", *ai(model)) == "0.3", f"{model}: a number stands")
        some = ("--duration", "0.2", *ai("anime-dvd"))
        upscale(at("mpeg2.mpg"), "dvd.mkv", "--provenance", at("dvd.json"), *some)
        upscale(at("mpeg2.mpg"), "dvd-0.mkv", "--denoise", "0", *some)
        check(frames("dvd.mkv") == frames("dvd-0.mkv") != "", "MPEG-2 and anime-dvd: the frames of --denoise 0")
        with open(at("dvd.json"), encoding="utf-8") as file:
            said = json.load(file)["denoise"]
        check(said == "0 (noise is left to the network)", "and the record says why", said)
        better = coded(clean, "better.mkv", "-c:v libx264 -preset ultrafast -crf 16")
        check(float(told(better).split()[0]) < float(told(at("h264.mkv")).split()[0]), "a better quality: less",
              told(better))
        noisy = coded(clean, "noisy.mpg", "-vf noise=alls=8:allf=t -c:v mpeg2video -q:v 4")
        check(told(noisy).endswith(" (MPEG-2 noise)"), "MPEG-2 with noise", told(noisy))

        # Pictures, and what tells nothing.
        for source, name in ((clean, "one.jpg"), (at("one.jpg"), "one.png")):
            clips.need(clips.ffmpeg("-i", source, "-frames:v", 1, *(("-vf", "tile=2x2") if source == clean else ()),
                                    "-q:v", 5, at(name)))
        clips.need(clips.ffmpeg("-i", at("one.jpg"), "-vf", "loop=2:1:0", "-frames:v", 3, at("in%d.png")))
        clips.need(clips.ffmpeg("-i", clean, "-frames:v", 1, at("pure.png")))
        check(told(at("one.jpg"), output="o.png").endswith(" (JPEG noise)"), "a JPEG", told(at("one.jpg"), output="o.png"))
        check(told(at("one.png"), output="o.png").endswith(" (coding noise)"), "a PNG that was one",
              told(at("one.png"), output="o.png"))
        check(told(at("in%d.png")).endswith(" (coding noise)"), "an image sequence", told(at("in%d.png")))
        check(told(at("pure.png"), output="o.png") == "0 (clean)", "a clean PNG", told(at("pure.png"), output="o.png"))
        for size in ("1:1", "3:2", "17:9", "130:1"):
            clips.need(clips.ffmpeg("-i", at("one.jpg"), "-vf", f"crop={size}:31:17:exact=1", at("tiny.png")))
            said = told(at("tiny.png"), output="o.png")
            check(said == "0 (clean)", f"{size}: 0", said)

        # The same everywhere: SIMD levels and threads; planned here, worked there; continued.
        source = at("jpeg.avi")
        strength = told(source).split()[0]
        upscale(source, "there.mkv", "--threads", "1")
        for name, options in (("plain C", ("--cpu", "c")), ("threads", ("--threads", "3", "--workers", "2"))):
            upscale(source, "again.mkv", "--overwrite", "--fresh", *options)
            check(frames("again.mkv") == frames("there.mkv") != "", f"{name}: the same frames")
        upscale(source, "number.mkv", "--denoise", strength)
        check(frames("number.mkv") == frames("there.mkv"), f"the same as --denoise {strength}")
        r = run(program, "plan", source, at("work.mkv"), "--codec", "ffv1")
        with open(at("work.mkv.kizunasr/manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        check(manifest["config"]["pipeline"]["denoise"] == float(strength) and
              manifest["key"]["config"]["pipeline"]["denoise"] == "auto", "the manifest has the number, its key says auto")
        r = upscale(source, "work.mkv", "--denoise", "0.05")
        check(r.returncode != 0 and "denoise differs" in r.stderr, "another strength is another job", r.stderr)
        run(program, "work", at("work.mkv.kizunasr"))
        r = upscale(source, "work.mkv", "--provenance", at("record.json"))
        check(r.returncode == 0 and frames("work.mkv") == frames("there.mkv"), "planned, worked and continued", r.stderr)
        with open(at("record.json"), encoding="utf-8") as file:
            record = json.load(file)
        check(record["denoise"] == told(source) and record["config"]["pipeline"]["denoise"] == "auto",
              "the record tells", record["denoise"])

        # A piece is like the whole, and damage on the way ends nothing.
        two = clips.write(folder, "two.txt", f"file clean.mkv\nfile {os.path.basename(again)}\n")
        clips.need(clips.ffmpeg("-f", "concat", "-i", two, "-c", "copy", "-bitexact", at("both.mkv")))
        whole = told(at("both.mkv"))
        check(told(at("both.mkv"), "--start", "0.5", "--duration", "0.2") == whole ==
              told(at("both.mkv"), "--duration", "0.2"), "pieces are like the whole", whole)
        with open(at("h264.mkv"), "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2:len(data) // 2 + 200] = bytes(200)
        broken = clips.write(folder, "broken.mkv", bytes(data))
        said = told(broken, "--on-frame-error", "repeat")
        check(said.endswith(")"), "a damaged video", said)
    finish()


main()
