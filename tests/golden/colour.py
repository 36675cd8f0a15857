#!/usr/bin/env python3
"""Colour tags and picture metadata, read back from every codec and container.

Matrix, primaries, transfer, range, chroma location, pixel aspect, rotation, mastering display,
content light level, captions: what the output says must equal what the input said, or the program
must have named it in a warning. What is lost with this FFmpeg must be what docs/colour.md says.

  colour.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, re, sys, tempfile

import clips
from checks import check, finish, run, some

SMALL = "testsrc2=size=64x64:rate=24:duration=0.3"
MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
TAGS = {"color_space": "matrix", "color_primaries": "primaries", "color_transfer": "transfer",
        "color_range": "range", "chroma_location": "chroma location", "sample_aspect_ratio": "pixel aspect"}

# name, pixel format, matrix, primaries, transfer, range, chroma location, pixel aspect, rotated
INPUTS = [
    ("bt709", "yuv420p", "bt709", "bt709", "bt709", "tv", "left", "1:1", True),
    ("ntsc", "yuv420p", "smpte170m", "smpte170m", "smpte170m", "tv", "left", "8:9", False),
    ("pal", "yuv420p", "bt470bg", "bt470bg", "bt470bg", "tv", "left", "64:45", False),
    ("full", "yuv420p", "bt709", "bt709", "iec61966-2-1", "pc", "center", "1:1", False),
    ("hlg", "yuv420p10le", "bt2020nc", "bt2020", "arib-std-b67", "tv", "topleft", "1:1", False),
    ("pq", "yuv420p10le", "bt2020nc", "bt2020", "smpte2084", "tv", "topleft", "1:1", True),
]
PLACES = {"libx264": "mkv mp4 mov ts avi", "libx265": "mkv mp4 mov ts", "libvpx-vp9": "mkv webm mp4", "ffv1": "mkv avi"}

# What FFmpeg loses, as docs/colour.md has it.
COLOURS = {"matrix", "primaries", "transfer", "range", "chroma location"}
LOST = {("libvpx-vp9", "mp4"): {"chroma location"}, ("ffv1", "avi"): COLOURS}
ROTATION_KEPT = {"5.1": {"mp4", "mov"}, "7.1": {"mp4", "mov", "mkv", "webm"}}


def probe(path):
    r = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-read_intervals", "%+#1", "-show_entries",
            "stream=pix_fmt," + ",".join(TAGS) + ":stream_side_data:frame=" + ",".join(TAGS) + ":frame_side_data",
            "-of", "json", path)
    found = json.loads(r.stdout or "{}")
    stream, frame = found["streams"][0], found["frames"][0]
    out = {name: next((d[key] for d in (frame, stream) if d.get(key, "unknown") not in ("unknown", "unspecified")), None)
           for key, name in TAGS.items()}
    for sd in stream.get("side_data_list", []) + frame.get("side_data_list", []):
        kind = sd["side_data_type"]
        if kind == "Display Matrix":
            out["rotation"] = sd["rotation"]
        elif kind.startswith("Mastering"):
            out["mastering display"] = [round(eval(sd[k]), 4) for k in sorted(sd) if k != "side_data_type"]
        elif kind.startswith("Content light"):
            out["content light level"] = (sd["max_content"], sd["max_average"])
    # What readers take where nothing is said.
    out["range"] = "pc" if out["range"] == "pc" or stream["pix_fmt"].startswith("yuvj") else "tv"
    out["chroma location"] = out["chroma location"] or "left"
    out["pixel aspect"] = out["pixel aspect"] or "1:1"
    return out


def make(folder, name, pixel_format, matrix, primaries, transfer, rng, location, aspect, rotated):
    path = os.path.join(folder, name + ".mp4")
    hdr = f":master-display={MASTERING}:max-cll=1000,400" if name == "pq" else ""
    codec = ["-c:v", "libx265", "-x265-params", "log-level=none" + hdr] if "10" in pixel_format else ["-c:v", "libx264"]
    tags = ["-colorspace", matrix, "-color_primaries", primaries, "-color_trc", transfer.replace("bt470bg", "gamma28"),
            "-color_range", rng, "-chroma_sample_location", location]
    filters = [f"scale=out_range={rng},format={pixel_format},setsar={aspect.replace(':', '/')}", clips.colour_filter(tags)]
    r = run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", SMALL, "-vf", ",".join(filter(None, filters)), *tags, *codec,
            "-preset", "ultrafast", path)
    check(r.returncode == 0, f"{name} is made", r.stderr)
    if rotated:
        turned = os.path.join(folder, name + "-turned.mp4")
        r = run("ffmpeg", "-v", "error", "-i", path, "-c", "copy", "-metadata:s:v", "rotate=90", turned)
        if "rotation" not in probe(turned):  # newer FFmpeg
            r = run("ffmpeg", "-v", "error", "-y", "-display_rotation", "90", "-i", path, "-c", "copy", turned)
        path = turned
    return path


def near(a, b):
    """Containers keep a pixel's shape by the size as shown, in whole pixels."""
    x, y = (int(v.split(":")[0]) / int(v.split(":")[1]) for v in (a, b))
    return abs(x / y - 1) < 0.03


