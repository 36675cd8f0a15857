#!/usr/bin/env python3
"""Does verify pass what is right and find what is wrong, and say what it is?

A small film goes through the program with a good many settings: verify has to pass every output.
Then one output is damaged on purpose, each time in another way, with the ffmpeg program, and verify
has to name the damage.

  verify.py PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile

import clips
from checks import check, finish, run, some

SIZE = "192x108"
SECONDS = 2
X264 = "-c:v libx264 -preset ultrafast -crf 12 -threads 1 -g 24"
# Gradients (for banding) with something that moves and has lines and colours.
PICTURE = (f"gradients=size={SIZE}:rate=24:duration={SECONDS}:c0=0x203050:c1=0xb09060:x0=0:y0=0:x1=191:y1=107:nb_colors=2:seed=1:speed=0.00001[g];"
           f"testsrc2=size=96x54:rate=24:duration={SECONDS}[t];[g][t]overlay=x=10+n:y=20+n/2,noise=alls=2:all_seed=7,format=yuv420p")
SOUND = f"anoisesrc=color=pink:seed=3:duration={SECONDS}:sample_rate=48000,volume=0.5"

GOOD = [
    ("default", "--preset ultrafast"),
    ("crf 30", "--preset veryfast --crf 30"),
    ("crf 32, fast", "--preset ultrafast --crf 32"),
    ("x265", "--codec libx265 --preset ultrafast --crf 26"),
    ("vp9", "--codec libvpx-vp9 --preset ultrafast --crf 30"),
    ("ffv1", "--codec ffv1"),
    ("mpeg4", "--codec mpeg4"),
    ("denoise", "--preset ultrafast --denoise 1 --structure-smoothing 1"),
    ("sharp", "--preset ultrafast --sharpening 2 --line-darkening 1"),
    ("sharp of clean", "--preset ultrafast --denoise 0 --sharpening 2 --line-darkening 1"),
    ("4x", "--preset ultrafast --scale 4"),
    ("ai", "--preset ultrafast --use-ai --ai-model anime-fast"),
    ("fit", "--preset ultrafast --fit 300x200"),
    ("10 bits", "--preset ultrafast --pixel-format yuv420p10le"),
    ("4:4:4", "--preset ultrafast --pixel-format yuv444p"),
    ("sound anew", "--preset ultrafast --audio-passthrough false"),
    ("opus anew", "--preset ultrafast --audio-passthrough false --audio-codec libopus"),
]

# name, ffmpeg's filter of the output's picture, the check that must fail, a word of it
V = "format=yuv444p,"
PICTURES = [
    ("moved by one pixel", V + "crop=iw-1:ih:0:0,pad=iw+1:ih:1:0", "position", "right"),
    ("moved by half a pixel", V + "scale=768:216:flags=bicubic,crop=767:216:0:0,pad=768:216:1:0,scale=384:216:flags=area", "position", "right"),
    ("chroma moved", "chromashift=cbh=1:crh=1", "chroma", "chroma is shifted"),
    ("matrix", "scale=in_color_matrix=bt601:out_color_matrix=bt709", "colour", "BT.709 are read as BT.601"),
    ("matrix, the other way", "scale=in_color_matrix=bt709:out_color_matrix=bt601", "colour", "BT.601 are read as BT.709"),
    ("range stretched", "scale=in_range=limited:out_range=full,setparams=range=tv", "colour", "limited range became full"),
    ("range squeezed", "scale=in_range=full:out_range=limited,setparams=range=tv", "colour", "full range became limited"),
    ("range tagged wrong", "setparams=range=pc", "colour", "full range became limited"),
    ("brighter", "lutyuv=y=val+2", "colour", "brighter"),
    ("tinted", "lutyuv=u=val+2", "colour", "tinted"),
    ("banding", "lutyuv=y='trunc(val/8)*8+4'", "banding", "gradients show steps"),
    ("ringing", "unsharp=7:7:4", "ringing", "halos"),
    ("frames swapped", "shuffleframes=0 1 2 3 4 5 7 6 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23", "order", "another input frame"),
    ("dropped, another shown twice", "select='not(eq(n,20))',setpts=N/24/TB,tpad=stop=1:stop_mode=clone", "order", "after it"),
    ("shown twice, another dropped", "loop=loop=1:size=1:start=20,setpts=N/24/TB,trim=end_frame=48", "order", "before it"),
    ("one frame black", "drawbox=t=fill:c=black:enable='eq(n,13)'", "picture", "frame 13"),
    ("another film", "negate,hflip", "picture", "hardly similar"),
]
FEWER = [
    ("dropped", "select='not(eq(n,20))'", "frames", "47 in the output, 48 expected"),
    ("one too many", "loop=loop=1:size=1:start=20,setpts=N/24/TB", "frames", "49 in the output, 48 expected"),
    ("late", "setpts=PTS+eq(N\\,30)*0.01/TB", "timestamps", "1 of 48 frames differ"),
]
STREAMS = [
    ("no subtitle", "-map 0 -map -0:s", "subtitle stream", "missing in the output"),
    ("no font", "-map 0 -map -0:t", "attachment stream", "missing in the output"),
    ("no sound", "-map 0 -map -0:a", "audio stream", "missing in the output"),
    ("no chapters", "-map 0 -map_chapters -1", "chapters", "0 in the output, 2 expected"),
    ("another language", "-map 0 -metadata:s:a:0 language=ger", "tags", "language"),
]
SOUNDS = [
    ("5 ms late", "adelay=5:all=1", 5),
    ("2 ms early", "atrim=start=0.002,asetpts=PTS-STARTPTS", -2),
    ("other sound", "areverse", None),
]
# With -copyts: sound that begins before 0 moves nothing.
KEEP_TIMES = ("-avoid_negative_ts", "disabled")


def make_input(folder):
    font = clips.write(folder, "font.ttf", b"\0\1\0\0" + bytes(400))
    text = clips.write(folder, "text.srt", clips.SRT)
    chapters = clips.write(folder, "chapters.txt", clips.CHAPTERS)
    path = os.path.join(folder, "film.mkv")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", SOUND, "-i", text, "-i", chapters,
                            "-map_metadata", "3", "-map", "0", "-map", "1", "-map", "2", *X264.split(), "-c:a", "aac",
                            "-metadata:s:a:0", "language=jpn", "-metadata:s:a:0", "title=Japanese",
                            "-attach", font, "-metadata:s:t", "mimetype=font/ttf", "-bitexact", path))
    return path


def verify(program, source, output, *options):
    r = run(program, "verify", source, output, "--json", "--progress", "none", *options)
    try:
        return r, json.loads(r.stdout)
    except ValueError:
        return r, {"passed": None, "checks": []}


def found(name, r, result, wanted, word):
    """Whether verify failed, with that check among the failed ones, and said that word."""
    failed = {c["name"]: c["detail"] for c in result["checks"] if not c["passed"]}
    text = "; ".join(failed.values())
    hit = any(wanted in detail or wanted == n for n, detail in failed.items()) and word in text
    check(r.returncode == 6 and result["passed"] is False and hit, f"broken: {name}", text + r.stderr)


def good_outputs(program, source, folder, only):
    for name, options in some(GOOD):
        if only not in name:
            continue
        output = os.path.join(folder, "good.mkv")
        made = run(program, "upscale", source, output, *options.split(), "--overwrite", "--progress", "none",
                   "--log-level", "error")
        r, result = verify(program, source, output)
        bad = [c["detail"] for c in result["checks"] if not c["passed"]]
        check(made.returncode == 0 and r.returncode == 0 and result["passed"], f"good: {name}",
              "; ".join(bad) + made.stderr + r.stderr)


def one_frame(program, source, folder):
    """The one frame is at both places of the quick check, which must not change what it looks at."""
    single, output = os.path.join(folder, "single.mkv"), os.path.join(folder, "single-out.mkv")
    clips.need(clips.ffmpeg("-i", source, "-map", "0:v", "-frames:v", "1", "-c:v", "ffv1", single))
    for option in ("--saturation-boost", "--contrast-boost"):
        made = run(program, "upscale", single, output, option, "2", "--codec", "ffv1", "--overwrite", "--progress", "none")
        check(made.returncode == 0, f"good: one frame, {option}", made.stderr)


def flat_outputs(program, folder, only):
    """Nearly flat pictures whose noise goes: nobody can tell a matrix or a range from that."""
    flat = {"grey": "color=gray:s=64x48:d=1:r=5,noise=alls=8:allf=t", "tinted grey": "color=0x787f70:s=64x48:d=1:r=5,noise=alls=20:allf=t",
            "grey with a box": "color=gray:s=64x48:d=1:r=5,drawbox=x=8:y=8:w=20:h=20:color=0x806040:t=fill", "faint tint": "color=0x7e8082:s=64x48:d=1:r=5"}
    source, output = (os.path.join(folder, name) for name in ("flat.mkv", "flat-out.mkv"))
    for name, graph in some(flat.items()):
        for form in ("yuv420p", "gbrp"):
            if only not in f"flat: {name}, {form}":
                continue
            clips.need(clips.ffmpeg("-f", "lavfi", "-i", f"{graph},format={form}", "-c:v", "ffv1", source))
            made = run(program, "upscale", source, output, "--crf", "28", "--overwrite", "--fresh", "--log-level", "error")
            _, result = verify(program, source, output)
            bad = [c["detail"] for c in result["checks"] if c["name"] == "colour" and not c["passed"]]
            check(made.returncode == 0 and result["checks"] and not bad, f"flat: {name}, {form}", "; ".join(bad) + made.stderr)


def broken_pictures(program, source, good, folder, only):
    for name, graph, wanted, word in some(PICTURES + FEWER):
        if only not in name:
            continue
        output = os.path.join(folder, "broken.mkv")
        fewer = (name, graph, wanted, word) in FEWER
        # Frames keep their times, unless times are what is to be found.
        clips.need(clips.ffmpeg("-copyts", "-i", good, "-map", "0", "-c", "copy", "-vf", graph + ",format=yuv420p", *X264.split(),
                                "-enc_time_base", "1:24000", "-fps_mode", "passthrough", *KEEP_TIMES, output))
        found(name, *verify(program, source, output), wanted, word)


def broken_streams(program, source, good, folder, only):
    output = os.path.join(folder, "broken.mkv")
    for name, options, wanted, word in STREAMS:
        if only in name:
            clips.need(clips.ffmpeg("-copyts", "-i", good, "-c", "copy", *options.split(), *KEEP_TIMES, output))
            found(name, *verify(program, source, output), wanted, word)
    for name, graph, late in SOUNDS:
        if only not in name:
            continue
        clips.need(clips.ffmpeg("-copyts", "-i", good, "-map", "0", "-c", "copy", "-c:a", "flac", "-af", graph, *KEEP_TIMES, output))
        r, result = verify(program, source, output)
        found(name, r, result, "audio stream", "the sound is" if late else "not the sound of the input")
        if late:
            # To the third of a millisecond that Matroska's clock leaves open.
            said = re.search(r"the sound is ([0-9.]+) ms (late|early)", r.stdout)
            ms = float(said[1]) * (1 if said[2] == "late" else -1) if said else 0
            check(abs(ms - late) < 0.5, f"measured: {name}", str(ms))


def told(program, source, folder):
    """What a run was told, by its record, its work folder or options."""
    piece, record = os.path.join(folder, "piece.mkv"), os.path.join(folder, "piece.json")
    made = run(program, "upscale", source, piece, "--preset", "ultrafast", "--start", "0.5", "--duration", "1",
               "--saturation-boost", "1.4", "--provenance", record, "--progress", "none")
    r, result = verify(program, source, piece, "--provenance", record)
    check(made.returncode == 0 and r.returncode == 0 and result["known_from"] == "the provenance record",
          "a piece with its record", made.stderr + r.stdout + r.stderr)
    found("a piece without its record", *verify(program, source, piece), "frames", "24 in the output, 48 expected")
    r, result = verify(program, source, piece, "--start", "0.5", "--duration", "1")
    failed = [c["name"] for c in result["checks"] if not c["passed"]]
    check(failed == ["colour"] or failed == [], "a piece that was told of, with colours that were not", str(failed))
    with open(record) as file:
        said = json.load(file)
    for name, change, status, word in (
            ("skips that are not there", {"skipped": [3, 4]}, 6, "frames: 24 in the output, 22 expected"),
            ("frames that cannot be", {"repeated": [99]}, 2, "'repeated' contains frames that do not exist"),
            ("another output", {"output": {"sha256": "0"}}, 6, "the output is not the file that was written"),
            ("another input", {"input": {"bytes": 5}}, 2, "is of another input"),
            ("no record", {"kizunasr_provenance": None}, 2, "is not a provenance record")):
        other = os.path.join(folder, "other.json")
        with open(other, "w") as file:
            json.dump({**said, **{k: {**said[k], **v} if isinstance(v, dict) else v for k, v in change.items()}}, file)
        r, result = verify(program, source, piece, "--provenance", other)
        check(r.returncode == status and word in r.stdout + r.stderr, f"record: {name}", r.stdout + r.stderr)


def policies(program, folder):
    """Frames that a run repeated or skipped because they were damaged, by its record."""
    bad = os.path.join(folder, "bad.avi")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=1", "-c:v", "mjpeg", "-q:v", "3", bad))
    places = run("ffprobe", "-v", "error", "-show_entries", "packet=pos,size", "-of", "csv=p=0", bad).stdout.split()
    with open(bad, "r+b") as file:
        for number in (5, 6, 17):
            size, at = sorted(int(n) for n in places[number].split(",")[:2])
            file.seek(at + 8)
            file.write(bytes(size - 16))  # inside the chunk, wherever it begins
    for policy, count in (("repeat", 24), ("skip", 21)):
        output, record = (os.path.join(folder, policy + ext) for ext in (".mkv", ".json"))
        made = run(program, "upscale", bad, output, "--codec", "ffv1", "--on-frame-error", policy, "--provenance", record, "--progress", "none")
        r, result = verify(program, bad, output, "--provenance", record)
        check(made.returncode == 0 and r.returncode == 0 and result["passed"] and result["picture"]["frames"] == 21 and
              f"frames: {count} in the output, {count} expected" in r.stdout, f"damaged frames: {policy}", r.stdout + r.stderr + made.stderr)
    found("skipped frames nobody told of", *verify(program, bad, os.path.join(folder, "skip.mkv")), "frames", "21 in the output, 24 expected")


def drift(program, folder, only):
    """A long track over few frames: 0.01 % are 3 ms after half a minute."""
    source, good, bad = (os.path.join(folder, n) for n in ("long.mkv", "long-good.mkv", "long-bad.mkv"))
    sound = "anoisesrc=color=pink:seed=5:duration=30:sample_rate=48000"
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=1:duration=30", "-f", "lavfi", "-i", sound,
                            *X264.split(), "-pix_fmt", "yuv420p", "-c:a", "flac", source))
    made = run(program, "upscale", source, good, "--preset", "ultrafast", "--audio-passthrough", "false", "--progress", "none")
    r, result = verify(program, source, good)
    check(made.returncode == 0 and r.returncode == 0, "good: half a minute of sound", r.stdout + made.stderr)
    clips.need(clips.ffmpeg("-i", good, "-map", "0", "-c", "copy", "-c:a", "flac", "-af",
                            "asetrate=48000*1.0001,aresample=48000", bad))
    found("drift of 0.01 %", *verify(program, source, bad), "audio stream", "the sound drifts")


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("program")
    a.add_argument("--only", default="")
    a.add_argument("--keep")
    args = a.parse_args()
    program = os.path.abspath(args.program)
    folder = args.keep or tempfile.mkdtemp(prefix="verify-")
    os.makedirs(folder, exist_ok=True)
    source, good = make_input(folder), os.path.join(folder, "whole.mkv")
    made = run(program, "upscale", source, good, "--preset", "ultrafast", "--crf", "12", "--progress", "none")
    check(made.returncode == 0, "upscale", made.stderr)
    good_outputs(program, source, folder, args.only)
    if args.only in "one frame":
        one_frame(program, source, folder)
    flat_outputs(program, folder, args.only)
    broken_pictures(program, source, good, folder, args.only)
    broken_streams(program, source, good, folder, args.only)
    if args.only in "told":
        told(program, source, folder)
    if args.only in "policies":
        policies(program, folder)
    if args.only in "drift":
        drift(program, folder, args.only)
    if not args.keep:
        shutil.rmtree(folder)
    finish()


if __name__ == "__main__":
    main()
