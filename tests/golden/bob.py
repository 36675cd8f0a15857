#!/usr/bin/env python3
"""One frame of each field, and videos whose packets or frames are single fields.

A white square moves in every field. The output must show it where it was at that field's time, and must be,
frame for frame, what the ffmpeg program makes of the same input with bwdif=send_field: as many frames, at
the same times, with the same samples. Then every way to run gives the same bytes, and verify knows.

  bob.py PROGRAM --frames PROGRAM

--frames (frames.c beside this) checks that entering the video anywhere gives the same frames.

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, subprocess, tempfile, time

import colour, fields, h264
from checks import check, finish, run

NEUTRAL = ["--codec", "ffv1", "--denoise", "0", "--progress", "none", "--overwrite", "--fresh"]
FAST = ["--preset", "ultrafast", "--progress", "none"]
FIELD = ["--deinterlace", "field"]
MPEG2 = "-c:v mpeg2video -flags +ilme+ildct -q:v 2 -g 10 -bf 2"
X264 = "-c:v libx264 -preset ultrafast -qp 0 -g 10 -bf 2 -x264-params "
STEP = 3  # pixels that the square moves from field to field


def moving(rate, fields):
    """A source in which frame N shows a white square at STEP * N, taken as field N."""
    square = f"lum='if(between(X,mod({STEP}*N,48),mod({STEP}*N,48)+11)*between(Y,10,37),235,16)':cb=128:cr=128"
    return f"nullsrc=size=64x48:rate={rate},trim=end_frame={fields},geq={square}"


def mpeg2_fields(data):
    """Makes fields of the intra frames of an MPEG-2 stream, in whatever container: of two in turn the top
    and the bottom one of a frame of twice the height. No byte moves."""
    data, count, at = bytearray(data), 0, 0
    while (at := data.find(b"\0\0\1", at)) >= 0:
        kind, at, second = data[at + 3], at + 4, count % 2 == 1
        extension = data[at] >> 4 if kind == 0xB5 else 0
        if kind == 0xB3 and not second:  # sequence: height and rate
            height = ((data[at + 1] & 15) << 8 | data[at + 2]) * 2
            data[at + 1:at + 4] = data[at + 1] & 0xF0 | height >> 8, height & 255, data[at + 3] & 0xF0 | 3
        elif extension == 1:  # not progressive
            data[at + 1] &= ~8
        elif kind == 0:  # picture: both fields have one number
            data[at:at + 2] = count // 2 >> 2 & 255, data[at + 1] & 0x3F | (count // 2 & 3) << 6
        elif extension == 8:  # picture coding: structure; no flags of whole frames
            data[at + 2] = data[at + 2] & ~3 | (2 if second else 1)
            data[at + 3] &= ~0xC3
            data[at + 4] &= ~0x80
            count += 1
        if kind == 0xB8 or second and (kind == 0xB3 or extension == 1):  # stuffing instead
            end = data.find(b"\0\0\1", at)
            data[at - 4:end] = bytes(end - at + 4)
    return bytes(data)


class Bench:
    def __init__(self, program, frames, folder):
        self.program, self.entries, self.folder = program, frames, folder

    def at(self, name):
        return os.path.join(self.folder, name)

    def ffmpeg(self, *args):
        r = run("ffmpeg", "-nostdin", "-v", "error", "-y", "-cpuflags", "0", *args, cwd=self.folder)
        check(r.returncode == 0, f"{args[-1]} is made", r.stderr)
        return self.at(args[-1])

    def make(self, name, source, filters, options):
        return self.ffmpeg("-f", "lavfi", "-i", source, "-vf", filters + ",format=yuv420p" * ("format" not in filters), *options.split(), name)

    def kizunasr(self, *args, wanted=0, what=""):
        r = run(self.program, *args, cwd=self.folder)
        check(r.returncode == wanted, f"{what or ' '.join(args)}: exit status {wanted}", r.stdout + r.stderr)
        return r

    def packets(self, name):
        r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0", self.at(name))
        return sorted(float(line.strip(",")) for line in r.stdout.split())

    def rate(self, name):
        return run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=r_frame_rate", "-of", "csv=p=0", self.at(name)).stdout.split()[0].strip(",")

    def rows(self, name, width, height):
        """The middle row of every frame."""
        r = subprocess.run(["ffmpeg", "-v", "error", "-i", self.at(name), "-map", "0:v:0", "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                           capture_output=True, check=True)
        size, middle = width * height, width * (height // 2)
        return [r.stdout[i + middle:i + middle + width] for i in range(0, len(r.stdout), size)]

    def md5s(self, name):
        lines = run("ffmpeg", "-v", "error", "-i", self.at(name), "-map", "0:v:0", "-vsync", "0", "-f", "framemd5", "-").stdout.splitlines()
        return [line.split()[-1] for line in lines if line and line[0] != "#"]

    def both(self, source, parity="auto", deint="interlaced", options=()):
        """Upscales with one frame of each field, and what ffmpeg makes of the fields. Returns what was said."""
        said = self.kizunasr("upscale", source, "out.mkv", *NEUTRAL, *FIELD, *options, what=f"{source}: upscale").stderr
        self.ffmpeg("-i", source, "-map", "0:v:0", "-vf", f"bwdif=send_field:{parity}:{deint}", "-vsync", "0", "-c:v", "ffv1", "wanted.nut")
        self.kizunasr("upscale", "wanted.nut", "wanted.mkv", *NEUTRAL)
        return said

    def same(self, source, **how):
        """The output has the frames and times of what ffmpeg makes."""
        said = self.both(source, **how)
        ours, wanted = self.packets("out.mkv"), self.packets("wanted.nut")
        off = max((abs(a - ours[0] - b + wanted[0]) for a, b in zip(ours, wanted)), default=1)
        check(len(ours) == len(wanted) and off < 0.00101, f"{source}: {len(wanted)} frames at their times", f"{len(ours)}, {off}")
        check(self.md5s("out.mkv") == self.md5s("wanted.mkv"), f"{source}: the frames that ffmpeg makes of the fields")
        self.kizunasr("verify", source, "out.mkv", *(FIELD if how.get("deint") == "all" else []), what=f"{source}: verify knows")
        return said


# --- Motion and time ---

def check_motion(b):
    """The square is where it was when the field was taken, in both orders of fields and at both rates."""
    for name, rate, order, options in (("tff.mkv", 50, "tff", MPEG2), ("bff.mp4", "60000/1001", "bff", X264 + "bff=1"),
                                       ("tff.avi", 50, "tff", "-c:v utvideo")):
        b.make(name, moving(rate, 24), f"interlace=scan={order}:lowpass=off,setfield={order}", options)
        b.same(name, **({} if "utvideo" not in options else {"parity": "tff", "deint": "all"}))
        rows = b.rows("out.mkv", 128, 96)
        # At both ends of the film, and where the square jumps back, bwdif has less to go by.
        places = [next((x for x in range(128) if row[x] > 125), -9) / 2 for row in rows]
        off = [abs(p - STEP * n % 48) for n, p in enumerate(places) if 2 <= n < 14]
        check(len(rows) == 24 and max(off) <= 1, f"{name}: every field shows its own position", places)
        r = run(b.entries, b.at(name), "5", "field")
        check(r.returncode == 0, f"{name}: entered anywhere: {r.stdout.strip()}", r.stderr)
    b.kizunasr("upscale", "tff.mkv", "out.mp4", *FAST, *FIELD, "--overwrite")
    fps = b.rate("tff.mkv"), b.rate("out.mp4")
    check(fps == ("25/1", "50/1"), "the rate is twice that of the input", fps)


def check_times(b):
    """Odd ticks, variable rates, repeated fields, pauses."""
    frames = 14
    b.make("ticks.mkv", moving(50, 2 * frames), "interlace=lowpass=off,setfield=tff", X264 + "tff=1")
    # One tick for a frame: halves need finer ticks. Then frames of 1, 2, 3, 1, 2, 3 ... ticks of 1/25 s.
    b.ffmpeg("-i", "ticks.mkv", "-c", "copy", "-video_track_timescale", "25", "even.mp4")
    b.ffmpeg("-f", "lavfi", "-i", moving(50, 2 * frames), "-vf", "interlace=lowpass=off,setfield=tff,settb=1/25,setpts=floor(N/3)*6+mod(N\\,3)*(mod(N\\,3)+1)/2,format=yuv420p",
             "-vsync", "0", "-enc_time_base", "1/25", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-x264-params", "tff=1", "-video_track_timescale", "25", "vfr.mp4")
    b.same("vfr.mp4")
    for name in ("even.mp4", "vfr.mp4"):
        b.kizunasr("upscale", name, "out.mp4", *FAST, *FIELD, "--overwrite")
        ours, source = b.packets("out.mp4"), b.packets(name)
        ends = source[1:] + [source[-1] + 0.04]
        wanted = [t for start, end in zip(source, ends) for t in (start, (start + end) / 2)]
        check([round(t * 50) for t in ours[:-1]] == [round(t * 50) for t in wanted[:-1]], f"{name}: halves of every length", f"{ours} {wanted}")
    b.kizunasr("upscale", "vfr.mp4", "no.mkv", *FAST, *FIELD, "--cfr", wanted=2)
    # A frame before a pause is not shown for half of it.
    b.make("pause.mkv", moving(50, 16), "interlace=lowpass=off,setfield=tff,setpts=PTS+gte(N\\,4)*3/TB", X264 + "tff=1 -vsync 0")
    b.kizunasr("upscale", "pause.mkv", "out.mkv", *FAST, *FIELD, "--overwrite")
    wanted = [20 * n + 3000 * (n > 7) for n in range(16)]
    check([round(t * 1000) for t in b.packets("out.mkv")] == wanted, "pause: both fields before it are shown before it", b.packets("out.mkv"))
    b.make("ntsc.mkv", moving("60000/1001", 24), "interlace=lowpass=off,setfield=tff", MPEG2)
    b.kizunasr("upscale", "ntsc.mkv", "out.mp4", *FAST, *FIELD, "--cfr", "--overwrite")
    check(b.rate("out.mp4") == "60000/1001" and all(abs(t - n * 1001 / 60000) < 0.00002 for n, t in enumerate(b.packets("out.mp4"))),
          "--cfr: exact times at twice the rate that milliseconds hid", b.packets("out.mp4"))
    b.kizunasr("verify", "ntsc.mkv", "out.mp4", what="--cfr: verify sees it")


def check_mixed(b):
    """Whole frames among interlaced ones stay as they are, and are there for both halves."""
    b.make("whole.ts", moving(25, 8), "setfield=prog", X264 + "bff=0")
    b.make("late.ts", moving(50, 16), "interlace=lowpass=off,setfield=tff", X264 + "tff=1 -output_ts_offset 0.32")
    with open(b.at("mixed.ts"), "wb") as f:
        f.write(open(b.at("whole.ts"), "rb").read() + open(b.at("late.ts"), "rb").read())
    b.both("mixed.ts")
    ours, wanted = b.md5s("out.mkv"), b.md5s("wanted.mkv")
    check(len(ours) == 32 and len(wanted) == 24, "mixed: two frames of each, whole ones too", f"{len(ours)} {len(wanted)}")
    check(ours[0:16:2] == ours[1:16:2] == wanted[:8] and ours[16:] == wanted[8:], "mixed: whole frames come twice, as they were")
    steps = [round((y - x) * 1000) for x, y in zip(b.packets("out.mkv"), b.packets("out.mkv")[1:])]
    check(set(steps) == {20}, "mixed: the rate is even", steps)
    b.kizunasr("verify", "mixed.ts", "out.mkv", *FIELD)


    # Flags that repeat fields of whole frames; FFmpeg leaves an interlaced frame beside such a one whole too.
    for name, filters, options in (("soft.m2v", "null", "-c:v mpeg2video -flags +ilme -q:v 2 -bf 2"), ("hard.m2v", "interlace=lowpass=off,setfield=tff", MPEG2)):
        b.make(name, moving(24, 16), filters, options)
    with open(b.at("flags.m2v"), "wb") as f:
        f.write(fields.pull_down(read(b, "soft.m2v")) + read(b, "hard.m2v"))
    b.ffmpeg("-fflags", "+genpts", "-i", "flags.m2v", "-c", "copy", "-f", "vob", "flags.vob")
    b.kizunasr("upscale", "flags.vob", "out.mkv", *NEUTRAL, *FIELD)
    ours = b.md5s("out.mkv")
    check(len(ours) == 48 and ours[0:32:2] == ours[1:32:2] and len(set(ours[34:])) == 14, "repeated fields: two frames of each", len(ours))
    steps = [round((y - x) * 1000) for x, y in zip(b.packets("out.mkv"), b.packets("out.mkv")[1:])]
    check(set(steps[:28]) <= {16, 17, 25} and 12 <= steps[:28].count(25) <= 16, "repeated fields: two and three fields are halved", steps)
    b.kizunasr("verify", "flags.vob", "out.mkv")
    r = run(b.entries, b.at("flags.vob"), "7", "field")
    check(r.returncode == 0, f"repeated fields: entered anywhere: {r.stdout.strip()}", r.stderr)


def check_captions(b):
    captioned = colour.make_captioned(b.folder, "cc.ts", 0.5)
    b.kizunasr("upscale", "cc.ts", "cc.mkv", *FAST, *FIELD)
    wanted, ours = colour.captions(captioned), colour.captions(b.at("cc.mkv"))
    check(len(wanted) == 12 and ours == wanted, "closed captions are there once", f"{wanted} {ours}")


# --- Every way to run ---

def check_runs(b):
    """Cuts at fields, segments, workers, kill and resume: the same bytes; dry run, preview, report, records."""
    b.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=9", "-f", "lavfi", "-i", "sine=440:r=48000:d=9", "-vf", "interlace=lowpass=off,format=yuv420p",
             *f"{X264}tff=1 -g 100 -c:a aac".split(), "long.ts")
    plan = json.loads(b.kizunasr("upscale", "long.ts", "dry.mkv", *FAST, *FIELD, "--dry-run", "--json").stdout)
    borders = [s["first_frame"] for s in plan["segments"][1:]]
    check(plan["frames"] == 90 and borders == [45], "dry run counts frames of fields; a border at a second field", f'{plan["frames"]} {borders}')
    b.kizunasr("upscale", "long.ts", "one.mkv", *FAST, *FIELD, "--temporal", "--workers", "1", "--threads", "1", "--provenance", "one.json")
    reference = read(b, "one.mkv")
    check(json.loads(read(b, "one.json"))["input"]["frames"] == 90, "the record counts frames of fields")
    same = ["upscale", "long.ts", "same.mkv", *FAST, *FIELD, "--temporal"]
    b.kizunasr(*same, "--workers", "2", "--threads", "2")
    check(read(b, "same.mkv") == reference, f"two workers, borders at {borders}: same bytes")
    os.remove(b.at("same.mkv"))
    b.kizunasr("plan", *same[1:], "--fresh")
    b.kizunasr("work", "same.mkv.kizunasr", "--segment", str(len(borders)))
    p = subprocess.Popen([b.program, *same, "--workers", "1"], cwd=b.folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(0.1)
    p.kill()
    p.wait()
    b.kizunasr(*same)
    check(read(b, "same.mkv") == reference, "killed and resumed: same bytes")
    r = b.kizunasr("verify", "long.ts", "same.mkv", "--provenance", "one.json")
    check("90 expected" in r.stdout and "audio stream 1: all" in r.stdout, "verify by the record; audio is the same", r.stdout)
    # A piece that begins with the second field of a frame.
    b.kizunasr("upscale", "long.ts", "all.mkv", *NEUTRAL, *FIELD)
    whole = b.md5s("all.mkv")
    check(len(set(whole)) == 90, "and the segments of one go: every frame is another")
    b.ffmpeg("-i", "long.ts", "-map", "0:v", "-vf", "bwdif=send_field", "-c:v", "ffv1", "bob.mkv")
    b.kizunasr("upscale", "bob.mkv", "wanted.mkv", *NEUTRAL)
    check(whole == b.md5s("wanted.mkv"), "frames on both sides of the border are what ffmpeg makes in one go")
    for start in ("1.1", "5.0"):
        cut = b.kizunasr("upscale", "long.ts", "cut.mkv", *NEUTRAL, *FIELD, "--start", start, "--duration", "0.7")
        first = round(float(start) * 10)
        check(b.md5s("cut.mkv") == whole[first:first + 7], f"--start {start}: the frames from {first} on", cut.stderr)
        b.kizunasr("verify", "long.ts", "cut.mkv", "--start", start, "--duration", "0.7", *FIELD)
    b.kizunasr("report", "long.ts", "same.mkv", "-o", "page.html", "--provenance", "one.json")
    r = json.loads(b.kizunasr("preview", "long.ts", *FAST, *FIELD, "-o", "samples", "--samples", "1", "--json").stdout)
    check(r["film_frames"] == 90, "preview counts frames of fields", r)


def read(b, name):
    with open(b.at(name), "rb") as file:
        return file.read()


def check_formats(b):
    """All that bwdif takes, grey as the luma of something else."""
    for depth in ("yuv444p16le", "gray10le"):
        b.make("depth.mkv", moving(50, 8), f"interlace=lowpass=off,setfield=tff,format={depth}", "-c:v ffv1")
        if depth != "gray10le":
            b.same("depth.mkv", parity="tff", deint="interlaced")
        else:
            b.kizunasr("upscale", "depth.mkv", "out.mkv", *NEUTRAL, *FIELD)
            check(len(b.packets("out.mkv")) == 8, "grey of 10 bits: a frame of each field")


def check_images(b):
    b.make("still.png", moving(50, 2), "interlace=lowpass=off,format=rgb24", "-frames:v 1")
    r = b.kizunasr("upscale", "still.png", "two.png", *FIELD, wanted=2)
    check("use --deinterlace frame" in r.stderr and not os.path.exists(b.at("two.png")), "one image has no room for both fields", r.stderr)
    b.kizunasr("upscale", "still.png", "two%d.png", *FIELD)
    check(os.path.exists(b.at("two2.png")), "an image sequence has")
    b.make("in%02d.png", moving(50, 16), "interlace=lowpass=off,format=rgb24", "")
    b.kizunasr("upscale", "in%02d.png", "out.mp4", *FAST, *FIELD, "--framerate", "25", "--overwrite")
    check(b.rate("out.mp4") == "50/1" and len(b.packets("out.mp4")) == 16, "an image sequence at twice its rate", b.rate("out.mp4"))
    b.kizunasr("verify", "in%02d.png", "out.mp4", *FIELD)


def check_refusals(b):
    for mode in ([], ["field"]):
        r = b.kizunasr("upscale", "tff.mkv", "no.mkv", "--deinterlace", *mode, "--inverse-telecine", wanted=2)
        said = [line for line in r.stderr.splitlines() if "error" in line]
        check(len(said) == 1 and f"--deinterlace{' field' * len(mode)} for interlaced video" in said[0] and not os.path.exists(b.at("no.mkv.kizunasr")),
              "both filters: one line says what to type", r.stderr)
    r = b.kizunasr("config", "--deinterlace=fields", wanted=2)
    check("did you mean field?" in r.stderr, "a wrong value is told", r.stderr)
    # A progressive video with twice its frames is no output of this option.
    b.make("film.mkv", moving(25, 16), "null", X264 + "bframes=0")
    b.make("twice.mkv", moving(25, 16), "fps=50", X264 + "bframes=0")
    b.kizunasr("verify", "film.mkv", "twice.mkv", wanted=6)
    for value, wanted in (("field", "field"), ("frame", True), ("no", False), ("yes", True)):
        r = b.kizunasr("config", f"--deinterlace={value}")
        check(json.loads(r.stdout)["pipeline"]["deinterlace"] == wanted, f"--deinterlace={value}: {wanted}", r.stdout)
        with open(b.at("settings.json"), "w", encoding="utf-8") as file:
            file.write(r.stdout)
        check(b.kizunasr("config", "--config", "settings.json").stdout == r.stdout, f"--deinterlace={value}: read back from a file")


# --- Fields that are packets, or frames ---

def check_coded_fields(b):
    h264_units = b"".join(h264.paff(12, 6))
    with open(b.at("paff.h264"), "wb") as file:
        file.write(h264_units)
    b.ffmpeg("-fflags", "+genpts", "-i", "paff.h264", "-c", "copy", "paff.ts")
    b.ffmpeg("-i", "paff.ts", "-c", "copy", "paff.mp4")
    # Intra frames of half the height, whose packets become fields.
    for name, options in (("half.mkv", "-c:v"), ("half.avi", "-c:v"), ("half.m2v", "-c:v")):
        b.make(name, "testsrc2=size=64x32:rate=50:duration=0.48", "null", f"{options} mpeg2video -g 1 -bf 0 -q:v 2")
        with open(b.at(name.replace("half", "fields")), "wb") as file:
            file.write(mpeg2_fields(read(b, name)))
    b.ffmpeg("-fflags", "+genpts", "-r", "25", "-i", "fields.m2v", "-c", "copy", "fields.ts")
    for name in ("paff.ts", "paff.mp4", "fields.mkv", "fields.avi", "fields.ts", "fields.m2v"):
        video = json.loads(b.kizunasr("probe", name, "--json").stdout)["video"]
        check(video["frames"] == 12 and video["interlaced"] and not video["undecodable_frames"], f"{name}: 12 frames of 24 fields", video)
        if name in ("paff.mp4", "fields.ts", "fields.m2v"):
            continue
        said = b.both(name)
        ours = b.packets("out.mkv")
        steps = {round((y - x) * 1000) for x, y in zip(ours, ours[1:])}
        check(len(ours) == 24 and steps == {20}, f"{name}: a frame of each field, every 20 ms", f"{len(ours)} {steps} {said}")
        check(b.md5s("out.mkv") == b.md5s("wanted.mkv"), f"{name}: those that ffmpeg makes")
    r = run(b.entries, b.at("fields.mkv"), "5", "field")
    check(r.returncode == 0, f"fields.mkv: entered anywhere: {r.stdout.strip()}", r.stderr)


def check_hevc_fields(b):
    """HEVC has single fields as frames; wrongly marked whole frames are told apart."""
    x265 = "-c:v libx265 -preset ultrafast -x265-params log-level=error:crf=20:interlace="
    for order in ("tff", "bff"):
        b.make("fields.hevc.mkv", "testsrc2=size=64x64:rate=50:duration=0.6", f"interlace=scan={order}:lowpass=off,separatefields", x265 + order)
        video = json.loads(b.kizunasr("probe", "fields.hevc.mkv", "--json").stdout)["video"]
        check(video["single_fields"] and video["frames"] == 30, f"HEVC {order}: probe tells of single fields", video)
        r = b.kizunasr("upscale", "fields.hevc.mkv", "out.mkv", *FAST, "--overwrite")
        weave = {"tff": "weave=top", "bff": "weave=bottom"}[order]
        check("a single field" in r.stderr and weave in r.stderr and "combing" not in r.stderr, f"HEVC {order}: said", r.stderr)
        for options in (FIELD, ["--inverse-telecine"]) if order == "tff" else (["--deinterlace"],):
            r = b.kizunasr("upscale", "fields.hevc.mkv", "no.mkv", *FAST, *options, wanted=2)
            check(weave in r.stderr, f"HEVC {order} {' '.join(options)}: refused with what to type", r.stderr)
        b.ffmpeg("-i", "fields.hevc.mkv", "-map", "0", "-c", "copy", "-c:v", "ffv1", "-vf", weave, "joined.mkv")
        b.kizunasr("upscale", "joined.mkv", "out.mkv", *FAST, *FIELD, "--overwrite")
        check(len(b.packets("out.mkv")) == 30, f"HEVC {order}: and that works")
    b.make("marked.hevc.mkv", "testsrc2=size=64x64:rate=50:duration=1", "interlace=lowpass=off", x265 + "tff")
    b.same("marked.hevc.mkv", parity="tff")
    check(len(b.packets("out.mkv")) == 50, "HEVC: whole frames that are marked as fields")


def check_size_changes(b):
    """Telecine and fields across a change of size: everything is brought to the first size before."""
    film = "testsrc=size={}:rate=24000/1001,scroll=h=0.03:v=0.02,trim=duration=1.2"
    for name, sizes, filters, options, wanted in (
            ("telecine", ("64x48", "96x64"), "telecine=first_field=top:pattern=23,setfield=tff", ["--inverse-telecine"], None),
            ("fields", ("64x48", "96x64"), "tinterlace=interleave_top,setfield=tff", FIELD, 2)):
        count = 0
        with open(b.at("sizes.ts"), "wb") as out:
            for i, size in enumerate(sizes):
                b.make(f"size{i}.ts", film.format(size), filters, X264 + f"tff=1 -output_ts_offset {i * 1.2}")
                out.write(read(b, f"size{i}.ts"))
                count += len(b.packets(f"size{i}.ts"))
        r = b.kizunasr("upscale", "sizes.ts", "out.mkv", *NEUTRAL, *options, what=f"size changes, {name}: upscale")
        ours = len(b.packets("out.mkv"))
        right = ours == wanted * count if wanted else abs(ours - count * 4 / 5) <= 2
        check(right and sizes[0] in r.stderr, f"size changes, {name}: {count} frames in, {ours} out", r.stderr)
        b.kizunasr("verify", "sizes.ts", "out.mkv", *options, what=f"size changes, {name}: verify")
        r = run(b.entries, b.at("sizes.ts"), "7", {"--inverse-telecine": "inverse_telecine"}.get(options[0], "field"))
        check(r.returncode == 0, f"size changes, {name}: entered anywhere: {r.stdout.strip()}", r.stderr)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--frames", required=True)
    o = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(os.path.abspath(o.program), os.path.abspath(o.frames), folder)
        for test in (check_motion, check_times, check_mixed, check_captions, check_runs, check_formats, check_images, check_refusals,
                     check_coded_fields, check_hevc_fields, check_size_changes):
            test(b)
    finish()


if __name__ == "__main__":
    main()