def same(name, a, b):
    if name == "pixel aspect":
        return near(a, b)
    if name == "mastering display":
        return b is not None and len(a) == len(b) and all(abs(x - y) < 0.0002 for x, y in zip(a, b))
    return a == b


def insert_captions(data, count=lambda n: 1):
    """Puts a user data unit with captions after every picture header of an MPEG-2 stream."""
    out, at, n = bytearray(), 0, 0
    for m in re.finditer(b"\x00\x00\x01\x01", data):  # the first slice of each picture
        pair = bytes((0xfc, 0x80 | (0x41 + n % 26), 0x80 | (0x61 + n % 26)))
        out += data[at:m.start()] + b"\x00\x00\x01\xb2GA94\x03" + bytes((0x40 | count(n), 0xff)) + pair * count(n) + b"\xff"
        at, n = m.start(), n + 1
    return bytes(out + data[at:])


def add_dolby_vision(data):
    """Puts a configuration box (profile 8.1) behind the hvcC of an MP4 whose index stands at its end."""
    box = b"\x00\x00\x00\x20dvcC" + bytes((1, 0, 0x10, 0x0d, 0x10)) + bytes(19)
    at = data.index(b"hvcC")
    end = at - 4 + int.from_bytes(data[at - 4:at], "big")
    data = bytearray(data)
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hev1"):
        i = data.rindex(parent, 0, at) - 4
        data[i:i + 4] = (int.from_bytes(data[i:i + 4], "big") + len(box)).to_bytes(4, "big")
    return bytes(data[:end] + box + data[end:])


class Bits:
    """Numbers of so many bits, one after the other."""

    def __init__(self, *numbers):
        text = "".join(f"{value:0{bits}b}" for bits, value in numbers)
        text += "0" * (-len(text) % 8)
        self.data = bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


def hdr10_plus_unit():
    """An SEI unit of HEVC with the dynamic metadata of SMPTE ST 2094-40: one window, no curve."""
    body = Bits((8, 0xB5), (16, 0x003C), (16, 1), (8, 4), (8, 1), (2, 1), (27, 10000), (1, 0), (17, 1000), (17, 2000), (17, 3000),
                (17, 500), (4, 0), (10, 0), (1, 0), (1, 0), (1, 0)).data
    raw = bytes((39 << 1, 1, 4, len(body))) + body + b"\x80"
    out, zeros = bytearray(), 0
    for byte in raw:  # three bytes that look like a start code are kept apart
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\x00\x00\x00\x01" + bytes(out)


def insert_hdr10_plus(data):
    """Puts it before the first slice of every picture of an HEVC stream."""
    out, at = bytearray(), 0
    for m in re.finditer(b"\x00\x00\x01", data):
        i = m.end()
        if data[i] >> 1 & 63 < 32 and data[i + 2] & 0x80:
            out += data[at:m.start()] + hdr10_plus_unit()
            at = m.start()
    return bytes(out + data[at:])


