#!/usr/bin/env python3
"""Networks for damaged sources: a clean source gets the one for clean sources, and every way gives the same bytes.

  clean_source.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, os, re, shutil, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

FOR = {"anime-web": "anime-best", "anime-dvd": "anime-best"}  # models/networks.toml
LOSSLESS = ["-c:v", "ffv1", "-g", "3"]
# How it was coded, and whether it is lossless now.
CODED = [("h264", "libx264", "-crf 18", False), ("light", "libx264", "-crf 10", False), ("h265", "libx265", "-crf 20 -x265-params log-level=none", False),
         ("mpeg2", "mpeg2video", "-q:v 2", False), ("mpeg4", "mpeg4", "-q:v 2", False), ("av1", "libaom-av1", "-crf 20 -cpu-used 8", False),
         ("h264-again", "libx264", "-crf 24", True), ("mpeg2-again", "mpeg2video", "-q:v 3", True), ("jpeg-again", "mjpeg", "-q:v 6", True)]


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        ai = lambda network, *options: ("--use-ai", "--ai-model", network, *options)

        def upscale(source, name, *options):
            return run(program, "upscale", source, at(name), "--codec", "ffv1", "--progress", "none", "--overwrite", *options)

        def digest(name):
            with open(at(name), "rb") as f:
                return hashlib.sha256(f.read()).hexdigest()

        def planned(source, *options):
            r = run(program, "upscale", source, at("x.mkv"), "--dry-run", "--json", *options)
            return json.loads(r.stdout) if r.returncode == 0 else {}, r

        def stays(source, network, what, *options):
            plan, r = planned(source, *ai(network), *options)
            check(plan.get("model") == network and "ai_model_path" not in plan and "ai_variant" not in plan and "AI model" not in r.stderr,
                  f"{what}: {network} stays", r.stdout + r.stderr)

        r = run(sample, "--width", "640", "--height", "360", "--frames", "6", "--no-audio", "--no-title", "--vcodec", "ffv1",
                "--pixel-format", "yuv420p", "--gop", "3", at("drawn.mkv"))
        clips.need(r.stderr if r.returncode else None)
        small = ["-vf", "scale=320:180:flags=area", "-threads", "1", "-bitexact"]
        clips.need(clips.ffmpeg("-i", at("drawn.mkv"), *small, *LOSSLESS, at("clean.mkv")))
        clean = at("clean.mkv")

        # A clean one, and what is said.
        for network, other in some(list(FOR.items())):
            plan, r = planned(clean, *ai(network))
            text = f"{other} (clean source; {network} is for damaged ones)"
            check(plan.get("model") == other and plan.get("ai_model_path") == text and plan.get("ai_variant") == "sharp-area (measured)" and
                  f"AI model: {text}\n" in r.stderr and "variant: sharp-area (measured)\n" in r.stderr, f"{network}: {other} and its variant", r.stdout + r.stderr)
            listed = run(program, "models", network)
            check(f"clean sources: {other}, " in listed.stdout and json.loads(run(program, "models", network, "--json").stdout)["models"][0]["clean"] == other,
                  f"{network}: the list says so", listed.stdout)
        plan, r = planned(clean, "--use-ai", "--source", "web")
        check(plan.get("model") == "anime-best", "--source web: the same", r.stderr)
        for options, variant in (("--ai-scale", "4"), "sharp-area (measured; the second doubling: general)"), \
                (("--descale", "214x120:bicubic"), "general (descaled)"):
            plan, r = planned(clean, *ai("anime-web"), *options)
            check(plan.get("model") == "anime-best" and plan.get("ai_variant") == variant, f"{options}: {variant}", r.stdout + r.stderr)
        clips.need(clips.ffmpeg("-i", clean, "-frames:v", "1", at("clean.png")))
        plan, r = planned(at("clean.png"), *ai("anime-dvd"))
        check(plan.get("model") == "anime-best", "an image", r.stderr)

        # Where the network that was asked for stays.
        for name, codec, options, again in some(CODED):
            clips.need(clips.ffmpeg("-i", at("drawn.mkv"), *small, "-c:v", codec, *options.split(), at(name + ".mkv")))
            if again:
                clips.need(clips.ffmpeg("-i", at(name + ".mkv"), *LOSSLESS, at("again.mkv")))
            for network in list(FOR)[: 1 if name == "h264-again" else 2]:  # which anime-dvd is not for
                stays(at("again.mkv" if again else name + ".mkv"), network, name)
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "color=gray:s=300x200:d=0.2", "-c:v", "ffv1", at("grey.mkv")))
        stays(at("grey.mkv"), "anime-web", "nothing to see")
        stays(clean, "anime-web", "--ai-variant general", "--ai-variant", "general")
        for network in ("anime-fast", "anime-quality"):
            stays(clean, network, "no other one")
        models = json.loads(run(program, "models", "--json").stdout)["folder"]
        file = os.path.join(models, "anime-web.ksrnet")
        stays(clean, file, "a file")
        plan, r = planned(clean, *ai("anime-web"), "--ai-engine", "onnxruntime")
        check("AI model" not in r.stderr and plan.get("model", "anime-web") == "anime-web", "ONNX Runtime", r.stderr)

        # All ways give the same bytes.
        auto = upscale(clean, "auto.mkv", *ai("anime-web"), "--provenance", at("auto.json"))
        upscale(clean, "named.mkv", *ai("anime-best"), "--ai-variant", "sharp-area", "--provenance", at("named.json"))
        upscale(clean, "asked.mkv", *ai("anime-web"), "--ai-variant", "general")
        check(auto.returncode == 0 and digest("auto.mkv") == digest("named.mkv") != digest("asked.mkv"), "the bytes of the one that is named", auto.stderr)
        record, named = (json.load(open(at(n))) for n in ("auto.json", "named.json"))
        check(record["config"]["pipeline"]["ai_model_path"] == "anime-web" and record["config"]["pipeline"]["ai_variant"] == "auto" and
              record["settled"]["pipeline"]["ai_model_path"] == "anime-best" and record["settled"]["pipeline"]["ai_variant"] == "sharp-area" and
              record["ai_model_path"].startswith("anime-best (clean source") and record["model"] == named["model"], "the record tells", record.get("settled"))
        again = upscale(clean, "auto.mkv", *ai("anime-web"), "--provenance", at("auto.json"))
        check(again.returncode == 0 and "already" in again.stdout + again.stderr, "the same command again finds it done", again.stdout + again.stderr)
        r = upscale(clean, "again.mkv", "--config", at("auto.json"))
        check(r.returncode == 0 and digest("again.mkv") == digest("auto.mkv"), "a run from the record: the same bytes", r.stderr)
        r = run(program, "verify", clean, at("auto.mkv"), "--provenance", at("auto.json"))
        check(r.returncode == 0, "verify accepts it", r.stderr)
        part = upscale(clean, "part.mkv", *ai("anime-web"), "--start", "0.1", "--duration", "0.1", "--crop", "200:100:7:5")
        check("AI model: anime-best" in part.stderr, "a range is judged as the whole", part.stderr)
        plan = run(program, "plan", clean, at("parts.mkv"), "--codec", "ffv1", *ai("anime-web"))
        manifest = json.load(open(at("parts.mkv.kizunasr/manifest.json")))
        check(plan.returncode == 0 and manifest["config"]["pipeline"]["ai_model_path"] == "anime-best" and
              manifest["key"]["clean"] == named["model"] != manifest["key"]["model"], "the plan: both networks in the key", plan.stderr)
        work = [run(program, *words) for words in (("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
        check(all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("auto.mkv"), "planned, worked and joined", [w.stderr for w in work])
        if EVERY == 1:  # plain C is slow
            r = upscale(clean, "c.mkv", *ai("anime-web"), "--cpu", "c")
            check(r.returncode == 0 and digest("c.mkv") == digest("auto.mkv"), "and in plain C", r.stderr)

        # What a preview compares differs in restoration alone.
        r = run(program, "preview", clean, "-o", at("pages"), "--codec", "ffv1", "--samples", "1", "--duration", "0.1", *ai("anime-web"), "--descale", "214x120:bicubic")
        check(r.returncode == 0 and r.stderr.count("variant: general (descaled)\n") == 1 and r.stderr.count("variant: general\n") == 1,
              "a preview without descaling has the same network", r.stdout + r.stderr)

        # Another file of the network for clean sources.
        shutil.copytree(models, at("models"))
        elsewhere = dict(os.environ, KIZUNASR_MODELS=at("models"))
        run(program, "plan", clean, at("mine.mkv"), "--codec", "ffv1", *ai("anime-web"))
        os.remove(at("models/anime-best.ksrnet"))
        warning = "warning: model not found: anime-best: a clean source would get anime-web, too\n"
        for options in ((), ("--ai-fallback",)):
            r = run(program, "upscale", clean, at("y.mkv"), "--dry-run", "--json", *ai("anime-web"), *options, env=elsewhere)
            check(r.returncode == 0 and warning in r.stderr and "AI model" not in r.stderr and json.loads(r.stdout)["model"] == "anime-web",
                  f"without it, the one that was asked for stays {options}", (r.returncode, r.stdout + r.stderr))
        r = run(program, "upscale", clean, at("y.mkv"), "--dry-run", *ai("anime-web"), "--ai-variant", "general", env=elsewhere)
        check(r.returncode == 0 and "warning" not in r.stderr, "no word where it is not needed", r.stderr)
        shutil.copy(os.path.join(models, "anime-quality.ksrnet"), at("models/anime-best.ksrnet"))
        r = run(program, "upscale", clean, at("y.mkv"), "--dry-run", "--json", *ai("anime-web"), env=elsewhere)
        check(r.returncode == 0 and json.loads(r.stdout)["model"] == "anime-web", "nor does one without variants take its place", r.stdout + r.stderr)
        shutil.copy(os.path.join(models, "anime-fast.ksrnet"), at("models/anime-best.ksrnet"))
        r = run(program, "work", at("mine.mkv.kizunasr"), env=elsewhere)
        check(r.returncode != 0 and "the model has changed since the job was planned: anime-best" in r.stderr, "a job whose network was replaced", r.stderr)
        r = run(program, "upscale", clean, at("mine.mkv"), "--codec", "ffv1", *ai("anime-web"), env=elsewhere)
        check(r.returncode != 0 and "belongs to another job: the model differs" in r.stderr, "nor is its folder taken over", r.stderr)
    finish()


main()
