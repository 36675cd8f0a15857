#!/usr/bin/env python3
"""Films whose times or frames give trouble, and pieces of films.

Every kind is made here with the ffmpeg program. For each: the frames that a worker reads when it enters
the film anywhere equal those of one linear decode (frames.c), the output has a frame for each one of
the input, and their times agree as ffprobe reads them. A piece (--start, --duration) has exactly the
frames of the whole in that time, and the sound, subtitles and chapters with them.

  trouble.py PROGRAM --frames PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, shutil, tempfile

import clips
from checks import check, finish, run
from media import Seen, compare

SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=24:duration=9"]
TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=9"]
X264 = "-c:v libx264 -preset ultrafast -threads 1 -c:a aac "


def plain(options, ext):
    def make(folder, name):
        path = os.path.join(folder, f"{name}.{ext}")
        clips.need(clips.ffmpeg(*SOURCE, *TONE, "-shortest", *options.split(), path))
        return path
    return make


def edit_list(folder, name):
    """A copy that begins between keyframes: MP4 marks the packets before as not shown."""
    whole = plain(X264 + "-g 48 -bf 2", "mp4")(folder, name + "-whole")
    path = os.path.join(folder, name + ".mp4")
    clips.need(clips.ffmpeg("-ss", "1.1", "-i", whole, "-c", "copy", path))
    return path


def cut_ts(folder, name):
    """A transport stream that begins and ends anywhere, as a recording does."""
    whole = plain(X264 + "-g 48 -bf 2", "ts")(folder, name + "-whole")
    data = open(whole, "rb").read()
    start = len(data) // 5 // 188 * 188
    return clips.write(folder, name + ".ts", data[start:len(data) * 4 // 5])


def shifted(offset, ext, options=X264 + "-g 24 -bf 2"):
    return plain(f"{options} -output_ts_offset {offset} -avoid_negative_ts disabled", ext)


# name, how it is made, outputs, what a run must say
FILMS = [
    ("avi-b-frames", plain("-c:v mpeg4 -q:v 3 -bf 2 -g 24 -c:a mp3", "avi"), "mkv mp4", ""),
    ("avi-h264-b-frames", plain(X264.replace("aac", "mp3") + "-bf 3 -g 48", "avi"), "mkv", ""),
    ("ts-wraps", shifted(95440, "ts"), "mkv ts", ""),
    ("ts-cut", cut_ts, "mkv", ""),
    ("late-start", shifted(3.5, "mkv"), "mkv mp4", ""),
    ("negative", shifted(-0.5, "mkv"), "mkv mp4", "repaired"),
    ("edit-list", edit_list, "mkv mp4", ""),
    ("intra-refresh", plain(X264 + "-bf 0 -x264-params intra-refresh=1:keyint=48", "mkv"), "mkv", ""),
    ("open-gop", plain(X264 + "-bf 3 -g 24 -x264-params open-gop=1:b-adapt=0", "mp4"), "mp4", ""),
    ("fields", plain(X264 + "-flags +ilme+ildct -g 24 -x264-params interlaced=1", "ts"), "mkv", "interlaced"),
    ("mpeg2-fields", plain("-c:v mpeg2video -flags +ilme+ildct -g 12 -bf 2 -c:a mp2", "ts"), "mkv", "interlaced"),
    ("soft-telecine", plain(X264 + "-r 24 -g 24 -x264-params pulldown=32:fps=24000/1001", "mkv"), "mkv", ""),
    ("sparse", plain(X264 + "-g 48 -vf select='not(between(n\\,30\\,90))' -vsync vfr", "mp4"), "mp4 mkv", ""),
]


def upscale(program, source, output, *options):
    return run(program, "upscale", source, output, "--codec", "ffv1" if output.endswith("mkv") else "libx264", *options,
               "--overwrite", "--fresh", "--progress", "none")


def test_film(program, frames, folder, name, make, outputs, says):
    source = make(folder, name)
    r = run(frames, source)
    check(r.returncode == 0, f"{name}: {r.stdout.strip()}", r.stderr.strip())
    for ext in outputs.split():
        output = os.path.join(folder, f"{name}-out.{ext}")
        r = upscale(program, source, output)
        problems = [r.stderr.strip()] if r.returncode else compare(Seen(source), Seen(output), ext, False)
        if says not in r.stderr:
            problems.append(f"does not say '{says}': {r.stderr}")
        check(not problems, f"{name} -> {ext}", "; ".join(problems))


# --- Pieces ---

PIECE_FILMS = [
    ("piece-closed", plain(X264 + "-g 48 -bf 2", "mp4"), "mkv mp4 ts"),
    ("piece-open", plain(X264 + "-bf 3 -g 24 -x264-params open-gop=1:b-adapt=0", "mkv"), "mkv"),
    ("piece-linear", plain("-c:v mpeg4 -q:v 3 -bf 2 -g 24 -c:a mp3", "avi"), "mkv"),
]


def picture_hashes(path):
    r = run("ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v:0", "-vsync", "0", "-f", "framemd5", "-")
    return [line.split(",")[-1].strip() for line in r.stdout.splitlines() if not line.startswith("#")]


def times(path, stream):
    r = run("ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time,duration_time",
            "-of", "json", path)
    return sorted((float(p["pts_time"]), float(p.get("duration_time", 0))) for p in json.loads(r.stdout)["packets"])


def near(found, wanted):
    """Equal within two of Matroska's ticks."""
    return len(found) == len(wanted) and all(abs(a - b) < 0.0021 for x, y in zip(found, wanted) for a, b in zip(x, y))


