#!/usr/bin/env python3
"""--source: kinds are told apart, a set of settings is what the manual says, and all else comes on top of it.

  source.py PROGRAM SAMPLE

Ends with `N passed, N failed, N skipped`.
"""
import json, os, re, shutil, sys, tempfile

import clips
from checks import check, finish, run, some

# Video filter and encoder of FFmpeg, size, kind, and the reason that is printed.
CASES = [
    ("mpeg2", "720x480", "-c:v mpeg2video -q:v 4", "dvd", r"mpeg2video, 720x480, MPEG-2 noise"),
    ("xvid", "640x480", "-c:v mpeg4 -q:v 3", "dvd", r"mpeg4, 640x480, .*"),
    ("oblong", "720x576", "-c:v libx264 -crf 16 -aspect 4:3", "dvd", r"h264, 720x576, oblong pixels, .*"),
    ("fields", "720x576", "-c:v libx264 -crf 12 -x264-params tff=1", "dvd", r"h264, 720x576, two fields, .*"),
    ("low", "1280x720", "-c:v libx264 -crf 36", "web", r"h264, 1280x720, H.264 noise"),
    ("small", "640x480", "-c:v libx264 -crf 34", "web", r"h264, 640x480, H.264 noise"),
    ("mpeg2hd", "1280x720", "-c:v mpeg2video -q:v 12", "web", r"mpeg2video, 1280x720, MPEG-2 noise"),
    ("clean", "1280x720", "-c:v libx264 -crf 10", "bluray", r"h264, 1280x720, clean"),
    ("lossless", "640x480", "-c:v ffv1", "bluray", r"ffv1, 640x480, clean"),
]


def manual_sets():
    """The table of the manual: the options of each kind."""
    manual = os.path.join(os.path.dirname(__file__), "../../docs/manual.md")
    rows = re.findall(r"^\| `(dvd|web|bluray)` \| [^|]* \| (.*) \|$", open(manual, encoding="utf-8").read(), re.M)
    return {kind: [word for option in re.findall(r"`([^`]*)`", options) for word in option.split(" ", 1)]
            for kind, options in rows}


def main():
    program, sample = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        config = lambda *options: run(program, "config", *options)
        whole = lambda r: json.loads(r.stdout)

        r = run(sample, "--width", "1280", "--height", "720", "--frames", "8", "--no-audio", "--no-title", "--vcodec", "ffv1",
                "--gop", "1", at("drawn.mkv"))
        clips.need(r.stderr if r.returncode else None)
        batched = ("mpeg2", "lossless")
        for name, size, codec, kind, reason in some(CASES, batched):
            clips.need(clips.ffmpeg("-i", at("drawn.mkv"), "-vf", "scale=" + size.replace("x", ":") + ",setsar=1", *codec.split(),
                                    "-threads", "1", at(name + ".mkv")))
            picture = whole(run(program, "probe", "--picture", "--json", at(name + ".mkv")))["picture"]["source"]
            check(picture["kind"] == kind and re.fullmatch(reason, picture["reason"]), f"{name} is {kind}", f"{r.stderr} {picture}")

        # A set is what the manual says.
        sets = manual_sets()
        check(sorted(sets) == ["bluray", "dvd", "web"], "the manual has all kinds", str(sets))
        for kind, options in sets.items():
            check(whole(config("--source", kind)) == whole(config(*options)), f"{kind}: the settings of the manual", str(options))

        # Auto is the named one, which is its settings.
        def upscale(name, output, *options):
            r = run(program, "upscale", at(name), at(output), "--codec", "ffv1", *options)
            return r, open(at(output), "rb").read() if os.path.exists(at(output)) else None
        auto, named, spelled = (upscale("mpeg2.mkv", "a.mkv", "--source", "auto"), upscale("mpeg2.mkv", "b.mkv", "--source", "dvd"),
                                upscale("mpeg2.mkv", "c.mkv", *sets["dvd"]))
        check("source: dvd (mpeg2video, 720x480, MPEG-2 noise)" in auto[0].stderr, "auto says what it found", auto[0].stderr)
        check(auto[0].returncode == 0 and auto[1] == named[1] == spelled[1], "auto, the kind and its settings give the same bytes",
              auto[0].stderr + named[0].stderr + spelled[0].stderr)

        # Options and settings files come on top, wherever they stand.
        plain = whole(config())
        open(at("own.json"), "w").write('{"pipeline": {"deband": 0.5}}')
        for options in (["--deband", "0", "--source", "dvd"], ["--source", "dvd", "--deband", "0"]):
            check(whole(config(*options))["pipeline"]["deband"] == plain["pipeline"]["deband"], "an option overrides the set", str(options))
        check(whole(config("--source", "dvd", "--config", at("own.json")))["pipeline"]["deband"] == 0.5, "so does a file")

        # A batch decides for each input; the pieces of a plan keep it.
        os.mkdir(at("season"))
        for name in batched:
            shutil.copy(at(name + ".mkv"), at("season"))
        r = run(program, "batch", at("season"), "--output-dir", at("out"), "--source", "auto", "--codec", "ffv1", "--fit", "640x480")
        check(r.returncode == 0 and "source: dvd" in r.stderr and "source: bluray" in r.stderr, "batch looks at each", r.stderr)
        open(at("season/broken.mkv"), "w").write("no video")
        r = run(program, "batch", at("season"), "--output-dir", at("out"), "--source", "auto", "--codec", "ffv1", "--fit", "640x480")
        check(r.returncode == 1 and r.stdout.count("already done") >= 2 and "failed" in r.stdout, "one that cannot be looked at fails alone",
              f"{r.returncode} {r.stdout} {r.stderr}")

        # Refusals.
        for options, message in ((["--source", "vhs"], "error: source: 'vhs' is not valid (dvd, web or bluray)"),
                                 (["--source", "auto"], "error: --source auto needs a file to look at")):
            r = config(*options)
            check(r.returncode == 2 and message in r.stderr, f"{options} is refused", f"{r.returncode} {r.stderr}")
        r = run(program, "upscale", "-", at("x.mkv"), "--source", "auto")
        check(r.returncode == 2 and "--source auto needs a file to look at" in r.stderr, "a pipe cannot be looked at", r.stderr)
        r = run(program, "upscale", at("none.mkv"), at("x.mkv"), "--source", "auto")
        check(r.returncode == 3, "nor what is not there", f"{r.returncode} {r.stderr}")
    finish()


main()
