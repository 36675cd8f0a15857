#!/usr/bin/env python3
"""--deblock auto, --dehalo auto and --composite auto: what is there is found, what is not is not, and every way gives the same bytes.

  measured.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, os, re, sys, tempfile

import clips
from checks import EVERY, check, finish, run, some

AUTO = ("--deblock", "auto", "--dehalo", "auto", "--composite", "auto")

# A still from tape: a subcarrier of 3.77 samples, reversed from frame to frame and from line to line of a field.
TAPE = ("select=eq(n\\,0),loop=11:1:0,setpts=N/FRAME_RATE/TB,crop=320:240,"
        "geq=lum='lum(X,Y)+if(gt(mod(X,64),32),6*cos(1.6658*X)*(1-2*mod(N+floor(Y/2),2)))':cb='cb(X,Y)':cr='cr(X,Y)'")

# Name, video filter and encoder of FFmpeg, whether there are blocks, halos, and dot crawl.
CASES = [
    ("clean", "null", "-c:v ffv1", False, False, False),
    ("mpeg2", "null", "-c:v mpeg2video -q:v 4", True, False, False),
    ("mpeg4", "null", "-c:v mpeg4 -q:v 6", True, False, False),
    ("sharp", "unsharp=5:5:1.5", "-c:v ffv1", False, True, False),
    ("woven", "interlace=scan=tff", "-c:v mpeg2video -q:v 5 -flags +ildct+ilme", True, False, False),
    ("tape", TAPE, "-c:v ffv1", False, False, True),
    ("moved", "crop=716:476:4:4", "-c:v ffv1", False, False, False),  # blocks on another grid
]


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
            r = run(program, "plan", source, at("planned.mkv"), "--codec", "ffv1", "--fresh", *options)
            check(r.returncode == 0, "a plan is made", r.stderr)
            with open(at("planned.mkv.kizunasr/manifest.json")) as f:
                return json.load(f), r.stderr

        r = run(sample, "--width", "720", "--height", "480", "--frames", "12", "--no-audio", "--no-title", "--vcodec", "ffv1",
                "--pixel-format", "yuv420p", "--gop", "1", at("drawn.mkv"))
        clips.need(r.stderr if r.returncode else None)
        for name, how, codec, *_ in CASES:
            source = at("mpeg2.mkv" if name == "moved" else "drawn.mkv")
            clips.need(clips.ffmpeg("-i", source, "-vf", how, *codec.split(), "-g", "3", "-threads", "1", "-bitexact", at(name + ".mkv")))

        # What is found.
        for name, _, _, blocks, halos, crawl in some(CASES):
            made, said = planned(at(name + ".mkv"), *AUTO)
            config, reasons = made["config"]["pipeline"], made["reasons"]
            check((config["deblock"], config["dehalo"], config["composite"]) == (blocks and 0.5, halos and 0.25, crawl and 0.2),
                  f"{name}: strengths", said)
            found = re.fullmatch(r"at (\d+) % of lines between blocks", reasons["deblock"])
            check(bool(found) == blocks and (blocks or reasons["deblock"] == "no blocks found"), f"{name}: why", reasons)
            check(bool(re.fullmatch(r"at \d+ % of edges", reasons["dehalo"])) == halos, f"{name}: why not", reasons)
            check(bool(re.fullmatch(r"dot crawl at \d+ % of blocks that flicker", reasons["composite"])) == crawl and
                  f"composite: {'0.2' if crawl else '0'} ({reasons['composite']})\n" in said, f"{name}: dot crawl", said)
            check(f"deblock: {'0.5' if blocks else '0'} ({reasons['deblock']})\n" in said and
                  f"dehalo: {'0.25' if halos else '0'} ({reasons['dehalo']})\n" in said, f"{name}: it is said", said)
            picture = json.loads(run(program, "probe", at(name + ".mkv"), "--picture", "--json").stdout)["picture"]
            check(picture["blocks"]["found"] == blocks and picture["dot_crawl"]["found"] == crawl and (not found or round(100 * picture["blocks"]["share"]) == int(found[1])),
                  f"{name}: probe finds the same", picture["blocks"])
            text = run(program, "probe", at(name + ".mkv"), "--picture").stdout
            check(("; --deblock 0.5 smooths these\n" in text) == blocks and ("; --composite 0.2 takes it off\n" in text) == crawl,
                  f"{name}: probe says so", text)
        check(planned(at("mpeg2.mkv"), "--deblock", "0.25")[0]["reasons"].keys() == {"denoise"}, "a number needs no reason")
        check("deblock" not in planned(at("mpeg2.mkv"))[1], "nor does what is not asked for")

        # Descaled frames are not deblocked, so nothing says that they are.
        r = run(program, "upscale", at("mpeg2.mkv"), at("x.mkv"), *AUTO, "--descale", "400x320:bicubic", "--denoise", "0.9999999", "--dry-run")
        check("  deblock   0 (descaled)\n" in r.stdout and "  denoise   1\n" in r.stdout, "descaled: not deblocked", r.stdout + r.stderr)

        # All pieces are like the whole.
        whole = planned(at("mpeg2.mkv"), *AUTO)[0]
        part = planned(at("mpeg2.mkv"), *AUTO, "--start", "0.2", "--crop", "400:300:7:5")[0]
        check(part["reasons"] == whole["reasons"], "a range is judged as the whole", part["reasons"])

        # Nothing found is nothing done; a strength found is that strength.
        auto = upscale(at("clean.mkv"), "auto.mkv", *AUTO)
        upscale(at("clean.mkv"), "plain.mkv")
        check(auto.returncode == 0 and digest("auto.mkv") == digest("plain.mkv"), "clean: the same bytes as without", auto.stderr)
        auto = upscale(at("mpeg2.mkv"), "auto.mkv", *AUTO, "--provenance", at("auto.json"))
        upscale(at("mpeg2.mkv"), "number.mkv", "--deblock", "0.5")
        upscale(at("mpeg2.mkv"), "plain.mkv")
        check(auto.returncode == 0 and digest("auto.mkv") == digest("number.mkv") != digest("plain.mkv"), "coded: the bytes of --deblock 0.5",
              auto.stderr)
        with open(at("auto.json")) as f:
            record = json.load(f)
        check(record["deblock"] == f"0.5 ({whole['reasons']['deblock']})" and record["dehalo"] == "0 (no halos found)" and
              record["config"]["pipeline"]["deblock"] == "auto", "the record tells", record.get("deblock"))
        check(record["settled"] == {"pipeline": {"denoise": float(record["denoise"].split()[0]), "deblock": 0.5, "dehalo": 0.0,
                                                     "composite": 0.0}},
              "and has the numbers", record.get("settled"))
        r = run(program, "upscale", at("mpeg2.mkv"), at("again.mkv"), "--config", at("auto.json"), "--provenance", at("again.json"))
        check(r.returncode == 0 and digest("again.mkv") == digest("auto.mkv"), "a run from the record: the same bytes", r.stderr)
        with open(at("again.json")) as f:
            again = json.load(f)
        check(again["settled"] == {"pipeline": {}} and again["config"]["pipeline"]["deblock"] == 0.5 and "deblock" not in again,
              "in which nothing is left to settle", again.get("settled"))
        r = run(program, "upscale", at("mpeg2.mkv"), at("x.mkv"), *AUTO, "--dry-run")
        check(f"  deblock   0.5 ({whole['reasons']['deblock']})\n" in r.stdout, "a dry run says so", r.stdout)
        if EVERY == 1:
            work = [run(program, *words) for words in (("plan", at("mpeg2.mkv"), at("parts.mkv"), "--codec", "ffv1", *AUTO),
                                                       ("work", at("parts.mkv.kizunasr")), ("join", at("parts.mkv.kizunasr")))]
            check(all(w.returncode == 0 for w in work) and digest("parts.mkv") == digest("auto.mkv"), "planned, worked and joined",
                  [w.stderr for w in work])

        # Dot crawl that is found is taken off, by whoever makes the segments.
        if os.path.exists(at("tape.mkv")):
            auto = upscale(at("tape.mkv"), "auto.mkv", *AUTO, "--provenance", at("tape.json"))
            for name, options in (("number.mkv", ("--composite", "0.2")), ("plain.mkv", ()), ("again.mkv", ("--config", at("tape.json")))):
                upscale(at("tape.mkv"), name, *options)
            check(auto.returncode == 0 and digest("auto.mkv") == digest("number.mkv") == digest("again.mkv") != digest("plain.mkv"),
                  "dot crawl: the bytes of --composite 0.2", auto.stderr)
            for words in (("plan", at("tape.mkv"), at("tape-parts.mkv"), "--codec", "ffv1", *AUTO), ("work", at("tape-parts.mkv.kizunasr")),
                          ("join", at("tape-parts.mkv.kizunasr"))):
                r = run(program, *words)
            check(r.returncode == 0 and digest("tape-parts.mkv") == digest("auto.mkv"), "dot crawl: planned, worked and joined", r.stderr)

        # Kinds of sources ask for both.
        for kind, names in (("dvd", ("deblock", "dehalo", "composite")), ("web", ("dehalo",)), ("bluray", ("dehalo",))):
            r = run(program, "upscale", at("mpeg2.mkv"), at("x.mkv"), "--source", kind, "--dry-run", "--json")
            there = json.loads(r.stdout)
            check([name for name in ("deblock", "dehalo", "composite") if name in there] == list(names), f"{kind}: what is measured", r.stdout)
    finish()


main()
