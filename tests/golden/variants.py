#!/usr/bin/env python3
"""--ai-variant: the variant that suits a source is found, and every way gives the same bytes.

  variants.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, os, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

# Name of the variant, how FFmpeg reduces a drawing of twice the size, and whether it was softened before.
SOFTENED = "scale=854:480:flags=area,scale=1280:720:flags=bicubic,"
CASES = [("sharp-area", "", "area"), ("sharp-cubic", "", "bicubic"), ("soft-area", SOFTENED, "area"), ("soft-cubic", SOFTENED, "bicubic")]
NAMES = ["general", *(name for name, _, _ in CASES)]
AI = ("--use-ai", "--ai-model", "anime-best")


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def upscale(source, name, *options):
            return run(program, "upscale", source, at(name), "--codec", "ffv1", "--progress", "none", "--overwrite", "--fresh", *options)

        def digest(name):
            with open(at(name), "rb") as f:
                return hashlib.sha256(f.read()).hexdigest()

        def planned(source, *options):
            return run(program, "upscale", source, at("x.mkv"), "--dry-run", "--json", *options)

        r = run(sample, "--width", "1280", "--height", "720", "--frames", "12", "--no-audio", "--no-title", "--vcodec", "ffv1",
                "--pixel-format", "yuv420p", "--gop", "3", at("drawn.mkv"))
        clips.need(r.stderr if r.returncode else None)
        for name, before, flags in CASES:
            clips.need(clips.ffmpeg("-i", at("drawn.mkv"), "-vf", f"{before}scale=640:360:flags={flags}", "-c:v", "ffv1", "-g", "3",
                                    "-threads", "1", "-bitexact", at(name + ".mkv")))

        # What is found, and said.
        for network in ("anime-best", "anime-ultra"):
            for name, _, _ in some(CASES):
                r = planned(at(name + ".mkv"), "--use-ai", "--ai-model", network)
                check(r.returncode == 0 and json.loads(r.stdout)["ai_variant"] == f"{name} (measured)" and f"variant: {name} (measured)\n" in r.stderr,
                      f"{network}, {name}: found", r.stdout + r.stderr)
        source = at("soft-cubic.mkv")
        text = run(program, "upscale", source, at("x.mkv"), "--dry-run", *AI).stdout
        check("  variant   soft-cubic (measured)\n" in text, "a dry run says so", text)
        shown = run(program, "models", "anime-best")
        check(f"variants: {', '.join(NAMES)}\n" in shown.stdout, "the card names them", shown.stdout)
        check(json.loads(run(program, "models", "anime-best", "--json").stdout)["models"][0]["variants"] == NAMES, "and so does its JSON")

        # Where there is nothing to find out.
        r = planned(source, *AI, "--descale", "427x240:bicubic")
        check(json.loads(r.stdout)["ai_variant"] == "general (measured)", "a descaled drawing: the one for all", r.stderr)
        r = planned(source, *AI, "--ai-variant", "sharp-area")
        check(json.loads(r.stdout)["ai_variant"] == "sharp-area" and "variant: sharp-area\n" in r.stderr, "a name is taken as it is", r.stderr)
        for network in ("anime-fast", "anime-web"):
            r = planned(source, "--use-ai", "--ai-model", network)
            check(r.returncode == 0 and "ai_variant" not in json.loads(r.stdout) and "variant" not in r.stderr, f"{network} has none", r.stderr)
        check("ai_variant" not in json.loads(planned(source).stdout), "nor have filters")

        # What cannot be.
        r = planned(source, *AI, "--ai-variant", "soft")
        check(r.returncode == 2 and "ai_variant: anime-best has no variant 'soft' (general, sharp-area, sharp-cubic, soft-area, soft-cubic)\n" in r.stderr,
              "an unknown name", (r.returncode, r.stderr))
        r = planned(source, "--use-ai", "--ai-model", "anime-fast", "--ai-variant", "general")
        check(r.returncode == 2 and "ai_variant: anime-fast has no variant 'general' (it has none; use auto)\n" in r.stderr, "of a network without",
              (r.returncode, r.stderr))

        # All ways give the same bytes.
        auto = upscale(source, "auto.mkv", *AI, "--provenance", at("auto.json"))
        upscale(source, "named.mkv", *AI, "--ai-variant", "soft-cubic")
        upscale(source, "general.mkv", *AI, "--ai-variant", "general")
        check(auto.returncode == 0 and digest("auto.mkv") == digest("named.mkv") != digest("general.mkv"), "the bytes of the one that is named", auto.stderr)
        with open(at("auto.json")) as f:
            record = json.load(f)
        check(record["ai_variant"] == "soft-cubic (measured)" and record["config"]["pipeline"]["ai_variant"] == "auto" and
              record["settled"]["pipeline"]["ai_variant"] == "soft-cubic", "the record tells", record.get("settled"))
        r = upscale(source, "again.mkv", "--config", at("auto.json"))
        check(r.returncode == 0 and digest("again.mkv") == digest("auto.mkv"), "a run from the record: the same bytes", r.stderr)
        r = upscale(source, "levels.mkv", *AI, "--cpu", "c" if EVERY == 1 else "avx2", "--threads", "1")
        check(r.returncode == 0 and digest("levels.mkv") == digest("auto.mkv"), "and at another SIMD level", r.stderr)
        work = [run(program, *words) for words in (("plan", source, at("parts.mkv"), "--codec", "ffv1", *AI),
                                                   ("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
        check(all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("auto.mkv"), "planned, worked and joined", [w.stderr for w in work])
        part = planned(source, *AI, "--start", "0.2", "--crop", "300:200:7:5")
        check(json.loads(part.stdout)["ai_variant"] == "soft-cubic (measured)", "a range is judged as the whole", part.stderr)
        r = run(program, "verify", source, at("auto.mkv"))
        check(r.returncode == 0, "verify accepts it", r.stderr)
    finish()


main()