def test_hdr10_plus(program, folder):
    plain, raw, source, out = (os.path.join(folder, n) for n in ("plain.hevc", "plus.hevc", "plus.mkv", "plus-out.mkv"))
    # Without B-frames, so that packets can be numbered as they come.
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", SMALL, "-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast",
        "-x265-params", f"log-level=none:bframes=0:master-display={MASTERING}:max-cll=1000,400", plain)
    with open(plain, "rb") as a, open(raw, "wb") as b:
        b.write(insert_hdr10_plus(a.read()))
    run("ffmpeg", "-v", "error", "-i", raw, "-c", "copy", "-bsf:v", "setts=ts=N/24/TB:duration=1/24/TB", source)
    r = run("ffprobe", "-v", "error", "-show_entries", "frame_side_data", source)
    check("HDR10+" in r.stdout, "the input has HDR10+", r.stdout + r.stderr)
    check(carries(program, source) == ["mastering display", "content light level", "HDR10+"], "probe names HDR10+", carries(program, source))
    r = run(program, "upscale", source, out, "--codec", "libx265", "--preset", "ultrafast", "--progress", "none", "--log-level", "warning")
    check(r.returncode == 0 and "does not keep these of the video: HDR10+\n" in r.stderr, "HDR10+ is named, alone", r.stderr)
    check(r.returncode == 0 and "mastering display" in probe(out), "and HDR10 below HDR10+ stays")


def carries(program, path):
    return json.loads(run(program, "probe", path, "--json").stdout or "{}").get("video", {}).get("carries")


def captions(path):
    """Those of every picture, without triplets of nothing that fill them up."""
    r = run("ffprobe", "-v", "error", "-f", "lavfi", "-i", f"movie={path}[out0+subcc]", "-select_streams", "s",
            "-show_data", "-show_entries", "packet=data", "-of", "json")
    lines = [p["data"].strip().splitlines() for p in json.loads(r.stdout or "{}").get("packets", [])]
    pictures = ["".join(line[10:50].replace(" ", "") for line in packet) for packet in lines]
    return [re.sub("(fa0000)+$", "", picture) for picture in pictures]


def make_captioned(folder, name, seconds, count=lambda n: 1):
    plain, mpeg, path = (os.path.join(folder, n) for n in ("plain.m2v", "cc.m2v", name))
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size=64x64:rate=24:duration={seconds}", "-c:v", "mpeg2video", plain)
    with open(plain, "rb") as a, open(mpeg, "wb") as b:
        b.write(insert_captions(a.read(), count))
    run("ffmpeg", "-v", "error", "-i", mpeg, "-c", "copy", "-bsf:v", "setts=ts=N/24/TB:duration=1/24/TB", path)
    return path


