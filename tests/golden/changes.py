#!/usr/bin/env python3
"""Videos whose frames change their kind midway: size, pixel format, depth, range, matrix, aspect, fields.

Every frame must come out at the size and in the format of the first, with the right colours, in its
place and at its time; plan, probe and the dry run say where the change is; verify measures the same.

  changes.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, subprocess, sys, tempfile

import clips
from checks import check, finish, run

RATE, LENGTH = 10, 0.5  # of a part
RED, GREEN, BLUE = 200, 40, 80
FAST = ("--workers", "1", "--threads", "1", "--progress", "none")
MATRICES = {"bt601": (0.299, 0.114, "smpte170m"), "bt709": (0.2126, 0.0722, "bt709")}

# name: encoder, pixel format, size, matrix, range, pixel aspect
KINDS = {
    "420": ("libx264", "yuv420p", "64x48", "bt601", "tv", "1/1"),
    "444": ("libx264", "yuv444p", "64x48", "bt601", "tv", "1/1"),
    "422": ("libx264", "yuv422p", "64x48", "bt601", "tv", "1/1"),
    "10bit": ("libx264", "yuv420p10le", "64x48", "bt601", "tv", "1/1"),
    "full": ("libx264", "yuv420p", "64x48", "bt601", "pc", "1/1"),
    "709": ("libx264", "yuv420p", "64x48", "bt709", "tv", "1/1"),
    "709full444": ("libx264", "yuv444p", "64x48", "bt709", "pc", "1/1"),
    "rgb": ("libx264rgb", "rgb24", "64x48", "bt709", "pc", "1/1"),
    "grey": ("libx264", "gray", "64x48", "bt601", "tv", "1/1"),
    "large": ("libx264", "yuv420p", "192x144", "bt601", "tv", "1/1"),
    "large10": ("libx264", "yuv422p10le", "192x144", "bt709", "tv", "1/1"),
    "small": ("libx264", "yuv420p", "32x24", "bt601", "tv", "1/1"),
    "tiny": ("libx264", "yuv420p", "16x16", "bt601", "tv", "1/1"),
    "wide": ("libx264", "yuv420p", "64x48", "bt601", "tv", "4/3"),
    "704": ("mpeg2video", "yuv420p", "176x144", "bt601", "tv", "1/1"),
    "720": ("mpeg2video", "yuv420p", "192x144", "bt601", "tv", "1/1"),
}


def ffmpeg(*args):
    trouble = clips.ffmpeg(*args)
    check(not trouble, "an input is made", trouble)


def part(folder, kind, number, source=None, extra=()):
    """One piece of a video as TS whose times follow those of the pieces before."""
    codec, pixels, size, matrix, rng, aspect = KINDS[kind]
    path = os.path.join(folder, f"{kind}-{number}{'-moving' if source else ''}.ts")
    if os.path.exists(path):
        return path
    tags = ["-color_range", rng] + ([] if "rgb" in codec else ["-colorspace", MATRICES[matrix][2]])
    rate, length = (25, 0.48) if codec == "mpeg2video" else (RATE, LENGTH)
    source = source or f"color=0x{RED:02x}{GREEN:02x}{BLUE:02x}"
    convert = "" if "rgb" in codec else f"scale=out_color_matrix={matrix}:out_range={rng}:flags=accurate_rnd,"
    filters = f"{convert}format={pixels},setsar={aspect}" + "".join("," + f for f in [clips.colour_filter(tags)] if f)
    options = ["-bf", "0"] if codec == "mpeg2video" else ["-preset", "ultrafast", "-qp", "0"]
    ffmpeg("-f", "lavfi", "-i", f"{source}{':' if '=' in source else '='}size={size}:rate={rate}:duration={length}",
           "-vf", filters, *tags, "-c:v", codec, *options, *extra, "-output_ts_offset", str(number * length), path)
    return path


def join(folder, *kinds, source=None, extra=()):
    """A TS of pieces of these kinds."""
    path = os.path.join(folder, "-".join(kinds) + ("-moving" if source else "") + ".ts")
    with open(path, "wb") as out:
        for i, kind in enumerate(kinds):
            with open(part(folder, kind, i, source, extra), "rb") as file:
                out.write(file.read())
    return path


def upscale(program, source, target, *options):
    return run(program, "upscale", source, target, "--codec", "ffv1", "--overwrite", "--fresh", *FAST, *options)


def stream(path):
    r = run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries",
            "stream=width,height,pix_fmt,color_space,color_range,nb_read_frames,sample_aspect_ratio", "-count_frames", "-of", "json", path)
    return (json.loads(r.stdout or "{}").get("streams") or [{"width": 0, "height": 0, "pix_fmt": "none", "nb_read_frames": 0}])[0]


def colours(path, s):
    """The colour in the middle of every frame of an output, as its own tags have it read."""
    rgb = "gbr" in s["pix_fmt"] or "rgb" in s["pix_fmt"] or "bgr" in s["pix_fmt"]
    pixels = "gbrp" if rgb else s["pix_fmt"].replace("yuvj", "yuv")
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-"] if not rgb else
                         ["ffmpeg", "-v", "error", "-i", path, "-pix_fmt", pixels, "-f", "rawvideo", "-"], capture_output=True).stdout
    w, h, step = s["width"], s["height"], 2 if "10le" in pixels else 1
    scale = 4 if step == 2 else 1
    shift_x, shift_y = (0, 0) if rgb or "444" in pixels else (1, 0) if "422" in pixels else (1, 1)
    planes = [(w, h)] + [(w >> shift_x, h >> shift_y)] * 2
    full = s.get("color_range") == "pc"
    kr, kb = MATRICES["bt709" if s.get("color_space") == "bt709" else "bt601"][:2]
    out, at = [], 0
    while at + sum(a * b for a, b in planes) * step <= len(raw):
        v = []
        for a, b in planes:
            middle = at + (b // 2 * a + a // 2) * step
            v.append(int.from_bytes(raw[middle:middle + step], "little") / scale)
            at += a * b * step
        if rgb:
            out.append((v[2], v[0], v[1]))
            continue
        y = v[0] if full else (v[0] - 16) * 255 / 219
        cb, cr = ((x - 128) * (1 if full else 255 / 224) for x in v[1:])
        r, b = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
        out.append((r, (y - kr * r - kb * b) / (1 - kr - kb), b))
    return out


def off(found, wanted):
    if len(found) != len(wanted):
        return 999
    return max(max(abs(a - b) for a, b in zip(f, w)) for f, w in zip(found, wanted))


# What comes first, what follows, and what the warning says.
COLOUR = [
    (("420", "444"), "pixel format yuv420p to yuv444p"),
    (("444", "420"), "pixel format yuv444p to yuv420p"),
    (("422", "10bit"), "pixel format yuv422p to yuv420p10le"),
    (("10bit", "full"), "yuv420p10le to yuvj420p"),
    (("420", "full"), "range tv to pc"),
    (("full", "420"), "range pc to tv"),
    (("420", "709"), "matrix smpte170m to bt709"),
    (("709", "420", "709full444"), "matrix bt709 to smpte170m"),
    (("rgb", "420"), "matrix gbr to smpte170m"),
    (("420", "rgb"), "matrix smpte170m to gbr"),
    (("large", "tiny", "large10"), "size 192x144 to 16x16"),
]


def test_colours(program, folder):
    """A flat colour is the same colour in every part, whatever it was coded as."""
    for kinds, says in COLOUR:
        source, out = join(folder, *kinds), os.path.join(folder, "out.mkv")
        name = " then ".join(kinds)
        r = upscale(program, source, out)
        if not check(r.returncode == 0, f"{name}: goes through", r.stderr):
            continue
        check(f"changes at frame 5 (" in r.stderr and says in r.stderr and "are converted to" in r.stderr,
              f"{name}: one warning says what and where", r.stderr)
        check(r.stderr.count("the video changes") == 1, f"{name}: and only one", r.stderr)
        s = stream(out)
        size = KINDS[kinds[0]][2].split("x")
        check([s["width"], s["height"]] == [2 * int(n) for n in size], f"{name}: size of the first", s)
        found = colours(out, s)
        check(len(found) == 5 * len(kinds), f"{name}: all frames", len(found))
        # 8 bits of limited range hold a colour to about 2 codes, and are rounded twice.
        worst = off(found, [(RED, GREEN, BLUE)] * len(found))
        check(worst < 3.6, f"{name}: right colours", [tuple(round(c, 1) for c in f) for f in found[::5]])
        r = run(program, "verify", source, out)
        check(r.returncode == 0, f"{name}: verify agrees", r.stdout + r.stderr)


def test_grey(program, folder):
    """What comes without colour does not take it from what follows."""
    for kinds in (("grey", "420"), ("420", "grey")):
        source, out = join(folder, *kinds), os.path.join(folder, "out.mkv")
        r = upscale(program, source, out)
        s = stream(out)
        found = colours(out, s)
        check(r.returncode == 0 and s["pix_fmt"] == "yuv420p", f"{kinds}: in colour", r.stderr)
        grey = found[0 if kinds[0] == "grey" else -1]
        colour = found[-1 if kinds[0] == "grey" else 0]
        check(off([colour], [(RED, GREEN, BLUE)]) < 2.6, f"{kinds}: colour stays", colour)
        check(max(grey) - min(grey) < 2 and 80 < grey[0] < 95, f"{kinds}: grey stays", grey)


def test_sizes(program, folder):
    """Frames of other sizes show the same, in their order, at their times; in other containers too."""
    moving = "testsrc2"
    source = join(folder, "420", "large", "small", source=moving)
    files = [source]
    for ext in ("mkv", "mp4"):
        files.append(os.path.join(folder, "sizes." + ext))
        ffmpeg("-i", source, "-c", "copy", files[-1])
    vp9 = []
    for i, size in enumerate(("64x48", "96x64")):
        vp9.append(os.path.join(folder, f"{i}.webm"))
        ffmpeg("-f", "lavfi", "-i", f"{moving}=size={size}:rate={RATE}:duration={LENGTH}", "-c:v", "libvpx-vp9", "-deadline", "realtime",
               "-cpu-used", "8", vp9[-1])
    with open(os.path.join(folder, "list.txt"), "w") as file:
        file.write("".join(f"file {p}\n" for p in vp9))
    files.append(os.path.join(folder, "vp9.webm"))
    ffmpeg("-f", "concat", "-safe", "0", "-i", os.path.join(folder, "list.txt"), "-c", "copy", files[-1])
    for path in files:
        name, out = os.path.basename(path), os.path.join(folder, "out.mkv")
        video = json.loads(run(program, "probe", "--json", path).stdout or "{}").get("video", {})
        changes = video.get("changes", [])
        wanted = [(5, 96, 64)] if "vp9" in name else [(5, 192, 144), (10, 32, 24)]
        check([(c["frame"], c["width"], c["height"]) for c in changes] == wanted, f"{name}: probe has them all", changes)
        r = upscale(program, path, out)
        s = stream(out)
        check(r.returncode == 0 and (s["width"], s["height"]) == (128, 96), f"{name}: goes through", r.stderr)
        r = run(program, "verify", path, out, "--json")
        found = json.loads(r.stdout or "{}").get("picture", {})
        check(r.returncode == 0, f"{name}: verify agrees, frame by frame", found)
    r = run(program, "probe", source)
    check("changes    frame 5 (1.900 s): size 64x48 to 192x144" in r.stdout, "probe shows them as text", r.stdout)
    r = upscale(program, source, os.path.join(folder, "dry.mkv"), "--dry-run")
    check(r.returncode == 0 and "changes at frame 5" in r.stderr + r.stdout, "the dry run says it", r.stderr + r.stdout)
    # A piece behind the change is one of its own kind.
    r = upscale(program, source, out, "--start", "0.5", "--duration", "0.5")
    s = stream(out)
    check(r.returncode == 0 and (s["width"], s["height"], int(s["nb_read_frames"])) == (384, 288, 5) and "changes" not in r.stderr,
          "--start behind the change: the size there", (r.stderr, s))
    check(run(program, "verify", source, out, "--start", "0.5", "--duration", "0.5").returncode == 0, "and verify knows")
    for options in (["--use-ai"], ["--temporal"], ["--deinterlace"]):
        r = upscale(program, source, out, *options)
        check(r.returncode == 0 and stream(out)["width"] == 128, f"with {options[0]}", r.stderr)
    page, sample = os.path.join(folder, "page.html"), os.path.join(folder, "preview")
    check(run(program, "report", source, out, "-o", page).returncode == 0, "report goes through")


def test_aspect(program, folder):
    """A change of the pixel aspect changes no sample, and is said with its time."""
    source, out = join(folder, "420", "wide", source="testsrc2"), os.path.join(folder, "out.mkv")
    r = upscale(program, source, out)
    check(r.returncode == 0 and "frame 5" in r.stderr and "display aspect ratio 4:3 to 16:9" in r.stderr and
          "the output shows all at 4:3" in r.stderr, "aspect: said", r.stderr)
    check("converted" not in r.stderr, "aspect: no sample changes", r.stderr)
    check(stream(out)["sample_aspect_ratio"] == "1:1", "aspect: that of the first", stream(out))


def test_mpeg2(program, folder):
    """FFmpeg's decoder of MPEG-2 loses the frame that it holds back when the size changes: it is kept."""
    out = os.path.join(folder, "out.mkv")
    for options in ((), ("-bf", "2")):
        source = join(folder, "704", "720", source="testsrc2", extra=("-g", "5") + options)
        r = upscale(program, source, out)
        check(r.returncode == 0 and "size 176x144 to 192x144" in r.stderr and "undecodable" not in r.stderr, "MPEG-2: said", r.stderr)
        check(int(stream(out)["nb_read_frames"]) == 24, "MPEG-2: every frame is there", stream(out))
        check(run(program, "verify", source, out).returncode == 0, "MPEG-2: verify agrees")
        for kind in ("704-0", "720-1"):
            os.remove(os.path.join(folder, kind + "-moving.ts"))


