#!/usr/bin/env python3
"""--descale and probe --picture: sizes are found, what is off changes nothing, and every way gives the same bytes.

  drawing.py PROGRAM SAMPLE

Videos are drawn by the sample program and enlarged by FFmpeg's scaler, whose kernels are these. Ends with `N passed,
N failed, N skipped`.
"""
import hashlib, json, os, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

KERNELS = {"bilinear": "", "bicubic": ":param0=0:param1=0.5", "lanczos": ":param0=3"}
# FFmpeg rounds weights; kernels that look alike are as good: which ones are told apart is the unit test's.
LIKE = {"bilinear": ("bilinear", "bicubic", "mitchell", "lanczos2"), "bicubic": ("bicubic", "mitchell", "lanczos2", "bilinear"),
        "lanczos": ("lanczos3", "spline36", "lanczos4")}
CASES = [(640, 360, "lanczos"), (720, 405, "bicubic"), (768, 432, "bilinear")]


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def draw(width, height, name, *options):
            r = run(sample, "--width", str(width), "--height", str(height), "--frames", "6", "--cut", "2", "--no-audio",
                    "--no-title", "--vcodec", "ffv1", "--pixel-format", "yuv444p", "--gop", "1", *options, at(name))
            clips.need(r.stderr if r.returncode else None)
            return at(name)

        def enlarge(source, name, kernel, *codec):
            clips.need(clips.ffmpeg("-i", source, "-vf", f"scale=960:540:flags={kernel}+accurate_rnd{KERNELS[kernel]}",
                                    "-pix_fmt", "yuv420p", *(codec or ("-c:v", "ffv1", "-g", "1")), "-threads", "1", "-bitexact",
                                    at(name)))
            return at(name)

        def upscale(source, name, *options):
            return run(program, "upscale", source, at(name), "--codec", "ffv1", "--denoise", "0", "--progress", "none", "--overwrite",
                       "--fresh", *options)

        def digest(name):
            with open(at(name), "rb") as f:
                return hashlib.sha256(f.read()).hexdigest()

        def drawing(source):
            r = run(program, "probe", source, "--picture", "--json")
            return json.loads(r.stdout)["picture"] if r.returncode == 0 else {"drawing": r.stderr}

        # Finding it.
        for width, height, kernel in some(CASES):
            large = enlarge(draw(width, height, "d.mkv"), "l.mkv", kernel, "-c:v", "libx264", "-crf", "18", "-g", "1")
            found = drawing(large)["drawing"] or {}
            check((found.get("width"), found.get("height")) == (width, height) and found.get("kernel") in LIKE[kernel],
                  f"{width}x{height}, {kernel}, crf 18", found)
        native = draw(960, 540, "native.mkv")
        coded = at("coded.mkv")
        clips.need(clips.ffmpeg("-i", native, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "18", "-g", "1", "-threads", "1",
                                "-bitexact", coded))
        for name, source in (("drawn at this size", native), ("the same, coded", coded)):
            check(drawing(source)["drawing"] is None, f"{name}: none", drawing(source)["drawing"])
        r = run(program, "probe", native, "--picture")
        check("  drawn at   none is clear\n" in r.stdout, "probe says so", r.stdout)

        # What is said and kept of it.
        large = enlarge(draw(720, 405, "small.mkv"), "large.mkv", "bilinear")
        r = run(program, "probe", large, "--picture")
        check("  drawn at   720x405, enlarged by bilinear; --descale auto undoes this\n" in r.stdout, "probe names it", r.stdout)
        curve = drawing(large)["curve"]
        errors = dict(enumerate(curve["errors"], curve["first"]))
        check(errors[405] < errors[401] / 4 and errors[405] < errors[409] / 4, "the curve has a dip", errors)
        r = upscale(large, "auto.mkv", "--descale", "auto", "--provenance", at("auto.json"))
        check(r.returncode == 0 and "descale: 720x405:bilinear (measured)" in r.stderr, "a run says so", r.stderr)
        with open(at("auto.json")) as f:
            record = json.load(f)
        check(record["descale"] == "720x405:bilinear (measured)" and record["config"]["pipeline"]["descale"] == "auto",
              "the record tells", record.get("descale"))
        r = run(program, "upscale", large, at("x.mkv"), "--descale", "auto", "--dry-run")
        check("  descale   720x405:bilinear (measured)\n" in r.stdout, "a dry run says so", r.stdout)

        # The same bytes, which a sanitizer does not change.
        if EVERY == 1:
            check(upscale(large, "named.mkv", "--descale", "720x405:bilinear").returncode == 0 and digest("named.mkv") == digest("auto.mkv"),
                  "the same as with the size named")
            threads = upscale(large, "threads.mkv", "--descale", "720x405:bilinear", "--threads", "3", "--workers", "2")
            check(threads.returncode == 0 and digest("threads.mkv") == digest("named.mkv"), "with any number of threads", threads.stderr)
            work = [run(program, *words) for words in (
                ("plan", large, at("parts.mkv"), "--codec", "ffv1", "--denoise", "0", "--descale", "auto"),
                ("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
            check(all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("auto.mkv"), "planned, worked and joined",
                  [w.stderr for w in work])
            off = [upscale(native, "off.mkv"), upscale(native, "none.mkv", "--descale", "auto")]
            check(off[0].returncode == 0 and "descale: off (no drawing size is clear)" in off[1].stderr, "none is said", off[1].stderr)
            check(digest("off.mkv") == digest("none.mkv"), "none: the same bytes as without")
            check("descale" not in off[0].stderr, "without the option nothing is said", off[0].stderr)

        # Sharpening shows.
        sharp = at("sharp.mkv")
        clips.need(clips.ffmpeg("-i", native, "-vf", "unsharp=5:5:1.5", "-pix_fmt", "yuv420p", "-c:v", "ffv1", "-g", "1", sharp))
        halos = [json.loads(run(program, "probe", source, "--picture", "--json").stdout)["picture"]["halos"] for source in (native, sharp)]
        check([h["found"] for h in halos] == [False, True] and halos[1]["share"] > halos[0]["share"] + 0.2 and halos[1]["height"] > 4,
              "halos are found where there are some", halos)
        r = run(program, "probe", sharp, "--picture")
        check("; --dehalo 0.5 takes them off\n" in r.stdout, "probe says what to do about halos", r.stdout)

        # Verified like any other.
        r = run(program, "verify", large, at("auto.mkv"), "--provenance", at("auto.json"))
        check(r.returncode == 0, "verify agrees", r.stdout + r.stderr)

        # Refusals.
        for value, message in (("640x360", "descale: '640x360' is not valid (off, auto, or size and kernel such as 1280x720:bicubic)"),
                               ("640x360:cubic", "descale: '640x360:cubic' is not valid"),
                               ("1280x720:bicubic", "descale: 1280x720 cannot have been enlarged to the input's 960x540 (at least a "
                                "third, at most 15/16 of it, or one side as it is)"),
                               ("901x506:bicubic", "descale: 901x506 cannot have been"),
                               ("900x507:bicubic", "descale: 900x507 cannot have been"),
                               ("960x540:bicubic", "descale: 960x540 cannot have been"),
                               ("300x200:bicubic", "descale: 300x200 cannot have been")):
            r = upscale(large, "x.mkv", "--descale", value)
            check(r.returncode == 2 and f"error: {message}" in r.stderr, f"{value} is refused", f"{r.returncode} {r.stderr}")
    finish()


main()
