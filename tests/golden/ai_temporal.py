#!/usr/bin/env python3
"""Stage 5 before a network for coded video: where it works, what is said, and that every way gives the same bytes.

  ai_temporal.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, os, subprocess, sys, tempfile

import numpy as np

import clips
from checks import check, finish, run, some

SAID = "motion threshold 0.05 (anime-web)"  # models/networks.toml
DVD = "motion threshold 0.05 (anime-dvd)"
WIDTH, HEIGHT = 96, 64


def ai(network, *options):
    return ("--use-ai", "--ai-model", network, *options)


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


class Runs:
    def __init__(self, program, sample, folder):
        self.program, self.sample, self.folder = program, sample, folder
        self.source = self.at("held.mkv")
        clips.need(held(folder, self.source))

    def at(self, name):
        return os.path.join(self.folder, name)

    def run(self, *args):
        return run(self.program, *args)

    def digest(self, name):
        with open(self.at(name), "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def upscale(self, name, *options):
        r = self.run("upscale", self.source, self.at(name), "--codec", "ffv1", "--progress", "none", "--overwrite", *ai("anime-web"), *options)
        check(r.returncode == 0, name, r.stderr)

    def plans(self, what, expected, file, *options):
        """What a plan says of it, None: nothing; and that it is logged."""
        r = self.run("upscale", file, self.at("x.mkv"), "--dry-run", "--json", *options)
        text = json.loads(r.stdout or "{}").get("ai_temporal")
        logged = f"temporal: {expected}\n" in r.stderr if expected else "temporal: " not in r.stderr
        check(r.returncode == 0 and text == expected and logged, what, r.stdout + r.stderr)


def test_where(r):
    models = json.loads(r.run("models", "--json").stdout)["folder"]
    for what, said, options in (("anime-web", SAID, ai("anime-web")), ("--source web", SAID, ("--use-ai", "--source", "web")),
                                ("its file", SAID, ai(os.path.join(models, "anime-web.ksrnet"))), ("anime-dvd", DVD, ai("anime-dvd"))):
        r.plans(what, said, r.source, *options)
    r.plans("a threshold that is asked for stays", "motion threshold 0.025 (anime-web)", r.source, *ai("anime-web", "--motion-threshold", "0.025"))
    for options in some([ai("anime-web", "--ai-temporal", "off"), ai("anime-web", "--temporal"), ai("anime-best"), ai("anime-quality"),
                         ("--ai-model", "anime-web"), ai("anime-web", "--motion-threshold", "0"), ai("anime-web", "--motion-threshold", "0.000001"),
                         ai("anime-web", "--temporal-weight", "0")]):
        r.plans(f"not with {' '.join(options)}", None, r.source, *options)


def test_sources(r):
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "gradients=size=320x180:seed=1:speed=0.00001:rate=24:duration=0.5", "-vf",
                            "format=yuv420p,noise=c0s=12:c0f=t:all_seed=1", "-c:v", "ffv1", r.at("grainy.mkv")))
    plan = json.loads(r.run("upscale", r.at("grainy.mkv"), r.at("x.mkv"), "--dry-run", "--json", *ai("anime-web"), "--grain", "remove").stdout or "{}")
    check("no grain" not in plan.get("grain", "no grain") and "ai_temporal" not in plan, "what takes grain out stays", plan)
    clips.need(clips.ffmpeg("-i", r.source, "-frames:v", "1", r.at("one.png")))
    r.plans("an image", None, r.at("one.png"), *ai("anime-web"))
    clips.need(clips.ffmpeg("-i", r.source, "-frames:v", "3", r.at("f%03d.png")))
    r.plans("a sequence of images", SAID, r.at("f%03d.png"), *ai("anime-web", "--ai-variant", "general"))
    made = run(r.sample, "--width", "320", "--height", "180", "--frames", "4", "--no-audio", "--no-title", "--vcodec", "ffv1",
               "--pixel-format", "yuv420p", r.at("drawn.mkv"))
    clips.need(made.stderr if made.returncode else None)
    clips.need(clips.ffmpeg("-i", r.at("drawn.mkv"), "-vf", "scale=160:90:flags=area", "-c:v", "ffv1", r.at("clean.mkv")))
    r.plans("a clean source, which gets another network", None, r.at("clean.mkv"), *ai("anime-web"))


def test_said(r):
    plan = r.run("upscale", r.source, r.at("x.mkv"), *ai("anime-web"), "--dry-run")
    check(f"  temporal  {SAID}\n" in plan.stdout, "a plan for people", plan.stdout)
    listed = r.run("models", "anime-web").stdout
    check("flicker: --temporal --motion-threshold 0.05, unless --ai-temporal off is given\n" in listed, "the list of models says so", listed)
    listed = r.run("models", "anime-web", "--json").stdout
    check('"temporal": 0.05,' in listed, "and as JSON", listed)
    refused = r.run("upscale", r.source, r.at("x.mkv"), *ai("anime-web"), "--ai-temporal", "on")
    check(refused.returncode == 2 and "ai_temporal: 'on' is not valid (auto or off)" in refused.stderr, "another value", refused.stderr)


def test_bytes(r):
    """All ways give the same bytes."""
    r.upscale("auto.mkv", "--provenance", r.at("auto.json"))
    r.upscale("off.mkv", "--ai-temporal", "off")
    r.upscale("named.mkv", "--ai-temporal", "off", "--temporal", "--motion-threshold", "0.05")
    r.upscale("more.mkv", "--temporal")
    check(r.digest("auto.mkv") == r.digest("named.mkv"), "the bytes of what it stands for")
    check(len({r.digest(n) for n in ("auto.mkv", "off.mkv", "more.mkv")}) == 3, "off and --temporal are others")
    again = r.run("upscale", r.source, r.at("again.mkv"), "--progress", "none", "--config", r.at("auto.json"))
    check(again.returncode == 0 and r.digest("again.mkv") == r.digest("auto.mkv"), "a run from the record", again.stderr)
    plan = r.run("plan", r.source, r.at("parts.mkv"), "--codec", "ffv1", *ai("anime-web"))
    work = [r.run(*words) for words in (("work", r.at("parts.mkv.kizunasr")), ("join", r.at("parts.mkv.kizunasr")))]
    check(plan.returncode == 0 and all(w.returncode == 0 for w in work) and r.digest("parts.mkv") == r.digest("auto.mkv"),
          "planned, worked and joined", [w.stderr for w in (plan, *work)])
    before, after = flicker(r.at("off.mkv")), flicker(r.at("auto.mkv"))
    check(after < 0.8 * before, f"flicker falls from {before:.2f} to {after:.2f}", "")


def test_record(r):
    record = json.load(open(r.at("auto.json")))
    config, settled = record["config"]["pipeline"], record["settled"]["pipeline"]
    check(record["ai_temporal"] == SAID and config["ai_temporal"] == "auto" and config["enable_temporal"] is False and
          settled.get("enable_temporal") is True and settled.get("motion_threshold") == 0.05, "the record tells", record)
    page = r.at("report.html")
    made = r.run("report", r.source, r.at("auto.mkv"), "--provenance", r.at("auto.json"), "-o", page)
    check(made.returncode == 0 and SAID in open(page, encoding="utf-8").read(), "a report", made.stderr)


def test_preview(r):
    """What a preview compares with has none."""
    made = r.run("preview", r.source, "-o", r.at("pages"), "--codec", "ffv1", "--samples", "1", "--duration", "0.3", *ai("anime-web"),
                 "--temporal", "--motion-threshold", "0.2")
    videos = {open(r.at(os.path.join("pages", name)), "rb").read() for name in os.listdir(r.at("pages")) if name.endswith(".mkv")}
    check(made.returncode == 0 and len(videos) == 2, "a preview without stage 5", (os.listdir(r.at("pages")), made.stderr))


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        r = Runs(program, sample, folder)
        for test in (test_where, test_sources, test_said, test_bytes, test_record, test_preview):
            test(r)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