def main():
    program = os.path.abspath(sys.argv[1])
    version = run("ffmpeg", "-version").stdout.split()[2]
    old = version.startswith("5.1")
    with tempfile.TemporaryDirectory() as folder:
        sources = {i[0]: make(folder, *i) for i in INPUTS}
        for name, source in sources.items():
            wanted = probe(source)
            declared = dict(zip(TAGS.values(), INPUTS[[i[0] for i in INPUTS].index(name)][2:8]))
            check(all(same(k, v, wanted[k]) for k, v in declared.items()), f"{name}: says what it should", wanted)
            check(name != "pq" or {"mastering display", "content light level", "rotation"} <= wanted.keys(),
                  f"{name}: has its metadata", wanted)
            for codec, places in some(PLACES.items()):
                for ext in places.split():
                    out = os.path.join(folder, f"{name}-{codec}.{ext}")
                    speed = [] if codec == "ffv1" else ["--preset", "ultrafast"]
                    r = run(program, "upscale", source, out, "--codec", codec, *speed, "--progress", "none", "--log-level", "warning")
                    if r.returncode != 0:
                        check(False, f"{name}: {codec} in {ext}", r.stderr)
                        continue
                    got = probe(out)
                    lost = {k for k, v in wanted.items() if v is not None and not same(k, v, got.get(k))}
                    if codec == "libx264" and ext in ("ts", "avi") and old:
                        lost -= {"mastering display", "content light level"}  # there, but FFmpeg 5.1 does not read them
                    m = re.search(r"does not keep these of the video: (.*)", r.stderr)
                    named = set(m.group(1).split(", ")) if m else set()
                    check(lost == named, f"{name}: {codec} in {ext}: kept or named ({', '.join(sorted(lost)) or 'all kept'})",
                          f"lost {sorted(lost)}, named {sorted(named)}")
                    if version[:3] in ROTATION_KEPT:
                        meant = {"rotation"} & wanted.keys() if ext not in ROTATION_KEPT[version[:3]] else set()
                        plain = {"chroma location": "left", "range": "tv"}  # what readers take where nothing is said
                        meant |= {k for k in LOST.get((codec, ext), set()) if wanted[k] != plain.get(k)}
                        if (codec, ext) == ("ffv1", "avi"):
                            meant |= {"mastering display", "content light level"} & wanted.keys()
                        check(lost == meant, f"{name}: {codec} in {ext}: as documented", f"lost {sorted(lost)}, documented {sorted(meant)}")

        # Dolby Vision is never carried, and said; HDR10 below it stays.
        source = os.path.join(folder, "dovi.mp4")
        with open(os.path.join(folder, "pq.mp4"), "rb") as a, open(source, "wb") as b:
            b.write(add_dolby_vision(a.read()))
        r = run("ffprobe", "-v", "error", "-show_entries", "stream_side_data", source)
        check("DOVI configuration" in r.stdout, "the input says Dolby Vision", r.stdout)
        out = os.path.join(folder, "dovi.mkv")
        r = run(program, "upscale", source, out, "--codec", "libx265", "--preset", "ultrafast", "--progress", "none", "--log-level", "warning")
        check(r.returncode == 0 and "Dolby Vision" in r.stderr and "mastering" not in r.stderr, "Dolby Vision is named", r.stderr)
        check("mastering display" in probe(out), "and HDR10 below it stays")
        check("Dolby Vision" in carries(program, source) and "rotation" in carries(program, sources["pq"]),
              "probe names Dolby Vision and rotation", carries(program, source))
        test_hdr10_plus(program, folder)

        # Captions.
        source = make_captioned(folder, "cc.ts", 1)
        wanted = captions(source)
        check(len(wanted) == 24 and len(set(wanted)) > 10, "the input has captions", f"{len(wanted)}")
        for codec, ext in some((("libx264", "mkv"), ("libx264", "mp4"), ("libx264", "ts"), ("libvpx-vp9", "webm"),
                                ("libx265", "mkv"), ("libx265", "mp4"), ("libx265", "ts"), ("ffv1", "mkv"))):
            out = os.path.join(folder, f"cc-{codec}.{ext}")
            r = run(program, "upscale", source, out, "--codec", codec, "--progress", "none", "--log-level", "warning")
            check(r.returncode == 0, f"captions: {codec} in {ext}", r.stderr)
            kept, named = captions(out) == wanted, "closed captions" in r.stderr
            check(kept != named, f"captions: {codec} in {ext}: {'all kept' if kept else 'named'}", f"kept {kept}, named {named}: {r.stderr}")
            check(kept == (codec == "libx264" or (codec, old) == ("libx265", False)), f"captions: {codec} in {ext}: as documented", kept)
        # x265 writes past its buffers where later pictures have more of them.
        source = make_captioned(folder, "more.ts", 3, lambda n: 1 if n < 36 else 20)
        wanted, out = captions(source), os.path.join(folder, "more.mkv")
        check(len(wanted) == 72 and len(wanted[0]) < len(wanted[-1]), "the input has more captions later on", len(wanted))
        for codec in ("libx264", "libx265"):
            r = run(program, "upscale", source, out, "--codec", codec, "--preset", "ultrafast", "--progress", "none", "--overwrite")
            kept, named = captions(out) == wanted, "closed captions" in r.stderr
            check(r.returncode == 0 and kept != named, f"more captions: {codec}: {'all kept' if kept else 'named'}", f"{r.returncode} {r.stderr}")
    finish()


if __name__ == "__main__":
    main()
