#!/usr/bin/env python3
"""--ai-variant: the variant that suits a source is found, and every way gives the same bytes.

  variants.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, os, shutil, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

# Name of the variant, how FFmpeg reduces a drawing of twice the size, and whether it was softened before.
SOFTENED = "scale=426:240:flags=area,scale=640:360:flags=bicubic,"
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

        r = run(sample, "--width", "640", "--height", "360", "--frames", "6", "--no-audio", "--no-title", "--vcodec", "ffv1",
                "--pixel-format", "yuv420p", "--gop", "3", at("drawn.mkv"))
        clips.need(r.stderr if r.returncode else None)
        for name, before, flags in CASES:
            clips.need(clips.ffmpeg("-i", at("drawn.mkv"), "-vf", f"{before}scale=320:180:flags={flags}", "-c:v", "ffv1", "-g", "3",
                                    "-threads", "1", "-bitexact", at(name + ".mkv")))

        # What is found, and said.
        for network in ("anime-best", "anime-ultra")[: 2 if EVERY == 1 else 1]:
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
        r = planned(source, *AI, "--descale", "214x120:bicubic")
        check(json.loads(r.stdout)["ai_variant"] == "general (descaled)", "a descaled drawing: the one for all", r.stderr)
        r = planned(source, *AI, "--ai-scale", "4")
        text = "soft-cubic (measured; the second doubling: general)"
        check(json.loads(r.stdout)["ai_variant"] == text and f"variant: {text}\n" in r.stderr, "4x: the one for the source, then the one for all", r.stderr)
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "color=gray:s=300x200:d=0.2", "-c:v", "ffv1", at("grey.mkv")))
        for options in ((), ("--ai-scale", "4")):
            r = planned(at("grey.mkv"), *AI, *options)
            check(json.loads(r.stdout)["ai_variant"] == "general (no variant is clear)", f"nothing to see: the one for all {options}", r.stderr)
        r = planned(source, *AI, "--ai-variant", "sharp-area")
        check(json.loads(r.stdout)["ai_variant"] == "sharp-area" and "variant: sharp-area\n" in r.stderr, "a name is taken as it is", r.stderr)
        for network in ("anime-fast", "anime-quality"):
            r = planned(source, "--use-ai", "--ai-model", network)
            check(r.returncode == 0 and "ai_variant" not in json.loads(r.stdout) and "variant" not in r.stderr, f"{network} has none", r.stderr)
        check("ai_variant" not in json.loads(planned(source).stdout), "nor have filters")

        # What cannot be.
        r = planned(source, *AI, "--ai-variant", "soft")
        check(r.returncode == 2 and "ai_variant: anime-best has no variant 'soft' (general, sharp-area, sharp-cubic, soft-area, soft-cubic; "
              "--ai-variant auto chooses one)\n" in r.stderr, "an unknown name", (r.returncode, r.stderr))
        r = planned(source, "--use-ai", "--ai-model", "anime-fast", "--ai-variant", "soft-area")
        check(r.returncode == 2 and "ai_variant: anime-fast has no variant 'soft-area' (it has none; --ai-variant auto chooses one)\n" in r.stderr,
              "of a network without", (r.returncode, r.stderr))
        r = planned(source, "--use-ai", "--ai-model", "anime-fast", "--ai-variant", "general")
        check(r.returncode == 0, "any network is for all sources", (r.returncode, r.stderr))
        r = planned(source, "--use-ai", "--ai-model", "auto", "--ai-variant", "soft-area")
        check(r.returncode == 2 and "ai_variant: 'soft-area' is one of a certain network (name it instead of --ai-model-path auto, or omit "
              "--ai-variant)\n" in r.stderr, "of a network that is to be chosen", (r.returncode, r.stderr))
        r = planned(source, "--use-ai", "--ai-model", "anime-best", "--ai-engine", "onnxruntime", "--ai-variant", "soft-area")
        check(r.returncode in (2, 5) and ("ai_variant: .onnx models have no variant 'soft-area' (they have none; --ai-variant auto is right for all)\n"
              in r.stderr), "with ONNX Runtime", (r.returncode, r.stderr))

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
        if EVERY == 1:  # plain C is slow
            for level, options in (("c", ("--cpu", "c")), ("usual", ())):
                r = upscale(source, level + ".mkv", *AI, "--duration", "0.05", *options)
                check(r.returncode == 0, f"{level}: a range", r.stderr)
            check(digest("c.mkv") == digest("usual.mkv"), "and at another SIMD level")
        work = [run(program, *words) for words in (("plan", source, at("parts.mkv"), "--codec", "ffv1", *AI),
                                                   ("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
        check(all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("auto.mkv"), "planned, worked and joined", [w.stderr for w in work])
        with open(at("list.txt"), "w") as f:
            f.writelines(f"file '{at(name)}.mkv'\n" for name in ("sharp-area", "soft-area", "soft-area", "soft-area"))
        clips.need(clips.ffmpeg("-f", "concat", "-safe", "0", "-i", at("list.txt"), "-c", "copy", at("two.mkv")))
        for options in ((), ("--duration", "0.15"), ("--start", "0.1", "--duration", "0.1", "--crop", "200:100:7:5")):
            part = planned(at("two.mkv"), *AI, *options)
            check(json.loads(part.stdout)["ai_variant"] == "soft-area (measured)", f"a range is judged as the whole {options}", part.stdout)
        r = run(program, "verify", source, at("auto.mkv"), "--provenance", at("auto.json"))
        check(r.returncode == 0, "verify accepts it", r.stderr)

        # Both doublings: 2x and again 2x round to 8 bits in between, 4x does not.
        short = ("--ai-scale", "4", "--duration", "0.05")
        for name, options in (("auto4", ()), ("named4", ("--ai-variant", "soft-cubic")), ("general4", ("--ai-variant", "general"))):
            r = upscale(source, name + ".mkv", *AI, *options, *short, "--provenance", at(name + ".json"))
            check(r.returncode == 0, name, r.stderr)
        for name, first, second in (("twice", "soft-cubic", "general"), ("other", "soft-cubic", "soft-cubic")):
            upscale(source, "once.mkv", *AI, "--ai-variant", first, "--duration", "0.05")
            upscale(at("once.mkv"), name + ".mkv", *AI, "--ai-variant", second)
        def psnr(a, b):
            text = run("ffmpeg", "-i", at(a), "-i", at(b), "-lavfi", "psnr", "-f", "null", "-").stderr
            return float(text.split("PSNR y:")[1].split()[0])

        near = {name: psnr("auto4.mkv", name + ".mkv") for name in ("twice", "other", "general4")}
        check(digest("auto4.mkv") == digest("named4.mkv"), "4x: the bytes of the one that is named")
        check(near["twice"] > 52 and near["twice"] > max(near["other"], near["general4"]) + 0.5, "4x: the second doubling is by the one for all", near)
        r = run(program, "verify", source, at("auto4.mkv"), "--provenance", at("auto4.json"))
        check(r.returncode == 0, "verify accepts it", r.stderr)
        r = upscale(source, "again4.mkv", "--config", at("auto4.json"))
        check(r.returncode == 0 and digest("again4.mkv") == digest("auto4.mkv"), "4x from the record: the same bytes", r.stderr)

        # What a preview compares differs in restoration alone.
        r = run(program, "preview", source, "-o", at("pages"), "--codec", "ffv1", "--samples", "1", "--duration", "0.1", *AI, "--descale", "214x120:bicubic")
        check(r.returncode == 0 and r.stderr.count("variant: general (descaled)\n") == 1 and r.stderr.count("variant: general\n") == 1,
              "a preview without descaling has the same variant", r.stdout + r.stderr)

        # Another network.
        r = planned(source, "--config", at("auto.json"), "--ai-model", "anime-fast")
        check(r.returncode == 2 and "--ai-variant auto chooses one" in r.stderr, "a record with another network says what to do", r.stderr)
        r = planned(source, "--config", at("auto.json"), "--ai-model", "anime-fast", "--ai-variant", "auto")
        check(r.returncode == 0, "which does it", r.stderr)
        models = os.path.dirname(os.path.abspath(json.loads(run(program, "models", "--json").stdout)["folder"] + "/x"))
        shutil.copy(os.path.join(models, "anime-best.ksrnet"), at("mine.ksrnet"))
        r = run(program, "plan", source, at("mine.mkv"), "--codec", "ffv1", "--use-ai", "--ai-model", at("mine.ksrnet"))
        check(r.returncode == 0 and "variant: soft-cubic (measured)" in r.stderr, "a copy of a network by its path", r.stderr)
        shutil.copy(os.path.join(models, "anime-fast.ksrnet"), at("mine.ksrnet"))
        r = run(program, "work", at("mine.mkv.kizunasr"))
        check(r.returncode != 0 and "the model has changed since the job was planned" in r.stderr and "variant" not in r.stderr,
              "a job whose model was replaced", (r.returncode, r.stderr))
    finish()


main()
