#!/usr/bin/env python3
"""The provenance record: what it says is true, and it is the same however the run went.

  provenance.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import hashlib, json, os, shutil, sys, tempfile

import clips
from checks import check, finish, run

SEGMENT_END = 32  # of a segment's file: its own checksum, as text


def read(path):
    with open(path, "rb") as file:
        return file.read()


def make_film(folder):
    """Two segments of MJPEG, where a damaged packet is one bad frame; and a stream MP4 cannot hold."""
    path = os.path.join(folder, "film.mkv")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=24:duration=9", "-i",
                            clips.subtitle(folder, "pgs"), "-map", "0", "-map", "1", "-c:v", "mjpeg",
                            "-q:v", "4", "-c:s", "copy", "-bitexact", path))
    shown = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pos,size", "-of",
                "json", path)
    data = bytearray(read(path))
    bad = (7, 8, 150)
    packets = json.loads(shown.stdout)["packets"]
    for i in bad:
        at, size = int(packets[i]["pos"]), int(packets[i]["size"])
        data[at + 24:at + size - 8] = bytes(size - 32)
    clips.write(folder, "film.mkv", bytes(data))
    return path, list(bad)


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        film, bad = make_film(folder)
        place = lambda name: os.path.join(folder, name)
        common = ("--preset", "ultrafast", "--denoise", "0", "--progress", "none")

        def upscale(name, *options):
            return run(program, "upscale", film, place(name), *common, *options)

        # What it says.
        r = upscale("out.mp4", "--on-frame-error", "repeat", "--provenance", place("out.json"), "--keep-work")
        check(r.returncode == 0, "upscale with a record", r.stderr)
        text = read(place("out.json"))
        record = json.loads(text)
        work = place("out.mp4.kizunasr")
        check(read(os.path.join(work, "provenance.json")) == text, "the work folder has the same record")
        output = read(place("out.mp4"))
        check(record["output"]["sha256"] == hashlib.sha256(output).hexdigest() and
              record["output"]["bytes"] == len(output) and record["output"]["frames"] == 216 and
              record["output"]["name"] == "out.mp4", "output: sha256, size, frames, name", record["output"])
        check(record["input"]["name"] == "film.mkv" and record["input"]["bytes"] == os.path.getsize(film) and
              record["input"]["frames"] == 216, "input: name, size, frames", record["input"])
        manifest = json.loads(read(os.path.join(work, "manifest.json")))
        for member in ("config", "versions"):
            check(record[member] == manifest["key"][member], f"{member} is the manifest's")
        check(record["input"]["xxh128"] == manifest["key"]["input"]["xxh128"], "the input's fingerprint too")
        check(record["encoder"]["options"]["preset"] == "ultrafast", "the encoder's settings", record["encoder"])
        segments = [read(os.path.join(work, f"{i:06d}.seg")) for i in range(len(record["segments"]))]
        check(len(segments) == 2 and all(
            s["bytes"] == len(data) and s["xxh128"] == data[-SEGMENT_END:].decode()
            for s, data in zip(record["segments"], segments)), "segments: size and checksum", record["segments"])
        check(record["repeated"] == bad and record["skipped"] == [], "repeated frames by index",
              (record["repeated"], record["skipped"]))
        check(any("subtitle stream 1" in w for w in record["warnings"]), "the lost stream is named",
              record["warnings"])
        check(folder.encode() not in text, "no folder of this machine is in it")

        # Another folder, step by step, the last segment first, one worker: the same bytes.
        os.mkdir(place("other"))
        moved = shutil.copy(film, place("other/film.mkv"))
        steps = place("other/out.mp4")
        options = (*common, "--on-frame-error", "repeat")
        rs = [run(program, "plan", moved, steps, *options)]
        for n in ("1", "0"):
            rs.append(run(program, "work", steps + ".kizunasr", "--segment", n, "--workers", "1"))
        rs.append(run(program, "join", steps + ".kizunasr", "--provenance", place("join.json")))
        check(all(r.returncode == 0 for r in rs), "plan, work, work, join", [r.stderr for r in rs])
        check(read(place("join.json")) == text, "join writes the same record")
        check(sorted(os.listdir(place("other"))) == ["film.mkv", "out.mp4"], "and leaves nothing else",
              os.listdir(place("other")))

        # Done before: the record is copied. Skipped frames.
        r = upscale("out.mp4", "--on-frame-error", "repeat", "--provenance", place("again.json"), "--keep-work")
        check("already done" in r.stdout and read(place("again.json")) == text, "an output that is done", r.stderr)
        r = upscale("skip.mkv", "--on-frame-error", "skip", "--provenance", place("skip.json"))
        skip = json.loads(read(place("skip.json")))
        check(skip["skipped"] == bad and skip["repeated"] == [] and skip["output"]["frames"] == 213,
              "skipped frames by index", skip["skipped"])
        check(not os.path.exists(place("skip.mkv.kizunasr")), "no folder stays")

        # What is no settings file is told apart.
        for text, why in (('{"kizunasr_provenance": 1}', "a record without settings in 'config'"),
                          ('{"kizunasr_provenance": 1, "config": {}, "settled": null}', "a record without settings in 'settled'")):
            clips.write(folder, "odd.json", text)
            r = upscale("odd.mkv", "--config", place("odd.json"))
            check(r.returncode == 2 and f"odd.json: {why}" in r.stderr, why, r.stderr)
        clips.write(folder, "odd.json", '{"kizunasr_provenance": 1, "config": {}, "subtitles": [{}]}')
        r = upscale("odd.mkv", "--config", place("odd.json"), "--dry-run")
        check("odd.json: subtitle files were added in that run: name them again (--sub FILE)" in r.stderr, "subtitle files are not in a record", r.stderr)

        # The record alone says that an output is done; not that of other settings, or other bytes.
        again = ("skip.mkv", "--on-frame-error", "skip", "--provenance", place("skip.json"))
        r = upscale(*again)
        check(r.returncode == 0 and "skip.mkv: already done" in r.stdout, "done, says the record", r.stderr)
        r = upscale(*again, "--crf", "30")
        check(r.returncode == 2 and "output file exists" in r.stderr, "other settings are not done", r.stderr)
        with open(place("skip.mkv"), "r+b") as f:
            f.seek(-1000, os.SEEK_END)
            byte = f.read(1)[0]
            f.seek(-1000, os.SEEK_END)
            f.write(bytes([byte ^ 1]))
        r = upscale(*again)
        check(r.returncode == 2 and "output file exists" in r.stderr, "nor is a changed output", r.stderr)
        clips.write(folder, "broken.json", '{\n  "kizunasr_provenance": 1, "job": [')
        r = upscale("skip.mkv", "--on-frame-error", "skip", "--provenance", place("broken.json"))
        check(r.returncode == 2 and "output file exists" in r.stderr, "nor does a broken record count", r.stderr)

        # What a lossless encoder got is what comes out again.
        for codec, name, more in (("ffv1", "ffv1.mkv", ("--preset", "medium")), ("libx264", "zero.mkv", ("--crf", "0")), ("libx264", "deep.mkv", ("--crf", "0", "--pixel-format", "yuv420p10le"))):
            r = upscale(name, "--codec", codec, *more, "--on-frame-error", "skip", "--provenance", place("lossless.json"))
            if not check(r.returncode == 0, f"{name}: made", r.stderr):
                break
            lossless = json.loads(read(place("lossless.json")))
            v = run(program, "verify", film, place(name), "--provenance", place("lossless.json"))
            check(v.returncode == 0 and "samples: all are those that the encoder got" in v.stdout, f"{name}: the samples are compared", v.stdout + v.stderr)
            if codec == "libx264" and not more[2:]:
                check([s["samples"] for s in lossless["segments"]] == seen, "both encoders got the same", lossless["segments"])
            seen = [s["samples"] for s in lossless["segments"]]
        lossless["segments"][1]["samples"] = lossless["segments"][0]["samples"]
        clips.write(folder, "wrong.json", json.dumps(lossless, indent=2))
        v = run(program, "verify", film, place("deep.mkv"), "--provenance", place("wrong.json"))
        check(v.returncode == 6 and "samples: those of segment 1 are not those that the encoder got" in v.stderr, "others are found", v.stdout + v.stderr)
        v = run(program, "verify", film, place("skip.mkv"), "--provenance", place("skip.json"))
        check("samples:" not in v.stdout, "not where the encoder loses some", v.stdout)

        # An image sequence: the bytes of all files in order.
        r = run(program, "upscale", film, place("p%03d.png"), "--start", "1", "--duration", "0.2", "--provenance",
                place("png.json"))
        files = b"".join(read(place(n)) for n in sorted(os.listdir(folder)) if n.endswith(".png"))
        png = json.loads(read(place("png.json")))
        check(png["output"]["sha256"] == hashlib.sha256(files).hexdigest() and png["output"]["bytes"] == len(files),
              "image sequence: sha256 of all files", r.stderr)

        # What must not happen is known before the work.
        r = upscale("x.mkv", "--provenance", film)
        check(r.returncode == 2 and "is the input or the output" in r.stderr, "the input is safe", r.stderr)
        r = upscale("x.mkv", "--provenance", place("x.mkv"), "--overwrite")
        check(r.returncode == 2 and "is the input or the output" in r.stderr, "the output too", r.stderr)
        clips.write(folder, "letter.txt", "Dear reader")
        r = upscale("x.mkv", "--provenance", place("letter.txt"))
        check(r.returncode == 2 and "would replace another file" in r.stderr, "and any other file", r.stderr)
        r = upscale("x.mkv", "--provenance", place("nowhere/x.json"))
        check(r.returncode == 4 and "cannot write the provenance record" in r.stderr, "a folder that is not there",
              r.stderr)
        check(not [n for n in os.listdir(folder) if n.startswith("x.mkv")], "nothing was begun")
    finish()


if __name__ == "__main__":
    main()