def test_segments(program, folder):
    """A change at the border of two segments: the same bytes however the work is shared out."""
    global LENGTH
    LENGTH, before = 8.0, LENGTH
    source = join(folder, "small", "420", source="testsrc2", extra=("-g", "1000"))
    LENGTH = before
    outs = []
    for workers in ("1", "2"):
        outs.append(os.path.join(folder, f"w{workers}.mkv"))
        r = run(program, "upscale", source, outs[-1], "--overwrite", "--temporal", "--preset", "ultrafast", "--workers", workers, "--progress", "none")
        check(r.returncode == 0 and "segments: 2" in r.stderr and "frame 80 " in r.stderr, f"two segments, {workers} workers", r.stderr)
    parts = os.path.join(folder, "parts.mkv")
    run(program, "plan", source, parts, "--temporal", "--preset", "ultrafast")
    for n in ("1", "0"):
        run(program, "work", parts + ".kizunasr", "--segment", n)
    run(program, "join", parts + ".kizunasr")
    whole = open(outs[0], "rb").read()
    check(whole == open(outs[1], "rb").read(), "same bytes with two workers")
    check(os.path.exists(parts) and whole == open(parts, "rb").read(), "same bytes segment by segment")


def test_images(program, folder):
    """Image sequences mix sizes, palettes, grey and transparency."""
    flat = f"color=0x{RED:02x}{GREEN:02x}{BLUE:02x}:size=%s:rate=1:duration=1"
    for ext, kinds in (("png", (("48x32", "gray"), ("48x32", "rgb24"), ("32x48", "rgba"), ("48x32", "pal8"), ("96x64", "rgb48be"), ("48x32", "ya8"))),
                       ("bmp", (("48x32", "bgr24"), ("96x64", "bgr24"), ("48x32", "rgb565le")))):
        os.makedirs(os.path.join(folder, ext), exist_ok=True)
        pattern, out = os.path.join(folder, ext, "%03d." + ext), os.path.join(folder, "images.mkv")
        for i, (size, pixels) in enumerate(kinds):
            chain = "split[a][b];[a]palettegen[p];[b][p]paletteuse" if pixels == "pal8" else "null"
            ffmpeg("-f", "lavfi", "-i", flat % size, "-lavfi", f"{chain},format={pixels}", "-frames:v", "1", "-update", "1", pattern % (i + 1))
        r = upscale(program, pattern, out)
        if not check(r.returncode == 0 and "the video changes at frame 1 " in r.stderr, f"{ext}: goes through, said", r.stderr):
            continue
        s = stream(out)
        check((s["width"], s["height"]) == (96, 64), f"{ext}: size of the first", s)
        found = colours(out, s)
        wanted = [(RED, GREEN, BLUE) if "gray" not in p and "ya" not in p else found[i] for i, (_, p) in enumerate(kinds)]
        check(len(found) == len(kinds) and off(found, wanted) < 9, f"{ext}: right colours", found)


