#!/usr/bin/env python3
"""--grain: what is measured of known grain, what is left of it, what is put back, and that every way gives the same bytes.

  grain.py PROGRAM SAMPLE

A drawn film gets FFmpeg's noise, which is white and not the same in any frame. Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, math, os, subprocess, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

WIDTH, HEIGHT, FRAMES = 192, 128, 60
OPTIONS = ["--codec", "ffv1", "--denoise", "0", "--dither", "false", "--progress", "none"]


def numbers(text):
    """Amount, strengths of luma, alikeness, strength of chroma of what stands in a manifest."""
    amount, luma, alike, chroma, _ = text.split(":")
    return float(amount), [float(v) for v in luma.split(",")], float(alike), float(chroma)


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def make(name, grain, *codec):
            noise = f"noise=c0s={grain}:c0f=t:c0_seed=7" if grain else "null"
            clips.need(clips.ffmpeg("-i", at("drawn.mkv"), "-vf", noise, *(codec or ("-c:v", "ffv1", "-g", "8")), "-threads", "1",
                                    "-bitexact", at(name)))
            return at(name)

        def upscale(source, name, *options):
            return run(program, "upscale", source, at(name), *OPTIONS, "--overwrite", "--fresh", *options)

        def digest(name):
            with open(at(name), "rb") as f:
                return hashlib.sha256(f.read()).hexdigest()

        def luma(name):
            """Every tenth frame."""
            return subprocess.run(["ffmpeg", "-v", "error", "-i", at(name), "-vf", "select=not(mod(n\\,10)),extractplanes=y", "-vsync", "0", "-f",
                                   "rawvideo", "-"], capture_output=True).stdout

        def apart(a, b):
            """The standard deviation of what two videos differ by, where neither is near black or white."""
            gaps = [x - y for x, y in zip(luma(a), luma(b)) if 40 < y < 210]
            mean = sum(gaps) / len(gaps)
            return math.sqrt(sum((g - mean) ** 2 for g in gaps) / len(gaps))

        def planned(source, *options):
            """The settings of frames that a plan comes to, and the frames that its segments are decoded from."""
            r = run(program, "plan", source, at("planned.mkv"), *OPTIONS[:-2], "--fresh", *options)
            check(r.returncode == 0, "a plan is made", r.stderr)
            with open(at("planned.mkv.kizunasr/manifest.json")) as f:
                made = json.load(f)
            return made["config"]["pipeline"], [s["from"]["frame"] for s in made["segments"]]

        r = run(sample, "--width", str(WIDTH), "--height", str(HEIGHT), "--frames", str(FRAMES), "--fps", "3/1", "--no-audio",
                "--no-title", "--vcodec", "ffv1", "--pixel-format", "yuv420p", "--gop", "8", at("drawn.mkv"))
        check(r.returncode == 0, "the film is drawn", r.stderr)
        clean, grainy = make("clean.mkv", 0), make("grainy.mkv", 14)
        coded = make("coded.mkv", 14, "-c:v", "libx264", "-crf", "18", "-g", "24")
        there = apart("grainy.mkv", "clean.mkv")

        # What is not there is not found, and what is kept is not touched.
        said = {name: upscale(clean, name + ".mkv", *options)
                for name, options in (("off", ()), ("keep", ("--grain", "keep")), ("none", ("--grain", "1")))}
        check(digest("off.mkv") == digest("keep.mkv"), "keep: the same bytes as without")
        check(digest("off.mkv") == digest("none.mkv"), "no grain: the same bytes as without")
        check("grain: 1 (no grain found)" in said["none"].stderr, "no grain is said", said["none"].stderr)
        check("grain" not in said["keep"].stderr, "keep: nothing is said", said["keep"].stderr)

        # What is there is measured, also after coding.
        for source, least in some(((grainy, 0.93), (coded, 0.7))):
            config, begins = planned(source, "--grain", "1")
            amount, bands, alike, chroma = numbers(config["grain"])
            name = os.path.basename(source)
            check(amount == 1 and least * there < max(bands) < 1.07 * there, f"{name}: as strong as it is", f"{bands} of {there:.2f}")
            check(chroma == 0 and alike < 0.35, f"{name}: white, in luma alone", config["grain"])
            check(config["enable_temporal"] and config["denoise"] > 0 and config["motion_threshold"] > 0.1,
                  f"{name}: the stages that take it out are on", config)
            check(begins == [0, 0, 0], f"{name}: segments begin early enough for stage 5", begins)
        part = planned(grainy, "--grain", "1", "--start", "5", "--duration", "5")[0]
        whole = planned(grainy, "--grain", "1")[0]
        check(part["grain"] == whole["grain"], "a range is measured as the whole", part["grain"])
        strong = max(numbers(whole["grain"])[1])

        # Taken out, and put back as strong as asked for.
        ways = {"kept": (), "removed": ("--grain", "remove"), "half": ("--grain", "0.5"), "full": ("--grain", "1", "--provenance", at("r.json"))}
        said = {name: upscale(grainy, name + ".mkv", *options) for name, options in ways.items()}
        check(all(r.returncode == 0 for r in said.values()), "every way works", [r.stderr for r in said.values()])
        before, after = apart("kept.mkv", "off.mkv"), apart("removed.mkv", "off.mkv")
        check(after < 0.7 * before, "removed: less is left, also in what moves", f"{before:.2f} {after:.2f}")
        for name, factor in (("half", 0.5), ("full", 1)):
            got = apart(name + ".mkv", "removed.mkv")
            wanted = math.sqrt((factor * strong) ** 2 + 1 / 6)  # both are rounded to codes
            check(abs(got / wanted - 1) < 0.06, f"{name}: as strong as it should be", f"{got:.2f}, not {wanted:.2f}")
        text = f"1 ({strong:.2f} of 255)"
        check(f"grain: {text}" in said["full"].stderr and "(grain)" in said["full"].stderr, "a run says so", said["full"].stderr)
        with open(at("r.json")) as f:
            record = json.load(f)
        check(record["grain"] == text and record["config"]["pipeline"]["grain"] == "1", "the record tells", record.get("grain"))
        settled = record["settled"]["pipeline"]
        check(settled["enable_temporal"] and settled["structure_smoothing"] > 0 and settled["grain"] == whole["grain"], "and has what ran", settled)
        r = run(program, "upscale", grainy, at("again.mkv"), "--config", at("r.json"), "--progress", "none")
        check(r.returncode == 0 and digest("again.mkv") == digest("full.mkv"), "a run from the record: the same bytes", r.stderr)
        check(f"grain: {text}" in r.stderr, "which says the same", r.stderr)
        r = run(program, "upscale", grainy, at("x.mkv"), "--grain", "remove", "--dry-run")
        check(f"  grain     remove ({strong:.2f} of 255)\n" in r.stdout, "a dry run says so", r.stdout)
        r = run(program, "upscale", grainy, at("x.mkv"), "--grain", "0" + whole["grain"][1:], "--dry-run")
        check(f"  grain     remove ({strong:.2f} of 255)\n" in r.stdout, "as it does for what was measured", r.stdout)
        r = run(program, "verify", grainy, at("full.mkv"), "--provenance", at("r.json"))
        check(r.returncode == 0, "verify agrees", r.stdout + r.stderr)
        heavy = at("heavy.mkv")  # and nothing else in it
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "color=gray:s=240x160:r=6:d=2,noise=c0s=14:c0f=t:c0_seed=7", "-c:v", "ffv1", "-g", "8",
                                "-bitexact", heavy))
        for name, value in (("heavy-removed.mkv", "remove"), ("heavy-full.mkv", "1")):
            made = upscale(heavy, name, "--grain", value, "--provenance", at("heavy.json"))
            r = run(program, "verify", heavy, at(name), "--provenance", at("heavy.json"))
            check(made.returncode == 0 and r.returncode == 0, f"verify agrees, heavy grain: {value}", made.stderr + r.stdout + r.stderr)

        # Settings files may name a number.
        for number, text in ((0.5, "0.5"), (1, "1"), (0.25, "0.25"), (0.07, "0.07")):
            with open(at("own.json"), "w") as f:
                json.dump({"pipeline": {"grain": number}}, f)
            r = run(program, "config", "--config", at("own.json"))
            check(r.returncode == 0 and json.loads(r.stdout)["pipeline"]["grain"] == text, f"{number} in a settings file", r.stdout + r.stderr)

        # The same bytes, in segments of eight seconds.
        check("segments: 3" in said["full"].stderr, "there are segments", said["full"].stderr)
        if EVERY == 1:
            threads = upscale(grainy, "threads.mkv", "--grain", "1", "--threads", "3", "--workers", "2")
            check(threads.returncode == 0 and digest("threads.mkv") == digest("full.mkv"), "with any number of threads", threads.stderr)
            work = [run(program, *words) for words in (("plan", grainy, at("parts.mkv"), *OPTIONS[:-2], "--grain", "1"),
                                                       ("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
            check(all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("full.mkv"), "planned, worked and joined",
                  [w.stderr for w in work])

        # A strength that is given is put back, and nothing is taken out.
        given = upscale(clean, "given.mkv", "--grain", "1:4,4,4,4,4,4,4,4:0.3:0:0")
        got = apart("given.mkv", "off.mkv")
        check(given.returncode == 0 and abs(got / 4 - 1) < 0.04, "a given strength", f"{got:.2f} {given.stderr}")

        # Refusals.
        for value in ("off", "2.5", "1:3", "-1"):
            r = upscale(clean, "x.mkv", "--grain=" + value)
            check(r.returncode == 2 and f"error: grain: '{value}' is not valid (keep, remove, or 0 to 2)" in r.stderr,
                  f"{value} is refused", f"{r.returncode} {r.stderr}")
    finish()


main()
