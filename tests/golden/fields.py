#!/usr/bin/env python3
"""Interlaced and telecined films: said, deinterlaced, brought back to film.

What the program makes of a film with a filter must equal, frame for frame, what it makes of the
same film after the ffmpeg program has run that filter over it, from its first frame to its last; a
telecined film must come back as the film it was made from. Times, sound, `verify`, and the same
bytes for any number of workers and threads.

  fields.py PROGRAM --frames PROGRAM

--frames (frames.c beside this) checks that entering the film anywhere gives the same frames.

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, subprocess, tempfile, time

from checks import check, finish, run, some

# All of the picture moves: of what is small or faint, fieldmatch does not see where it belongs.
SHORT = "testsrc=size=64x64:rate=24000/1001,scroll=h=0.03:v=0.02,trim=duration=3"
VIDEO = "testsrc2=size=64x64:rate=50:duration=3"
# Of two segments: longer than 8 s; the film has 200 frames.
FILM = SHORT.replace("duration=3", "duration=8.34")
LONG = VIDEO.replace("duration=3", "duration=8.4")
TONE = "sine=frequency=440:sample_rate=48000"
PULLDOWN = "telecine=first_field=top:pattern=23,setfield=tff"
NEUTRAL = ["--codec", "ffv1", "--denoise", "0", "--progress", "none"]
MPEG2 = "-c:v mpeg2video -pix_fmt yuv420p -flags +ilme+ildct -q:v 2 -g 15 -bf 2"
H264 = "-c:v libx264 -preset ultrafast -bf 2 -g 40 -flags +ilme+ildct -x264-params tff=1"


def make(path, source, filters, options, sound=True):
    args = ["ffmpeg", "-v", "error", "-y", "-cpuflags", "0", "-f", "lavfi", "-i", source]
    args += ["-f", "lavfi", "-i", TONE, "-shortest"] if sound else []
    r = run(*args, *(["-vf", filters] if filters else []), *options.split(), path)
    check(r.returncode == 0, f"{os.path.basename(path)} is made", r.stderr)
    return path


def pull_down(stream):
    """Marks the frames of an MPEG-2 stream as soft telecine does: two and three fields in turn."""
    data, at, group, pictures = bytearray(stream), 0, 0, []
    while (at := data.find(b"\0\0\1", at)) >= 0:
        at += 3
        if data[at] == 0xB3:  # sequence: 30000/1001 frames a second
            data[at + 4] = data[at + 4] & 0xF0 | 4
        elif data[at] == 0xB8:  # group of pictures
            group = len(pictures)
        elif data[at] == 0x00:  # picture, whose number counts in order of presentation
            number = group + (data[at + 1] << 2 | data[at + 2] >> 6)
        elif data[at] == 0xB5 and data[at + 1] >> 4 == 8:  # picture coding extension
            pictures.append((number, at + 4))
    for number, flags in pictures:
        top, repeat = number % 4 < 2, number % 2
        data[flags] = data[flags] & ~0x82 | top << 7 | repeat << 1 | 1
        data[flags + 1] |= 0x80  # both fields were taken together
    return bytes(data)


def md5(path):
    return run("ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-f", "md5", "-").stdout


def frame_md5s(path):
    lines = run("ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-f", "framemd5", "-").stdout.splitlines()
    return [line.split()[-1] for line in lines if line and line[0] != "#"]


def times(path):
    r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "json", path)
    return sorted(float(p["pts_time"]) for p in json.loads(r.stdout)["packets"])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--frames", required=True)
    o = ap.parse_args()
    program, frames = os.path.abspath(o.program), os.path.abspath(o.frames)
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def upscale(source, name, *options):
            r = run(program, "upscale", source, at(name), *options, "--overwrite", "--fresh")
            check(r.returncode == 0, f"{name}: upscale {' '.join(options)}", r.stderr)
            return at(name), r.stderr

        def prefiltered(source, name, graph):
            r = run("ffmpeg", "-v", "error", "-y", "-i", source, "-vf", graph, "-vsync", "0", "-c:v", "ffv1", at(name))
            check(r.returncode == 0, f"{name}: ffmpeg filters it", r.stderr)
            return upscale(at(name), "of-" + name, *NEUTRAL)[0]

        # Every kind of index: by packets, linear, transport stream, 10 bits.
        interlaced = [
            make(at("fields.mpeg2.mkv"), VIDEO, "interlace=scan=tff", MPEG2),
            make(at("fields.h264.mp4"), VIDEO, "interlace=scan=tff", H264),
            make(at("fields.ts"), LONG, "interlace=scan=bff", MPEG2),
            make(at("fields.mov"), VIDEO, "interlace=scan=tff", "-c:v prores_ks -profile:v 2 -flags +ilme+ildct"),
        ]
        for source in some(interlaced):
            name = os.path.basename(source)
            r = run(frames, source, "7", "deinterlace")
            check(r.returncode == 0, f"{name}: deinterlaced from anywhere: {r.stdout.strip()}", r.stderr)
            r = run(program, "probe", source, "--json")
            video = json.loads(r.stdout)["video"]
            check(video["interlaced"] and not video["marked_wrongly"] and not video["telecined"], f"{name}: probe says interlaced", video)
            ours, said = upscale(source, name + ".out.mkv", "--deinterlace", *NEUTRAL)
            check("interlaced" not in said, f"{name}: no warning once it is deinterlaced", said)
            wanted = prefiltered(source, name + ".bwdif.mkv", "bwdif=send_frame:deint=interlaced")
            check(md5(ours) == md5(wanted) != "", f"{name}: as ffmpeg deinterlaces it in one run")
            r = run(program, "verify", source, ours)
            check(r.returncode == 0, f"{name}: verify", r.stdout + r.stderr)
        _, said = upscale(interlaced[0], "combed.mkv", "--preset", "ultrafast")
        check("interlaced" in said and "--deinterlace" in said, "upscale warns of interlaced video", said)

        # A film that says nothing of its fields.
        for scan, options in some((("tff", "-c:v ffv1"), ("bff", "-c:v ffv1 -pix_fmt yuv422p10le"),
                                   ("bff", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25"))):
            what = f"unmarked fields, {scan} {options.split()[1]}"
            plain = make(at("unmarked.mkv"), VIDEO.replace("duration=3", "duration=5"), f"interlace=scan={scan}:lowpass=off,setfield=prog", options, sound=False)
            video = json.loads(run(program, "probe", plain, "--json").stdout)["video"]
            check(video["interlaced"] and video["unmarked_fields"] and not video["telecined"], f"{what}: probe sees them", video)
            r = run(program, "plan", plain, at("unmarked.plan.mkv"), "--fresh")
            check("interlaced although it is not flagged" in r.stderr, f"{what}: plan warns of them", r.stderr)
            ours, said = upscale(plain, "unmarked.out.mkv", "--deinterlace", *NEUTRAL)
            order = {"tff": "top", "bff": "bottom"}[scan]
            check(f"is not flagged as interlaced; deinterlacing every frame, {order} field first" in said, f"{what}: said", said)
            wanted = prefiltered(plain, "unmarked.bwdif.mkv", f"bwdif=send_frame:parity={scan}:deint=all")
            check(md5(ours) == md5(wanted) != "", f"{what}: every frame is done, in its order of fields")
        # Grey is given to bwdif as something else.
        colour = make(at("colour.mkv"), VIDEO, "format=yuv420p10le,interlace=lowpass=off,setfield=tff", "-c:v ffv1", sound=False)
        grey = make(at("grey.mkv"), VIDEO, "format=yuv420p10le,interlace=lowpass=off,setfield=tff,extractplanes=y", "-c:v ffv1", sound=False)
        ours, _ = upscale(grey, "grey.out.mkv", "--deinterlace", *NEUTRAL)
        wanted = prefiltered(colour, "grey.wanted.mkv", "bwdif=send_frame:deint=interlaced,extractplanes=y")
        check(md5(ours) == md5(wanted) != "", "grey of 10 bits: as the luma of a film in colour")
        # A film that says the wrong order of its fields.
        for name, source, filters, option, graph in (
                ("video", VIDEO, "interlace=scan=tff:lowpass=off", "--deinterlace", "bwdif=send_frame:parity=tff"),
                ("film", SHORT, PULLDOWN, "--inverse-telecine", "fieldmatch=order=tff:combmatch=full,bwdif=send_frame:parity=tff:deint=interlaced,decimate")):
            wrong = make(at("wrong.mkv"), source, filters + ",setfield=bff", MPEG2, sound=False)
            ours, said = upscale(wrong, "wrong.out.mkv", option, *NEUTRAL)
            check("flagged as bottom field first, but its frames show top" in said, f"{name}: the wrong order is said", said)
            wanted = prefiltered(wrong, "wrong.wanted.mkv", graph)
            check(md5(ours) == md5(wanted) != "", f"{name}: fields are taken in the order that the pictures show")
        # What only looks a little like it: noise, small moving things, drifting stripes, slow pans.
        for name, source in (("noise", VIDEO + ",noise=alls=60:allf=t"), ("small", "testsrc2=size=64x64:rate=25:duration=4"),
                             ("stripes", "nullsrc=size=64x64:rate=25:duration=4,geq=lum='if(mod(Y+N,2),40,200)':cb=128:cr=128"),
                             ("pan", "testsrc=size=160x120:rate=25:duration=1,loop=-1:1:0,setpts=N/25/TB,scroll=v=0.005,trim=duration=4")):
            plain = make(at("whole.mkv"), source, "", "-c:v ffv1 -t 4", sound=False)
            video = json.loads(run(program, "probe", plain, "--json").stdout)["video"]
            check(not video["interlaced"] and not video["telecined"], f"{name}: is not taken for fields", video)
        # Film on PAL discs is marked as interlaced, and whole.
        marked = make(at("marked.vob"), SHORT.replace("24000/1001", "25"), "setfield=tff", MPEG2, sound=False)
        video = json.loads(run(program, "probe", marked, "--json").stdout)["video"]
        check(video["interlaced"] and video["marked_wrongly"], "whole film marked as interlaced: probe sees it", video)
        r = run(program, "plan", marked, at("marked.mkv"), "--fresh")
        check("examined frames are progressive" in r.stderr and "combing will be visible" not in r.stderr, "marked: nothing to warn of", r.stderr)
        _, said = upscale(marked, "marked.out.mkv", "--deinterlace", *NEUTRAL)
        check("half of their lines are interpolated" in said, "marked: deinterlacing is warned of", said)

        # Telecine and back.
        # Its frames do not say which field is first; the container does.
        hevc = "-c:v libx265 -preset ultrafast -x265-params lossless=1:log-level=error"
        lossless = "-c:v libx264 -preset ultrafast -qp 0 -bf 0 -g 30 -flags +ilme+ildct -x264-params tff=1"
        for depth, options in (("yuv420p", "-c:v ffv1"), ("yuv422p", "-c:v ffv1"), ("yuv440p", "-c:v ffv1"), ("yuv422p12le", "-c:v ffv1"),
                               ("gray10le", "-c:v ffv1"), ("yuv420p10le", lossless), ("yuv422p10le", lossless), ("gbrp10le", "-c:v ffv1"),
                               ("yuv444p10le", hevc)):
            film = make(at("film.mkv"), SHORT, f"format={depth}", "-c:v ffv1", sound=False)
            wanted = frame_md5s(upscale(film, "film.out.mkv", *NEUTRAL)[0])
            soft = make(at("telecined.mkv"), SHORT, f"format={depth}," + PULLDOWN, options, sound=False)
            now = frame_md5s(upscale(soft, "telecined.out.mkv", "--inverse-telecine", *NEUTRAL)[0])
            lost = sum(a != b for a, b in zip(now, wanted))
            what = f"{depth}, {options.split()[1]}"
            check(now == wanted, f"{what}: telecine is undone", f"{len(now)} of {len(wanted)} frames, {lost} differ")
            if options == lossless:
                r = run(frames, soft, "7", "inverse_telecine")
                check(r.returncode == 0, f"{what}: brought back from anywhere: {r.stdout.strip()}", r.stderr)
                r = run(program, "verify", soft, at("telecined.out.mkv"))
                check(r.returncode == 0, f"{what}: verify knows", r.stdout + r.stderr)
        telecined = [make(at(name), FILM, "format=yuv420p," + PULLDOWN, options)
                     for name, options in (("telecined.ts", MPEG2), ("telecined.mp4", H264), ("telecined.mpeg2.mkv", MPEG2))]
        for source in some(telecined):
            name = os.path.basename(source)
            r = run(frames, source, "7", "inverse_telecine")
            check(r.returncode == 0, f"{name}: brought back from anywhere: {r.stdout.strip()}", r.stderr)
            r = run(program, "probe", source, "--json")
            check(json.loads(r.stdout)["video"]["telecined"], f"{name}: probe says telecined", r.stdout)
            ours, _ = upscale(source, name + ".out.mkv", "--inverse-telecine", *NEUTRAL)
            there = prefiltered(source, name + ".ivtc.mkv",
                                "fieldmatch=combmatch=full,bwdif=deint=interlaced:mode=send_frame,decimate")
            check(md5(ours) == md5(there) != "", f"{name}: as ffmpeg brings it back in one run")
            before, after = times(source), times(ours)
            steps = [b - a for a, b in zip(after, after[1:])]
            check(len(after) * 5 == len(before) * 4, f"{name}: four fifths of the frames", f"{len(before)} {len(after)}")
            check(abs(after[0] - before[0]) < 0.0011 and max(abs(s - 1001 / 24000) for s in steps) < 0.0021,
                  f"{name}: even times", f"{after[:3]} {min(steps)} {max(steps)}")
            check(all(abs(after[i] - before[i * 5 // 4]) < 0.0011 for i in range(0, len(after), 4)),
                  f"{name}: every fifth time stands")
            r = run(program, "verify", source, ours)
            check(r.returncode == 0, f"{name}: verify knows", r.stdout + r.stderr)
        _, said = upscale(at("telecined.ts"), "combed2.mkv", "--preset", "ultrafast")
        check("telecine" in said and "--inverse-telecine" in said, "upscale warns of telecined video", said)

        # Soft telecine: flags repeat fields, the frames are whole. Here, telecined ones follow, as on many discs.
        for name, filters, options in (("soft.m2v", "", MPEG2.replace("+ilme+ildct", "+ilme")), ("hard.m2v", PULLDOWN, MPEG2)):
            make(at(name), SHORT, filters, options, sound=False)
        with open(at("hybrid.m2v"), "wb") as f:
            f.write(pull_down(open(at("soft.m2v"), "rb").read()) + open(at("hard.m2v"), "rb").read())
        hybrid = at("hybrid.vob")
        r = run("ffmpeg", "-v", "error", "-y", "-fflags", "+genpts", "-i", at("hybrid.m2v"), "-c", "copy", "-f", "vob", hybrid)
        check(r.returncode == 0, "hybrid.vob is made", r.stderr)
        r = run(program, "probe", at("soft.m2v"), "--json")
        check(not json.loads(r.stdout)["video"]["soft_telecine"], "soft.m2v: no flags yet", r.stdout)
        r = run(program, "probe", hybrid, "--json")
        video = json.loads(r.stdout)["video"]
        check(video["soft_telecine"] and not video["unmarked_fields"], "hybrid: probe says what it is", video)
        r = run(frames, hybrid, "11", "inverse_telecine")
        check(r.returncode == 0, f"hybrid: brought back from anywhere: {r.stdout.strip()}", r.stderr)
        ours, said = upscale(hybrid, "hybrid.out.mkv", "--inverse-telecine", *NEUTRAL)
        plain, _ = upscale(hybrid, "hybrid.plain.mkv", *NEUTRAL)
        check("144 of 162 frames are kept" in said, "hybrid: no frame of the soft part is left out", said)
        check(frame_md5s(ours)[:72] == frame_md5s(plain)[:72], "hybrid: those of the soft part are as they were")
        after = times(ours)
        off = max(abs(t - after[0] - i * 1001 / 24000) for i, t in enumerate(after))
        check(off < 0.02, "hybrid: even times", off)
        r = run(program, "verify", hybrid, ours, "--inverse-telecine")
        check(r.returncode == 0, "hybrid: verify", r.stdout + r.stderr)

        # Refusals, before any work.
        palette = make(at("palette.avi"), "testsrc2=size=64x64:rate=30000/1001:duration=1", "format=pal8", "-c:v rawvideo", sound=False)
        for what, source, options in (
                ("both filters", soft, ["--deinterlace", "--inverse-telecine"]),
                ("inverse telecine of a palette", palette, ["--inverse-telecine"])):
            r = run(program, "upscale", source, at("no.mkv"), *options, "--progress", "none")
            check(r.returncode == 2 and not os.path.exists(at("no.mkv")) and not os.path.exists(at("no.mkv.kizunasr")),
                  f"{what}: exit 2 before any work", f"{r.returncode} {r.stderr}")

        # The same bytes.
        for name, options in some((("fields.ts", ["--deinterlace"]), ("telecined.mp4", ["--inverse-telecine"]))):
            options += ["--preset", "ultrafast", "--temporal", "--progress", "none"]
            reference = None
            for more in (["--workers", "1", "--threads", "1"], ["--workers", "2", "--threads", "3"], ["--cpu", "c"]):
                path, _ = upscale(at(name), "same.mkv", *options, *more)
                data = open(path, "rb").read()
                reference = reference or data
                check(data == reference, f"{name}: same bytes with {' '.join(more)}")
            os.remove(at("same.mkv"))
            for delay in (0.2, 0.4):
                p = subprocess.Popen([program, "upscale", at(name), at("same.mkv"), *options, "--workers", "1"], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
                time.sleep(delay)
                p.kill()
                p.wait()
                whole = not os.path.exists(at("same.mkv")) or open(at("same.mkv"), "rb").read() == reference
                check(whole, f"{name}: killed after {delay} s")
                if os.path.exists(at("same.mkv")):  # it was quicker
                    os.remove(at("same.mkv"))
            r = run(program, "upscale", at(name), at("same.mkv"), *options)
            check(r.returncode == 0 and open(at("same.mkv"), "rb").read() == reference, f"{name}: same bytes after kill -9", r.stderr)
            os.remove(at("same.mkv"))
            run(program, "plan", at(name), at("same.mkv"), *options, "--fresh")
            for n in ("1", "0"):
                r = run(program, "work", at("same.mkv.kizunasr"), "--segment", n)
                check(r.returncode == 0, f"{name}: segment {n} alone", r.stderr)
            run(program, "join", at("same.mkv.kizunasr"))
            check(os.path.exists(at("same.mkv")) and open(at("same.mkv"), "rb").read() == reference,
                  f"{name}: same bytes from segments made in another order")
    finish()


if __name__ == "__main__":
    main()