def test_pieces(program, folder, name, make, outputs):
    source = make(folder, name)
    whole = os.path.join(folder, name + "-whole.mkv")
    check(upscale(program, source, whole, "--denoise", "0").returncode == 0, f"{name}: the whole film")
    wanted = picture_hashes(whole)[80:80 + 48]  # the first frame at or after 3.3 s is frame 80
    for ext in outputs.split():
        output = os.path.join(folder, f"{name}-out.{ext}")
        r = upscale(program, source, output, "--start", "3.3", "--duration", "0:02.03", "--denoise", "0", "--keep-work")
        check(r.returncode == 0, f"{name} -> {ext}: runs", r.stderr)
        if ext == "mkv":
            check(picture_hashes(output) == wanted, f"{name} -> {ext}: the frames of that time, exactly")
        video, audio = times(output, "v:0"), times(output, "a:0")
        begin, end = video[0][0], video[-1][0] + 1 / 24
        check(len(video) == 48, f"{name} -> {ext}: 48 frames", len(video))
        check(begin - 0.03 < audio[0][0] <= begin + 0.001 and end - 0.03 < audio[-1][0] + 0.03 < end + 0.06,
              f"{name} -> {ext}: sound from {audio[0][0]:.3f} to {audio[-1][0]:.3f}", (begin, end))
        v = run(program, "verify", source, output)
        check(v.returncode == 0, f"{name} -> {ext}: verified from its work folder", v.stdout + v.stderr)
        shutil.rmtree(output + ".kizunasr")
    v = run(program, "verify", source, output)
    check(v.returncode == 6 and "--keep-work" in v.stderr, f"{name}: verify says what it cannot know", v.stderr)


def test_piece_of_texts(program, folder):
    srt = clips.write(folder, "piece.srt", "1\n00:00:00,500 --> 00:00:02,000\nBefore and in\n\n"
                      "2\n00:00:02,500 --> 00:00:03,000\nIn\n\n3\n00:00:05,000 --> 00:00:06,000\nAfter\n\n")
    chapters = clips.write(folder, "piece.txt", ";FFMETADATA1\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1\nSTART={2 * i}\nEND={2 * i + 2}\ntitle=Part {i}\n" for i in range(4)))
    source = os.path.join(folder, "texts.mkv")
    clips.need(clips.ffmpeg(*SOURCE, "-i", srt, "-i", chapters, "-map", "0", "-map", "1", "-map_chapters", "2",
                            "-c:v", "libx264", "-preset", "ultrafast", "-c:s", "copy", source))
    output = os.path.join(folder, "texts-out.mkv")
    r = upscale(program, source, output, "--start", "1", "--duration", "2")
    check(r.returncode == 0, "piece with texts: runs", r.stderr)
    check(near(times(output, "s:0"), [(0.0, 1.0), (1.5, 0.5)]), "subtitles are cut to the piece", times(output, "s:0"))
    r = run("ffprobe", "-v", "error", "-show_chapters", "-of", "json", output)
    found = [(float(c["start_time"]), float(c["end_time"])) for c in json.loads(r.stdout)["chapters"]]
    check(near(found, [(0, 1), (1, 2)]), "chapters are cut to the piece", found)
    for option, value in (("--start", "99"), ("--start", "1:99"), ("--duration", "x"), ("--duration", "0")):
        r = upscale(program, source, os.path.join(folder, "none.mkv"), option, value)
        check(r.returncode == 2 and option[2:] in r.stderr, f"{option} {value} is refused", r.stderr)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--frames", required=True)
    ap.add_argument("--only", default="")
    ap.add_argument("--keep")
    o = ap.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    program, frames = os.path.abspath(o.program), os.path.abspath(o.frames)
    for film in FILMS:
        if o.only in film[0]:
            test_film(program, frames, folder, *film)
    for film in PIECE_FILMS:
        if o.only in film[0]:
            test_pieces(program, folder, *film)
    if o.only in "texts":
        test_piece_of_texts(program, folder)
    if not o.keep:
        shutil.rmtree(folder)
    finish()


if __name__ == "__main__":
    main()