def test_fields(program, folder):
    """Whole frames first, fields later: said, and with --deinterlace only those are touched."""
    source, out = join(folder, "420", source="testsrc2"), os.path.join(folder, "out.mkv")
    path = os.path.join(folder, "late.ts")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={2 * RATE}:duration={LENGTH}", "-vf", "interlace,scale=out_color_matrix=bt601,format=yuv420p",
           "-colorspace", "smpte170m", "-color_range", "tv", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-x264-params", "tff=1",
           "-output_ts_offset", str(LENGTH), path)
    with open(source, "rb") as a, open(path, "rb") as b:
        both = clips.write(folder, "fields.ts", a.read() + b.read())
    r = upscale(program, both, out)
    check(r.returncode == 0 and "flagged as interlaced from frame 5 " in r.stderr, "fields that come late are said", r.stderr)
    r = upscale(program, both, out, "--deinterlace")
    check(r.returncode == 0 and "is not flagged as interlaced" not in r.stderr, "--deinterlace believes the marks", r.stderr)
    s = stream(out)
    check(int(s["nb_read_frames"]) == 10, "and every frame is there", s)


def test_damage(program, folder):
    """Damage that plan meets is said by plan."""
    path, bad, out = (os.path.join(folder, n) for n in ("b.avi", "bad.avi", "damage.mkv"))
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1", "-c:v", "mpeg4", "-bf", "2", "-g", "5", path)
    r = run("ffprobe", "-v", "error", "-show_entries", "packet=pos,size", "-of", "csv=p=0", path)
    places = [tuple(int(n) for n in line.strip(",").split(",")[:2][::-1]) for line in r.stdout.split()]
    data = bytearray(open(path, "rb").read())
    pos, size = max(places[20]), min(places[20])
    data[pos + 8 + size // 3:pos + 8 + size] = b"\xff" * (size - size // 3)
    open(bad, "wb").write(data)
    r = upscale(program, bad, out, "--dry-run")
    check(r.returncode == 1 and "is damaged" in r.stderr and "--on-frame-error" in r.stderr, "plan says it", r.stderr)
    found = json.loads(run(program, "probe", "--json", bad).stdout)["video"]
    check(found["index"] == "decoded" and found["damaged_frames"] > 0, "probe counts it", found)
    r = upscale(program, bad, out, "--on-frame-error", "repeat")
    check(r.returncode == 0 and f"{found['damaged_frames']} of {found['frames']} frames are damaged" in r.stderr, "and the work goes on when told to", r.stderr)


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        for test in (test_colours, test_grey, test_sizes, test_aspect, test_mpeg2, test_segments, test_images, test_fields, test_damage):
            test(program, folder)
    finish()


if __name__ == "__main__":
    main()
