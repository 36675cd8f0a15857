#!/usr/bin/env python3
"""AVI has no times: what begins late or early, or has holes, is found at plan time.

Streams that begin after or before the picture, sound with a hole, sound that begins far into the file,
into AVI: what is said of it, word for word; that `verify` finds the sound in its place; and that
nothing of it ends in a failed check at the end of a run.

  avi.py PROGRAM [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, os, shutil, struct, subprocess, tempfile

import clips
from checks import check, finish, run, some

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=24:duration=3"]
# Noise is like itself in one place only.
SOUND = ["-f", "lavfi", "-i", "anoisesrc=duration=3:sample_rate=48000:seed=1:amplitude=0.3"]
ANEW = "audio stream 1 ({}) {}: it is re-encoded with pcm_s16le; mkv would keep it"
HELD = "cannot be held by this container"
LOSSLESS = ANEW.replace("; mkv would keep it", " without loss")


def make(folder, name, *args):
    path = os.path.join(folder, name)
    clips.need(clips.ffmpeg(*args, path))
    return path


def film(folder, name, codec, picture_late=0.0, sound_late=0.0, form="s16"):
    return make(folder, name, "-itsoffset", picture_late, *PICTURE, "-itsoffset", sound_late, *SOUND, "-map", 0, "-map", 1,
                "-c:v", "libx264", "-preset", "ultrafast", "-c:a", codec, *(["-sample_fmt", form] if codec == "flac" else []),
                "-ac", 2, "-disposition:a:0", 0)


def deep(program, source):
    """24 bits stay 24 bits, sample by sample."""
    codec = "flac" if "flac" in source else "pcm_s24le"
    convert(program, source, [LOSSLESS.format(codec, HELD).replace("with pcm_s16le", "with pcm_s24le")])
    want, got = (samples(path) for path in (source, os.path.splitext(source)[0] + "-out.avi"))
    late = int(0.7 * 48000) * 2 * 3
    check(want and got == bytes(late) + want, f"{os.path.basename(source)}: every bit of the sound is there, 0.7 s late", f"{len(want)} bytes, {len(got)}")


def samples(path):
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:a", "-f", "s24le", "-"], stdout=subprocess.PIPE).stdout


def with_hole(folder, name, codec):
    """Lacks a piece of its sound, far enough in that the first packets do not tell."""
    whole = film(folder, "whole-" + name, codec)
    return make(folder, name, "-i", whole, "-map", 0, "-c", "copy", "-bsf:a", "noise=amount=0:drop='between(pts*tb,2.0,2.4)'")


def far(folder):
    """A track that begins behind 70 MB of another."""
    path = os.path.join(folder, "far.mkv")
    trouble = clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=2:duration=12", "-f", "lavfi",
                           "-i", "anullsrc=channel_layout=7.1:sample_rate=192000:duration=12", "-itsoffset", 11.6, "-f", "lavfi",
                           "-i", "anoisesrc=duration=0.4:sample_rate=48000:seed=1", "-map", 0, "-map", 2, "-map", 1, "-c:v", "libx264",
                           "-preset", "ultrafast", "-c:a:0", "pcm_s16le", "-c:a:1", "pcm_s32le", "-ac:a:0", 2, "-disposition:a", 0, path)
    clips.need(trouble)
    return path


def with_fonts(folder):
    """Its packets begin behind 66 MB of attachments."""
    font = clips.write(folder, "font.ttf", bytes(66 << 20))
    return make(folder, "fonts.mkv", "-i", film(folder, "plain.mkv", "aac"), "-map", 0, "-c", "copy", "-attach", font,
                "-metadata:s:t:0", "mimetype=font/ttf", "-disposition:a:0", 0)


def two_videos(folder):
    return make(folder, "second.mkv", *PICTURE, "-itsoffset", 0.7, *PICTURE, "-map", 0, "-map", 1, "-c:v", "mpeg4", "-disposition:v:1", 0)


def convert(program, source, wanted, verified=True):
    """Upscales into AVI; what is said must be `wanted`, word for word."""
    name = os.path.basename(source)
    output = os.path.splitext(source)[0] + "-out.avi"
    r = run(program, "upscale", source, output, "--preset", "ultrafast", "--overwrite", "--progress", "none")
    lines = [l.replace("kizunasr: ", "") for l in r.stderr.splitlines() if "warning: " in l or "without loss" in l]
    said = [l.replace("warning: ", "") for l in lines]
    check(r.returncode == 0 and said == wanted, f"{name}: said as it is", f"{r.returncode} {said}, wanted {wanted}")
    if not verified:
        return
    v = run(program, "verify", source, output, "--progress", "none")
    check(v.returncode == 0, f"{name}: verified", v.stdout + v.stderr)


def with_odd_clock(folder):
    """Its audio has a clock that is 0.03 % faster than its samples, and ticks of 52 ms."""
    path = make(folder, "clock.avi", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=5:duration=10", "-f", "lavfi",
                "-i", "anoisesrc=duration=10:sample_rate=22050:seed=1:amplitude=0.3", "-c:v", "mpeg4", "-c:a", "mp2", "-b:a", "64k")
    data = bytearray(open(path, "rb").read())
    at = data.rindex(b"strh", 0, data.index(b"movi")) + 28
    scale, rate = struct.unpack("<II", data[at:at + 8])
    data[at:at + 8] = struct.pack("<II", scale * 1000, int(rate * 1000 * 1.0006))
    return clips.write(folder, "clock.avi", data)


def test_odd_clock(program, folder):
    source = with_odd_clock(folder)
    for ext in ("mkv", "mp4"):
        output = os.path.join(folder, "clock-out." + ext)
        r = run(program, "upscale", source, output, "--preset", "ultrafast", "--overwrite", "--progress", "none")
        check(r.returncode == 0, f"a clock that is not that of the samples: {ext}", r.stderr)
        v = run(program, "verify", source, output, "--progress", "none")
        check(v.returncode == 0, f"a clock that is not that of the samples: {ext} is verified", v.stdout + v.stderr)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--keep")
    o = ap.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    program = os.path.abspath(o.program)
    early = "audio stream 1 begins {} ms before the video, which avi cannot hold: its beginning is cut off; mkv would"
    begins_late = [LOSSLESS.format("pcm_s16le", HELD)]
    begins_early = [early.format(500), *begins_late]
    for test in some((
            lambda: convert(program, film(folder, "pcm.mkv", "pcm_s16le"), []),
            lambda: convert(program, film(folder, "late-pcm.mkv", "pcm_s16le", sound_late=0.7), begins_late),
            lambda: convert(program, film(folder, "late-flac.mkv", "flac", sound_late=0.7), [LOSSLESS.format("flac", HELD)]),
            lambda: convert(program, film(folder, "early-pcm.mkv", "pcm_s16le", picture_late=0.5), begins_early),
            lambda: convert(program, film(folder, "early-flac.mkv", "flac", picture_late=0.5),
                            [early.format(500), LOSSLESS.format("flac", HELD)]),
            lambda: deep(program, film(folder, "deep-pcm.mkv", "pcm_s24le", sound_late=0.7)),
            lambda: deep(program, film(folder, "deep-flac.mkv", "flac", sound_late=0.7, form="s32")),
            lambda: convert(program, far(folder), begins_late, verified=False),
            lambda: convert(program, with_hole(folder, "hole-pcm.mkv", "pcm_s16le"),
                            [ANEW.format("pcm_s16le", "has gaps, which this container cannot hold")]),
            lambda: convert(program, with_fonts(folder),
                            [ANEW.format("aac", HELD), "attachment stream 2 (font.ttf) cannot be held by avi and is dropped; mkv would keep it"],
                            verified=False),
            lambda: convert(program, two_videos(folder), ["video stream 1 (mpeg4) cannot be held by avi and is dropped; mkv would keep it"]),
            lambda: test_odd_clock(program, folder))):
        test()
    if not o.keep:
        shutil.rmtree(folder)
    finish()


if __name__ == "__main__":
    main()
