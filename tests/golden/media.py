#!/usr/bin/env python3
"""Real inputs of many kinds through the program, looked at from outside with ffprobe.

For every input: as many frames out as in, every timestamp equal within the output container's
tick, audio packets equal byte for byte, and the program's own verification passing. Inputs are
made here with the ffmpeg program; nothing is fetched.

  media.py PROGRAM [--frames PROGRAM] [--only WORD] [--keep DIR]

--frames (frames.c beside this) checks for every input that the frames a worker reads when it
enters the film anywhere equal those of one linear decode.

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, shutil, tempfile

from checks import check, finish, run, some

SOURCE = "testsrc2=size=64x36:rate=24:duration=9"
VFR = "select='not(mod(n\\,5))+not(mod(n\\,3))'"
TONE = "sine=frequency=440:sample_rate=48000:duration=9"

X264 = "-c:v libx264 -preset ultrafast -g 24"
# name, ffmpeg output options, container extension of the input, extensions of outputs
INPUTS = [
    ("h264-closed", X264 + " -bf 3 -x264-params open-gop=0 -c:a aac", "mp4", "mp4 mkv"),
    ("h264-open", X264 + " -bf 3 -x264-params open-gop=1:b-adapt=0:bframes=3 -c:a aac", "mkv", "mkv mp4"),
    ("h264-ts", X264 + " -bf 2 -c:a aac", "ts", "mkv mp4 ts"),
    ("h264-vfr", X264 + " -bf 2 -vf " + VFR + " -vsync vfr -c:a aac", "mp4", "mp4 mkv"),
    ("h264-vfr-mkv", X264 + " -bf 2 -vf " + VFR + " -vsync vfr -c:a libopus", "mkv", "mkv mp4"),
    ("h264-10bit", X264 + " -pix_fmt yuv420p10le -c:a flac", "mkv", "mkv"),
    ("h264-444", X264 + " -pix_fmt yuv444p -c:a aac", "mkv", "mkv"),
    ("h264-onekey", "-c:v libx264 -preset ultrafast -g 9999 -sc_threshold 0 -c:a aac", "mp4", "mp4"),
    ("hevc", "-s 64x64 -c:v libx265 -preset ultrafast -x265-params keyint=24:log-level=none -c:a aac", "mp4", "mp4 mkv"),
    ("hevc-open", "-s 64x64 -c:v libx265 -preset ultrafast -x265-params keyint=24:open-gop=1:bframes=4:b-adapt=0:log-level=none -c:a ac3", "mkv", "mkv"),
    ("hevc-ts", "-s 64x64 -c:v libx265 -preset ultrafast -x265-params keyint=24:log-level=none -c:a aac", "ts", "mp4"),
    ("vp9", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 24 -c:a libopus", "webm", "mkv mp4"),
    ("vp9-alt", "-c:v libvpx-vp9 -deadline good -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 16 -g 48 -b:v 200k -c:a libopus", "webm", "mkv"),
    ("vp8", "-c:v libvpx -deadline good -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 16 -g 48 -b:v 300k -c:a libvorbis", "webm", "mkv"),
    ("mpeg2-ts", "-c:v mpeg2video -q:v 3 -g 12 -bf 2 -c:a mp2", "ts", "mkv mp4"),
    ("mpeg2-ps", "-c:v mpeg2video -q:v 3 -g 12 -bf 2 -c:a ac3", "mpg", "mkv"),
    ("mpeg2-mkv", "-c:v mpeg2video -q:v 3 -g 12 -bf 2 -flags -cgop -c:a ac3", "mkv", "mkv mp4"),
    ("mpeg4-avi", "-c:v mpeg4 -q:v 3 -g 24 -bf 2 -c:a mp3", "avi", "mkv mp4"),
    ("h264-avi", X264 + " -bf 2 -c:a mp3", "avi", "mkv"),
    ("av1", "-c:v libaom-av1 -cpu-used 8 -usage realtime -g 24 -c:a libopus", "mkv", "mkv mp4"),
    ("av1-webm", "-s 64x64 -c:v libsvtav1 -preset 12 -g 24 -c:a libopus", "webm", "mkv"),
    ("mjpeg", "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p -c:a pcm_s16le", "mov", "mov mkv"),
    ("prores", "-c:v prores_ks -pix_fmt yuv422p10le -c:a pcm_s16le", "mov", "mov"),
    ("ffv1-rgb", "-c:v ffv1 -pix_fmt bgr0 -c:a flac", "mkv", "mkv"),
    ("odd", "-c:v ffv1 -vf crop=33:17 -c:a aac", "mkv", "mkv"),
    ("silent", X264 + " -an", "mp4", "mp4"),
]


def make_input(folder, name, options, ext):
    path = os.path.join(folder, f"{name}.{ext}")
    picture = SOURCE.replace("64x36", "128x72") if "crop" in options else SOURCE
    args = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", TONE]
    args += ["-shortest"] + options.split() + [path]
    r = run(*args)
    return path, (None if r.returncode == 0 else r.stderr.strip().splitlines()[-1:])


class Seen:
    """What ffprobe tells of a file, in one run: the times of its frames, its audio packets, the tick of its video."""

    def __init__(self, path):
        r = run("ffprobe", "-v", "error", "-show_packets", "-show_frames", "-show_data_hash", "crc32", "-show_entries",
                "packet=codec_type,stream_index,pts_time,data_hash:frame=media_type,pts_time,best_effort_timestamp_time:"
                "stream=index,codec_type,time_base", "-of", "json", path)
        found = json.loads(r.stdout or "{}")
        both = found.get("packets_and_frames", [])
        # Times of the decoded frames in seconds, and (time, data hash) of every packet of the audio.
        self.frames = [float(f.get("pts_time", f.get("best_effort_timestamp_time", "nan"))) for f in both
                       if f["type"] == "frame" and f.get("media_type") == "video"]
        self.audio = [(float(p["pts_time"]), p["data_hash"]) for p in both
                      if p["type"] == "packet" and p["codec_type"] == "audio" and "pts_time" in p]
        base = next((s["time_base"] for s in found.get("streams", []) if s["codec_type"] == "video"), "0/1").split("/")
        self.tick = int(base[0]) / int(base[1])


def compare(source, output, ext, same_audio):
    problems = []
    a, b = source.frames, output.frames
    # Transport streams have no times below zero: all of them start later by the same amount.
    # Nor has Matroska.
    early = bool(a) and (a[0] < 0 or a[0] != a[0])
    known = [(x, y) for x, y in zip(a, b) if x == x]
    shift = known[0][1] - known[0][0] if known and (ext == "ts" or early) else 0
    allowed = source.tick + output.tick
    if len(a) != len(b) or not a:
        problems.append(f"{len(a)} frames in, {len(b)} out")
    else:
        worst = max((abs(y - x - shift) for x, y in zip(a, b) if x == x), default=0)
        if worst > allowed:
            problems.append(f"times differ by up to {worst * 1000:.3f} ms (allowed {allowed * 1000:.3f})")
    p, q = source.audio, output.audio
    if len(p) != len(q):
        problems.append(f"{len(p)} audio packets in, {len(q)} out")
    elif same_audio and [h for _, h in p] != [h for _, h in q]:
        problems.append("audio packets differ")
    worst = max((abs(y[0] - x[0] - shift) for x, y in zip(p, q)), default=0)
    if same_audio and worst > 0.0021:
        problems.append(f"audio times differ by up to {worst * 1000:.3f} ms")
    return problems


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--only", default="")
    ap.add_argument("--keep")
    ap.add_argument("--frames")
    o = ap.parse_args()
    skipped = 0
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    program = os.path.abspath(o.program)
    for name, options, ext, outputs in some(INPUTS):
        if o.only not in name:
            continue
        source, trouble = make_input(folder, name, options, ext)
        if trouble:
            print(f"skip {name}: ffmpeg here cannot make it: {trouble}")
            skipped += 1
            continue
        if o.frames:
            r = run(os.path.abspath(o.frames), source)
            check(r.returncode == 0, f"{name}.{ext}: {r.stdout.strip()}", r.stderr.strip())
        seen = Seen(source)
        for out_ext in outputs.split():
            output = os.path.join(folder, f"{name}.out.{out_ext}")
            r = run(program, "upscale", source, output, "--preset", "ultrafast", "--overwrite", "--fresh", "--progress", "none")
            problems = [] if r.returncode == 0 else [f"status {r.returncode}: {r.stderr.strip()}"]
            if not problems:
                # ADTS headers of transport streams are not part of the packets elsewhere.
                same = not (ext == "ts" and "aac" in options and out_ext != "ts")
                problems = compare(seen, Seen(output), out_ext, same)
                v = run(program, "verify", source, output)
                if v.returncode != 0:
                    problems.append("verify: " + v.stdout.strip() + v.stderr.strip())
            check(not problems, f"{name}.{ext} -> {out_ext}", "; ".join(problems))
    if not o.keep:
        shutil.rmtree(folder)
    finish(skipped)


if __name__ == "__main__":
    main()
