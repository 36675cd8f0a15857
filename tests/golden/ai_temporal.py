#!/usr/bin/env python3
"""Stage 5 before a network that adds to flicker: where it works, what is said, and that every way gives the same bytes.

  ai_temporal.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, os, subprocess, sys, tempfile

import numpy as np

import clips
from checks import check, finish, run, some

SAID = "motion threshold 0.05 (anime-web)"  # models/networks.toml
WIDTH, HEIGHT = 96, 64


def held(folder, path, frames=20):
    """A drawing that stands still, with other noise in every frame, coded."""
    rng = np.random.default_rng(5)
    small = np.kron(rng.integers(60, 190, (HEIGHT // 8, WIDTH // 8)), np.ones((8, 8)))
    luma = np.clip(small + rng.normal(0, 1.5, (frames, HEIGHT, WIDTH)), 16, 235).astype(np.uint8)
    grey = np.full((frames, HEIGHT * WIDTH // 2), 128, np.uint8)
    raw = clips.write(folder, "held.yuv", np.concatenate([luma.reshape(frames, -1), grey], 1).tobytes())
    return clips.ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", "24", "-i", raw,
                        "-c:v", "libx264", "-crf", "22", "-g", "8", "-threads", "1", path)


def flicker(path):
    """Mean standard deviation over time of luma."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-vsync", "0", "-"], capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 6 * HEIGHT * WIDTH)[:, :4 * HEIGHT * WIDTH].std(0).mean()


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        ai = lambda network, *options: ("--use-ai", "--ai-model", network, *options)
        source = at("held.mkv")
        clips.need(held(folder, source))

        def digest(name):
            with open(at(name), "rb") as f:
                return hashlib.sha256(f.read()).hexdigest()

        def upscale(name, *options, network="anime-web"):
            r = run(program, "upscale", source, at(name), "--codec", "ffv1", "--progress", "none", "--overwrite", *ai(network), *options)
            check(r.returncode == 0, name, r.stderr)
            return r

        def planned(file, *options):
            r = run(program, "upscale", file, at("x.mkv"), "--dry-run", "--json", *options)
            check(r.returncode == 0, " ".join(options), r.stderr)
            text = json.loads(r.stdout).get("ai_temporal") if r.returncode == 0 else None
            check((text is not None) == (f"temporal: {text}\n" in r.stderr), "what is planned is said", (text, r.stderr))
            return text

        # Where.
        models = json.loads(run(program, "models", "--json").stdout)["folder"]
        check(planned(source, *ai("anime-web")) == SAID, "anime-web", "")
        check(planned(source, "--use-ai", "--source", "web") == SAID, "--source web", "")
        check(planned(source, *ai(os.path.join(models, "anime-web.ksrnet"))) == SAID, "its file", "")
        noted = planned(source, *ai("anime-web", "--motion-threshold", "0.025"))
        check(noted == "motion threshold 0.025 (anime-web)", "a threshold that is asked for stays", noted)
        for options in some([ai("anime-web", "--ai-temporal", "off"), ai("anime-web", "--temporal"), ai("anime-dvd"), ai("anime-quality"),
                             ("--ai-model", "anime-web"), ai("anime-web", "--motion-threshold", "0"), ai("anime-web", "--temporal-weight", "0")]):
            noted = planned(source, *options)
            check(noted is None, f"not with {' '.join(options)}", noted)
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "gradients=size=320x180:seed=1:speed=0.00001:rate=24:duration=0.5", "-vf",
                                "format=yuv420p,noise=c0s=12:c0f=t:all_seed=1", "-c:v", "ffv1", at("grainy.mkv")))
        r = run(program, "upscale", at("grainy.mkv"), at("x.mkv"), "--dry-run", "--json", *ai("anime-web"), "--grain", "remove")
        plan = json.loads(r.stdout or "{}")
        check("no grain" not in plan.get("grain", "no grain") and "ai_temporal" not in plan, "what takes grain out stays", r.stdout + r.stderr)
        clips.need(clips.ffmpeg("-i", source, "-frames:v", "1", at("one.png")))
        check(planned(at("one.png"), *ai("anime-web")) is None, "an image", "")
        clips.need(clips.ffmpeg("-i", source, "-frames:v", "3", at("f%03d.png")))
        check(planned(at("f%03d.png"), *ai("anime-web", "--ai-variant", "general")) == SAID, "a sequence of images", "")
        r = run(sample, "--width", "320", "--height", "180", "--frames", "4", "--no-audio", "--no-title", "--vcodec", "ffv1",
                "--pixel-format", "yuv420p", at("drawn.mkv"))
        clips.need(r.stderr if r.returncode else None)
        clips.need(clips.ffmpeg("-i", at("drawn.mkv"), "-vf", "scale=160:90:flags=area", "-c:v", "ffv1", at("clean.mkv")))
        check(planned(at("clean.mkv"), *ai("anime-web")) is None, "a clean source, which gets another network", "")
        r = run(program, "upscale", source, at("x.mkv"), *ai("anime-web"), "--dry-run")
        check(f"  temporal  {SAID}\n" in r.stdout, "a plan for people", r.stdout)
        r = run(program, "models", "anime-web")
        check("flicker: --temporal --motion-threshold 0.05, unless --ai-temporal off is given\n" in r.stdout, "the list of models says so", r.stdout)
        check('"temporal": 0.05,' in run(program, "models", "anime-web", "--json").stdout, "and as JSON", "")
        r = run(program, "upscale", source, at("x.mkv"), *ai("anime-web"), "--ai-temporal", "on")
        check(r.returncode == 2 and "ai_temporal: 'on' is not valid (auto or off)" in r.stderr, "another value", r.stderr)

        # All ways give the same bytes.
        upscale("auto.mkv", "--provenance", at("auto.json"))
        upscale("off.mkv", "--ai-temporal", "off")
        upscale("named.mkv", "--ai-temporal", "off", "--temporal", "--motion-threshold", "0.05")
        upscale("more.mkv", "--temporal")
        check(digest("auto.mkv") == digest("named.mkv"), "the bytes of what it stands for")
        check(len({digest(n) for n in ("auto.mkv", "off.mkv", "more.mkv")}) == 3, "off and --temporal are others")
        r = run(program, "upscale", source, at("again.mkv"), "--progress", "none", "--config", at("auto.json"))
        check(r.returncode == 0 and digest("again.mkv") == digest("auto.mkv"), "a run from the record", r.stderr)
        record = json.load(open(at("auto.json")))
        check(record["ai_temporal"] == SAID and record["config"]["pipeline"]["ai_temporal"] == "auto" and
              record["config"]["pipeline"]["enable_temporal"] is False and
              {k: record["settled"]["pipeline"].get(k) for k in ("enable_temporal", "motion_threshold")} ==
              {"enable_temporal": True, "motion_threshold": 0.05}, "the record tells", record)
        r = run(program, "report", source, at("auto.mkv"), "--provenance", at("auto.json"), "-o", at("report.html"))
        check(r.returncode == 0 and SAID in open(at("report.html"), encoding="utf-8").read(), "a report", r.stderr)
        plan = run(program, "plan", source, at("parts.mkv"), "--codec", "ffv1", *ai("anime-web"))
        work = [run(program, *words) for words in (("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
        check(plan.returncode == 0 and all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("auto.mkv"), "planned, worked and joined",
              [w.stderr for w in (plan, *work)])

        # What a preview compares with has none.
        r = run(program, "preview", source, "-o", at("pages"), "--codec", "ffv1", "--samples", "1", "--duration", "0.3", *ai("anime-web"),
                "--temporal", "--motion-threshold", "0.2")
        made = {open(at(os.path.join("pages", name)), "rb").read() for name in os.listdir(at("pages")) if name.endswith(".mkv")}
        check(r.returncode == 0 and len(made) == 2, "a preview without stage 5", (os.listdir(at("pages")), r.stderr))

        before, after = flicker(at("off.mkv")), flicker(at("auto.mkv"))
        check(after < 0.8 * before, f"flicker falls from {before:.2f} to {after:.2f}", "")
    finish()


if __name__ == "__main__":
    sys.exit(main())
