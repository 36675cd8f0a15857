#!/usr/bin/env python3
"""Crop, rotation, what frames carry: alpha, film grain, profiles; colours that only the size tells.

  geometry.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, struct, subprocess, sys, tempfile

import clips
from checks import check, finish, run, some

PROGRAM = os.path.abspath(sys.argv[1])
FFV1 = "--codec ffv1"
QUICK = "--preset ultrafast --crf 20"
IDENTITY = (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
# Display matrices: [a b u, c d v, x y w]; and the filter of FFmpeg that does the same.
TURNS = {
    "90": ((0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30), "transpose=clock"),
    "180": ((-65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30), "hflip,vflip"),
    "270": ((0, -65536, 0, 65536, 0, 0, 0, 0, 1 << 30), "transpose=cclock"),
    "hflip": ((-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30), "hflip"),
    "vflip": ((65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30), "vflip"),
    "transpose": ((0, 65536, 0, 65536, 0, 0, 0, 0, 1 << 30), "transpose=cclock_flip"),
    "transverse": ((0, -65536, 0, -65536, 0, 0, 0, 0, 1 << 30), "transpose=clock_flip"),
}
folder = ""


def at(name):
    return os.path.join(folder, name)


def made(name, source, *options):
    """A file of a lavfi source."""
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", source, *" ".join(options).split(), "-bitexact", at(name)))
    return at(name)


def upscale(source, name, options="", level="info"):
    r = run(PROGRAM, "upscale", source, at(name), *options.split(), "--progress", "none", "--overwrite", "--log-level", level,
            "--provenance", at(name + ".json"))
    return r, at(name)


def verified(source, name, what, *told):
    """Whether verify agrees, told by the record, or by options."""
    r = run(PROGRAM, "verify", source, at(name), "--progress", "none", *(told or ("--provenance", at(name + ".json"))))
    check(r.returncode == 0, f"{what}: verified", r.stdout + r.stderr)


def stream(path, *entries):
    text = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_streams", "-of", "json", path).stdout
    found = json.loads(text)["streams"][0]
    return [found.get(e) for e in entries] if entries else found


def luma(path, filters=""):
    """Hashes of the luma of every frame, as it is stored."""
    r = run("ffmpeg", "-v", "error", "-noautorotate", "-i", path, "-vf", f"{filters}format=gray" if filters else "extractplanes=y",
            "-f", "framehash", "-hash", "md5", "-")
    return [line.split(",")[-1].strip() for line in r.stdout.splitlines() if not line.startswith("#")]


def with_matrix(source, name, matrix):
    """Writes a display matrix into the header of the only track of an MP4 or MOV."""
    data = bytearray(open(source, "rb").read())
    place = data.index(b"tkhd") + 4 + (52 if data[data.index(b"tkhd") + 4] else 40)
    assert data[place:place + 36] == struct.pack(">9i", *IDENTITY)
    data[place:place + 36] = struct.pack(">9i", *matrix)
    return clips.write(folder, name, bytes(data))


# --- Rotation ---

def rotation():
    for size, format_, sar, ext in some((("48x32", "yuv420p", "4/3", "mp4"), ("45x31", "yuv422p", "1", "mov"), ("48x32", "yuv411p", "1", "mov"))):
        codec = "-c:v ffv1 -level 3" if ext == "mov" else "-c:v libx264 -preset ultrafast -qp 0"
        plain = made(f"plain-{format_}.mov", f"testsrc2=s={size}:r=5:d=1,setsar={sar},format={format_}", codec)
        for name, (matrix, filters) in some(TURNS.items()):
            if ext == "mov" and name not in ("90", "180", "transpose"):
                continue
            what = f"{name} of {format_}"
            source = with_matrix(plain, f"{name}.{format_}.{ext}", matrix)
            turned = at("turned.mkv")
            clips.need(clips.ffmpeg("-noautorotate", "-i", source, "-vf", f"{filters},setsar={sar}" if "trans" not in filters else
                                    f"{filters},setsar=1/({sar})", "-c:v", "ffv1", turned))
            r, out = upscale(source, "out.mkv", FFV1 + " --rotate apply")
            check(r.returncode == 0 and "warning" not in r.stderr, f"{what}: upscaled", r.stderr)
            upscale(turned, "wanted.mkv", FFV1)
            check(luma(out) == luma(at("wanted.mkv")) != [], f"{what}: the frames of FFmpeg's {filters}")
            check(stream(out, "width", "height", "sample_aspect_ratio") == stream(at("wanted.mkv"), "width", "height", "sample_aspect_ratio"),
                  f"{what}: size and aspect", stream(out, "width", "height", "sample_aspect_ratio"))
            verified(source, "out.mkv", what)


def display():
    """What is said of display matrices, and that they are kept where the container holds them."""
    plain = made("plain.mp4", "testsrc2=s=64x48:r=5:d=0.6", "-c:v libx264 -preset ultrafast")
    turned = with_matrix(plain, "turned.mp4", TURNS["90"][0])
    r, out = upscale(turned, "kept.mp4", QUICK)
    check("does not keep" not in r.stderr and stream(out, "side_data_list")[0][0]["rotation"] == -90, "MP4 keeps a rotation", r.stderr)
    r, out = upscale(turned, "lost.mkv", QUICK)
    check(("rotation" in r.stderr and "--rotate apply" in r.stderr) or stream(out, "side_data_list")[0], "MKV keeps it or says what to type", r.stderr)
    r, out = upscale(turned, "done.mp4", QUICK + " --rotate apply")
    check(not stream(out, "side_data_list")[0] and stream(out, "width", "height") == [96, 128], "an applied rotation is not said again", stream(out))
    verified(turned, "done.mp4", "rotation, told by an option", "--rotated")
    r = run(PROGRAM, "report", turned, out, "-o", at("page.html"), "--rotated", "--progress", "none")
    check(r.returncode == 0, "rotation: a report", r.stderr)
    for name, matrix, said in (("half", (32768, 0, 0, 0, 32768, 0, 0, 0, 1 << 30), "display size"), ("wide", (131072, 0, 0, 0, 65536, 0, 0, 0, 1 << 30), "display size"),
                               ("shift", (65536, 0, 0, 0, 65536, 0, 8 << 16, 4 << 16, 1 << 30), None)):
        source = with_matrix(plain, name + ".mp4", matrix)
        r, out = upscale(source, "out.mkv", QUICK + " --rotate apply")
        check(r.returncode == 0 and "rotation" not in r.stderr and (said in r.stderr if said else "does not keep" not in r.stderr) and
              stream(out, "width", "height") == [128, 96], f"a matrix of {name} is no rotation", r.stderr)
        carries = json.loads(run(PROGRAM, "probe", source, "--json").stdout)["video"]["carries"]
        check(carries == ([said] if said else []), f"probe: a matrix of {name}", carries)
    slanted = with_matrix(plain, "slanted.mp4", (46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30))
    r, out = upscale(slanted, "slanted.out.mp4", QUICK + " --rotate apply")
    check(r.returncode == 0 and "not a multiple of 90 degrees" in r.stderr and stream(out, "side_data_list")[0], "45 degrees stay, and are said", r.stderr)


# --- Crop ---

def crop():
    source = made("crop.mkv", "testsrc2=s=64x48:r=5:d=1,setsar=16/15", "-c:v libx264 -preset ultrafast -qp 0 -g 3")
    rgb = made("rgb.mkv", "testsrc2=s=64x48:r=5:d=1", "-c:v ffv1 -pix_fmt gbrp")
    pal = made("pal.gif", "testsrc2=s=64x48:r=5:d=1", "-c:v gif")
    for name, film, value, filters, options in some((
            ("part", source, "40:20:8:4", "crop=40:20:8:4:exact=1,", ""), ("odd size", source, "33:21:2:6", "crop=33:21:2:6:exact=1,", ""),
            ("odd place", source, "40:20:3:5", "crop=41:21:2:4:exact=1,", ""), ("RGB, odd place", rgb, "33:21:3:5", "crop=33:21:3:5:exact=1,format=gbrp,", "--pixel-format bgr0"))):
        whole = at("whole.mkv")
        clips.need(clips.ffmpeg("-i", film, "-vf", filters[:-1], "-c:v", "ffv1", whole))
        r, out = upscale(film, "out.mkv", f"{FFV1} {options} --crop {value}")
        check(r.returncode == 0 and ("warning" in r.stderr) == (name == "odd place"), f"crop, {name}: upscaled", r.stderr)
        upscale(whole, "wanted.mkv", f"{FFV1} {options}")
        a, b = (run("ffmpeg", "-v", "error", "-i", f, "-f", "md5", "-").stdout for f in (out, at("wanted.mkv")))
        check(a == b != "" and stream(out, "sample_aspect_ratio") == stream(at("wanted.mkv"), "sample_aspect_ratio"), f"crop, {name}: the part, to the sample")
        verified(film, "out.mkv", f"crop, {name}")
        verified(film, "out.mkv", f"crop, {name}: told by an option", "--crop", value)
    r, out = upscale(pal, "out.mkv", FFV1 + " --crop 40:30:5:3")
    check(r.returncode == 0 and stream(out, "width", "height") == [80, 60], "crop of a palette", r.stderr)
    turned = with_matrix(made("crop.mp4", "testsrc2=s=64x48:r=5:d=1", "-c:v libx264 -preset ultrafast"), "crop.turned.mp4", TURNS["90"][0])
    r, out = upscale(turned, "out.mkv", FFV1 + " --crop 40:20:8:4 --rotate apply")
    check(stream(out, "width", "height") == [40, 80], "the crop comes before the rotation", stream(out))
    verified(turned, "out.mkv", "crop and rotation")
    for bad in ("40:20", "0:20:1:1", "40:20:30:0", "40:20:0:40", "99999:1:0:0", "64:48:99999:0", "-4:4:0:0", "4:4:0:0:", "4:4:0:x", "999999:4:0:0"):
        r, _ = upscale(source, "bad.mkv", f"{QUICK} --crop={bad}")
        check(r.returncode == 2 and "crop:" in r.stderr, f"crop {bad} is refused", r.stderr)


def resumed():
    """Stopped and taken up again, and by plan, work, join: the same bytes."""
    plain = made("long.mov", "testsrc2=s=48x32:r=2:d=20", "-c:v libx264 -preset ultrafast -g 8")
    source = with_matrix(plain, "long.turned.mov", TURNS["270"][0])
    options = f"{QUICK} --rotate apply --crop 40:24:4:4".split()
    upscale(source, "once.mkv", " ".join(options) + " --threads 1 --workers 1")
    run(PROGRAM, "plan", source, at("parts.mkv"), *options)
    work = at("parts.mkv.kizunasr")
    for segment in (1, 0, 2):
        run(PROGRAM, "work", work, "--threads", "2", "--segment", str(segment))
    r = run(PROGRAM, "join", work)
    same = r.returncode == 0 and open(at("once.mkv"), "rb").read() == open(at("parts.mkv"), "rb").read()
    check(same, "plan, work and join: the same bytes", r.stderr)


# --- Crops that the container asks of players ---

def mkv_crop(path):
    """left,top,right,bottom as mkvmerge has them, and the track's name."""
    info = run("mkvinfo", path).stdout.splitlines()
    values = [next((line.split(": ")[1] for line in info if f"+ Pixel crop {side}" in line), "0") for side in ("left", "top", "right", "bottom")]
    name = next((line.split(": ")[1] for line in info if line.startswith("|  + Name")), None)
    return ",".join(values) if any(v != "0" for v in values) else None, name


def shown(path):
    """The aspect ratio of what a player shows: of the part, by its size, by the display size."""
    info = run("mkvinfo", path).stdout
    number = lambda name, other: int(next((line.split(": ")[1].split()[0] for line in info.splitlines() if name in line), other))
    w = number("Pixel width", 0) - number("Pixel crop left", 0) - number("Pixel crop right", 0)
    h = number("Pixel height", 0) - number("Pixel crop top", 0) - number("Pixel crop bottom", 0)
    return number("Display width", w) / number("Display height", h)


def with_clap(source, name, fractions):
    """Adds a clean aperture to the sample entry of a MOV's only track, whose moov is last."""
    data = bytearray(open(source, "rb").read())
    clap = struct.pack(">I4s8i", 40, b"clap", *fractions)
    entry = data.index(b"stsd") + 12
    end = entry + struct.unpack(">I", data[entry:entry + 4])[0]
    boxes = [data.index(k) - 4 for k in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")] + [entry]
    for at_ in boxes:
        data[at_:at_ + 4] = struct.pack(">I", struct.unpack(">I", data[at_:at_ + 4])[0] + 40)
    data[end:end] = clap
    return clips.write(folder, name, bytes(data))


def aperture():
    plain = made("aperture.mkv", "testsrc2=s=64x48:r=5:d=1", "-c:v libx264 -preset ultrafast")
    for name, crop_, more, kept, ratio in some((
            ("bars", "0,8,0,8", (), "0,16,0,16", 4 / 3), ("bars, 2:1", "0,8,0,8", ("--display-dimensions", "0:96x48"), "0,16,0,16", 2),
            ("odd numbers", "3,5,1,7", ("--display-dimensions", "0:90x50", "--track-name", "0:A name"), "6,10,2,14", 9 / 5),
            ("a large crop", "20,2,40,44", (), "40,4,80,88", 4 / 3))):
        source = at("cropped.mkv")
        run("mkvmerge", "-q", "-o", source, "--cropping", f"0:{crop_}", *(more or ()), plain)
        r, out = upscale(source, "kept.mkv", QUICK)
        got = mkv_crop(out)
        check(got[0] == kept and abs(shown(out) - ratio) < 0.02 and got[1] == mkv_crop(source)[1], f"crop of a container, {name}: kept, scaled, of the same shape", f"{got} {shown(out)} {r.stderr}")
        verified(source, "kept.mkv", f"crop of a container, {name}")
        clips.need(clips.ffmpeg("-i", out, "-f", "null", "-"))
        r, out = upscale(source, "lost.mp4", QUICK)
        w, h = (64 - int(crop_.split(",")[0]) - int(crop_.split(",")[2])), (48 - int(crop_.split(",")[1]) - int(crop_.split(",")[3]))
        told = f"--crop {w}:{h}:{crop_.split(',')[0]}:{crop_.split(',')[1]}"
        num, den = map(int, stream(out, "sample_aspect_ratio")[0].split(":"))
        check(told in r.stderr and abs(num / den * w / h / ratio - 1) < 0.02, f"crop of a container, {name}: lost, said, pixels of the right shape", f"{num}:{den} {r.stderr}")
        r, out = upscale(source, "done.mkv", f"{QUICK} {told}")
        check(not mkv_crop(out)[0] and abs(shown(out) - ratio) < 0.05, f"crop of a container, {name}: applied", f"{mkv_crop(out)} {shown(out)} {r.stderr}")
    for hostile in ("40,0,40,0", "0,48,0,0", "0,0,65535,65535"):
        run("mkvmerge", "-q", "-o", source, "--cropping", f"0:{hostile}", plain)
        r, out = upscale(source, "hostile.mkv", QUICK)
        check(r.returncode == 0 and not mkv_crop(out)[0], f"a crop of {hostile} leaves nothing, and is nothing", r.stderr)
    plain = made("aperture.mov", "testsrc2=s=64x48:r=5:d=1", "-c:v libx264 -preset ultrafast")
    clean = with_clap(plain, "clean.mov", (40, 1, 32, 1, 4, 1, -2, 1))
    check(luma(clean) == luma(plain) != [], "clean aperture: the file plays")
    r, out = upscale(clean, "clean.mp4", QUICK)
    check("--crop 40:32:16:6" in r.stderr, "clean aperture: lost and said", r.stderr)
    r, out = upscale(clean, "clean.mkv", QUICK)
    check(mkv_crop(out)[0] == "32,12,16,20", "clean aperture: kept in Matroska", mkv_crop(out))
    turned = with_clap(with_matrix(plain, "turned.mov", TURNS["90"][0]), "turned.clean.mov", (40, 1, 32, 1, 4, 1, -2, 1))
    r, out = upscale(turned, "turned.mkv", QUICK + " --rotate apply")
    check(mkv_crop(out)[0] == "20,32,12,16", "clean aperture: turned with the frames", mkv_crop(out))
    for bad in ((40, 0, 32, 1, 0, 1, 0, 1), (400, 1, 32, 1, 0, 1, 0, 1), (40, 1, 32, 1, 400, 1, 0, 1), (-40, 1, 32, 1, 0, -1, 0, 1)):
        r, out = upscale(with_clap(plain, "bad.mov", bad), "bad.mp4", QUICK)
        check(r.returncode == 0 and "--crop" not in r.stderr, f"clean aperture {bad}: nothing", r.stderr)


# --- Alpha ---

SHAPE = "testsrc2=s=64x48:r=5:d=1,format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='if(lt(X,32),63,255)'"


def alpha_of(path, decoder=()):
    """Alpha in the middle of the left and of the right half of every frame."""
    r = subprocess.run(["ffmpeg", "-v", "error", *decoder, "-i", path, "-vf", "alphaextract,format=gray,scale=2:1:flags=area",
                        "-f", "rawvideo", "-"], capture_output=True)
    return [tuple(r.stdout[i:i + 2]) for i in range(0, len(r.stdout), 2)]


def has_shape(path, decoder=(), frames=5):
    found = alpha_of(path, decoder)
    return len(found) == frames and all(abs(a - 63) < 14 and abs(b - 255) < 3 for a, b in found), found


VPX = {"libvpx": ("-c:v", "libvpx"), "libvpx-vp9": ("-c:v", "libvpx-vp9")}


def alpha():
    for codec in VPX:
        for ext in some(("webm", "mkv")):
            source = made(f"{codec}.{ext}", SHAPE, f"-c:v {codec} -auto-alt-ref 0 -b:v 300k -deadline realtime -cpu-used 8")
            mode = stream(source, "tags")[0].get("alpha_mode")
            check(mode == "1", f"{codec} in {ext}: the source has alpha", mode)
            for into, name, options in (("libvpx-vp9", "out.webm", QUICK), ("libvpx-vp9", "out.mkv", QUICK), ("libvpx", "vp8.mkv", ""), ("ffv1", "ffv1.mkv", ""),
                                        ("prores_ks", "out.mov", "")):
                if ext == "mkv" and into in ("ffv1", "libvpx", "prores_ks"):
                    continue
                r, out = upscale(source, name, f"--codec {into} {options}")
                ok, found = has_shape(out, VPX.get(into, ()))
                claims = {k.lower(): v for k, v in stream(out, "tags")[0].items()}.get("alpha_mode")
                check(ok and (claims == "1") >= (into in VPX) and "transparency" not in r.stderr, f"{codec} in {ext}: alpha into {into} in {name}", f"{found} {claims} {r.stderr}")
                verified(source, name, f"{codec} in {ext} into {name}")
            for name, options in (("opaque.mkv", QUICK), ("opaque.mp4", "--codec libvpx-vp9 " + QUICK)):
                r, out = upscale(source, name, options)
                check("transparency" in r.stderr and "alpha_mode" not in {k.lower() for k in stream(out, "tags")[0]}, f"{codec} in {ext}: {name} does not claim alpha, and says so", r.stderr)
    source = made("long.webm", SHAPE.replace("d=1", "d=20").replace("r=5", "r=2"), "-c:v libvpx-vp9 -auto-alt-ref 0 -b:v 300k -deadline realtime -cpu-used 8 -g 7")
    options = "--codec libvpx-vp9 " + QUICK
    upscale(source, "once.webm", options + " --workers 1")
    run(PROGRAM, "plan", source, at("parts.webm"), *options.split())
    for segment in (2, 0):
        run(PROGRAM, "work", at("parts.webm.kizunasr"), "--segment", str(segment))
    r, _ = upscale(source, "parts.webm", options)
    ok, found = has_shape(at("parts.webm"), VPX["libvpx-vp9"], 40)
    check(ok and open(at("parts.webm"), "rb").read() == open(at("once.webm"), "rb").read(), "alpha of segments, taken up again: the same bytes", f"{found} {r.stderr}")
    r, out = upscale(source, "piece.webm", options + " --start 5 --duration 2.4")
    check(has_shape(out, VPX["libvpx-vp9"], 5)[0], "alpha of a piece", r.stderr)
    for name, codec, into, out in some((("4444.mov", "prores_ks -profile:v 4444 -pix_fmt yuva444p10le", "prores_ks", "4444.out.mov"), ("png.mkv", "png -pix_fmt rgba", "png", "png.out.mkv"),
                                   ("rle.mov", "qtrle -pix_fmt argb", "qtrle", "rle.out.mov"), ("a.apng", "apng -pix_fmt rgba", "ffv1", "apng.out.mkv"))):
        source = made(name, SHAPE, "-c:v " + codec)
        r, out = upscale(source, out, f"--codec {into}")
        check(has_shape(out)[0] and "transparency" not in r.stderr, f"alpha of {name} into {into}", f"{alpha_of(out)} {r.stderr}")
        r, out = upscale(source, "opaque.mkv", QUICK)
        check("transparency" in r.stderr, f"alpha of {name}: that it is lost is said", r.stderr)


# --- Colours that only the size tells ---

TAGS = ("color_space", "color_primaries", "color_transfer")


def untagged():
    ntsc, pal, small, hd = ["smpte170m"] * 3, ["bt470bg", "bt470bg", "smpte170m"], ["smpte170m", None, None], ["bt709"] * 3
    nothing = [None] * 3
    films = {}
    for name, size, options in (("avi", "640x480", "-c:v mpeg4"), ("mkv", "720x480", "-c:v libx264 -preset ultrafast"), ("vob", "720x480", "-c:v mpeg2video -f vob"),
                                ("pal.mp4", "720x576", "-c:v libx264 -preset ultrafast"), ("web.mkv", "640x360", "-c:v libx264 -preset ultrafast"),
                                ("hd.mkv", "1280x720", "-c:v libx264 -preset ultrafast"), ("rgb.mkv", "640x480", "-c:v ffv1 -pix_fmt gbrp"), ("grey.mkv", "640x480", "-c:v ffv1 -pix_fmt gray"),
                                ("tagged.mkv", "640x480", "-c:v ffv1 -colorspace bt709")):
        films[name] = made("untagged." + name, f"color=0xC82828:s={size}:r=2:d=1", options + (" -pix_fmt yuv420p" if "pix_fmt" not in options else ""))
    for name, options, wanted in some((
            ("avi", "", ntsc), ("mkv", "", ntsc), ("vob", "", ntsc), ("pal.mp4", "", pal), ("web.mkv", "", small), ("web.mkv", "--scale 4", small),
            ("mkv", "--fit 640x480", nothing), ("pal.mp4", "--fit 720x576", nothing), ("hd.mkv", "--fit 1280x720", nothing), ("hd.mkv", "--fit 640x360", hd),
            ("grey.mkv", "--codec ffv1", nothing), ("rgb.mkv", "--codec ffv1", ["gbr", None, None]), ("tagged.mkv", "", ["bt709", None, None]),
            ("mkv", "--codec ffv1 --crop 700:480:10:0", ntsc))):
        into = "out.mkv"
        r, out = upscale(films[name], into, options if "ffv1" in options else f"--preset ultrafast --crf 30 {options}")
        found = [v if v not in ("unknown", "reserved") else None for v in stream(out, *TAGS)]
        said = "no colour tags" in r.stderr
        check(r.returncode == 0 and found == wanted and said == (wanted in (ntsc, pal, small, hd)), f"untagged {name} {options}: tags", f"{found} {r.stderr}")
    r, out = upscale(films["avi"], "tagged.mp4", "--preset ultrafast --crf 30")
    verified(films["avi"], "tagged.mp4", "untagged SD")
    r, _ = upscale(films["avi"], "rgb.png.mkv", "--codec png")
    pixel = subprocess.run(["ffmpeg", "-v", "error", "-i", at("rgb.png.mkv"), "-frames:v", "1", "-vf", "format=rgb24,scale=1:1", "-f", "rawvideo", "-"], capture_output=True).stdout
    check(len(pixel) == 3 and all(abs(a - b) < 8 for a, b in zip(pixel, (0xC8, 0x28, 0x28))), "untagged SD to RGB: BT.601", list(pixel))
    for n in range(2):
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", "color=0xC82828:s=640x480:r=2:d=1", "-frames:v", "1", "-pix_fmt", "yuvj420p", at(f"seq{n}.jpg")))
    r, out = upscale(at("seq%d.jpg"), "seq.mkv", "--preset ultrafast --crf 30")
    check(r.returncode == 0 and stream(out, "color_space")[0] in ("bt470bg", "smpte170m"), "a sequence of JPEG stays BT.601", f"{stream(out, *TAGS)} {r.stderr}")


# --- Film grain, and what else frames carry ---

def bits(*pairs):
    """Bytes of (value, how many bits) and of "ue" and "se" numbers, with the bit that ends them."""
    text = ""
    for value, count in pairs:
        if count == "se":
            value, count = (2 * value - 1 if value > 0 else -2 * value), "ue"
        if count == "ue":
            text += "0" * (len(f"{value + 1:b}") - 1) + f"{value + 1:b}"
        else:
            text += f"{value:0{count}b}"
    text += "1"
    return bytes(int((text[i:i + 8]).ljust(8, "0"), 2) for i in range(0, len(text), 8))


def with_sei(name, codec, payload_type, payload, ext="mkv"):
    """A video with a message before each of its pictures, all of them keyframes."""
    raw = at("raw.h264" if codec == "libx264" else "raw.hevc")
    more = "-preset ultrafast -g 1 -aud 1" if codec == "libx264" else "-preset ultrafast -x265-params log-level=none:keyint=1:aud=1:info=0"
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "color=gray:s=64x64:r=5:d=1", "-c:v", codec, *more.split(), "-pix_fmt", "yuv420p", raw))
    message = bytes([payload_type, len(payload)]) + payload + b"\x80"
    for i in range(len(message) - 2, 0, -1):  # what would look like the start of a unit
        if message[i - 1:i + 1] == b"\0\0" and i + 1 < len(message) and message[i + 1] < 4:
            message = message[:i + 1] + b"\3" + message[i + 1:]
    units = open(raw, "rb").read().replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
    out, head = b"", b"\x06" if codec == "libx264" else b"\x4e\x01"
    for u in units:
        slice_ = (u[0] & 31) in (1, 5) if codec == "libx264" else (u[0] >> 1 & 63) < 32
        out += (b"\0\0\0\1" + head + message if slice_ else b"") + b"\0\0\0\1" + u
    clips.write(folder, os.path.basename(raw), out)
    clips.need(clips.ffmpeg("-r", "5", "-i", raw, "-c", "copy", at(name)))
    return at(name)


def carries(path):
    return json.loads(run(PROGRAM, "probe", path, "--json").stdout)["video"]["carries"]


def grain():
    films = [("AV1", made("grain.mp4", "testsrc2=s=64x64:d=1:r=5,noise=alls=20:allf=t", "-c:v libaom-av1 -cpu-used 8 -denoise-noise-level 30")),
             ("H.264", with_sei("grain.mkv", "libx264", 19, bits((0, 1), (0, 2), (0, 1), (0, 2), (5, 4), (1, 1), (0, 1), (0, 1), (0, 8), (2, 3), (0, 8), (255, 8),
                                                                 (200, "se"), (8, "se"), (8, "se"), (1, "ue"))))]
    for name, source in films:
        check("film grain" in carries(source), f"{name}: probe tells of film grain", carries(source))
        lumas = []
        for what, export, options in (("keep", (), ""), ("off", ("-export_side_data", "film_grain"), "--film-grain off")):
            plain = at("plain.mkv")
            clips.need(clips.ffmpeg(*export, "-i", source, "-c:v", "ffv1", "-pix_fmt", "yuv420p", plain))
            r, out = upscale(source, "out.mkv", f"{FFV1} {options}")
            check(("--film-grain off" in r.stderr) == (what == "keep"), f"{name}, grain {what}: said", r.stderr)
            upscale(plain, "wanted.mkv", FFV1)
            lumas.append(luma(out))
            check(luma(out) == luma(at("wanted.mkv")) != [], f"{name}, grain {what}: the frames of FFmpeg")
            verified(source, "out.mkv", f"{name}, grain {what}")
        check(lumas[0] != lumas[1], f"{name}: grain makes a difference")
        verified(source, "out.mkv", f"{name}, grain off: told by an option", "--no-grain")


def frames_carry():
    import zlib
    picture = at("icc.png")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1", "-pix_fmt", "rgb24", picture))
    data = open(picture, "rb").read()
    body = b"iCCPtest\0\0" + zlib.compress(bytes(range(128)))
    clips.write(folder, "icc.png", data[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:])
    clips.need(clips.ffmpeg("-i", picture, "-c", "copy", at("icc.mov")))
    r, out = upscale(picture, "icc.out.png")
    check("ICC profile" in carries(picture) and "ICC profile" in carries(out) and "ICC" not in r.stderr, "ICC profile: PNG to PNG", r.stderr)
    r, out = upscale(at("icc.mov"), "icc.out.mov", "--codec png")
    check("ICC profile" in carries(out) and "ICC" not in r.stderr, "ICC profile: PNG in MOV", r.stderr)
    r, out = upscale(at("icc.mov"), "icc.mkv", QUICK)
    check("ICC profile" in r.stderr, "ICC profile: lost with libx264, and named", r.stderr)
    for ext in ("jpg", "bmp"):
        r, out = upscale(picture, "icc.out." + ext)
        check(("ICC profile" in carries(out)) != ("ICC profile" in r.stderr), f"ICC profile: {ext} keeps it, or it is named", r.stderr)
    afd = with_sei("afd.mkv", "libx264", 4, b"\xb5\0\x31DTG1\x41\xf9")
    codes = with_sei("codes.mkv", "libx265", 136, bits((1, 2), (1, 1), (0, 1), (0, 5), (1, 1), (0, 1), (0, 1), (12, 9), (34, 6), (56, 6), (7, 5), (0, 5)))
    stem = made("pan.ts", "testsrc2=s=64x48:r=25:d=0.4", "-c:v mpeg2video -seq_disp_ext 1 -color_primaries bt709 -colorspace bt709 -color_trc bt709")
    data = bytearray(open(stem, "rb").read())
    changed = 0
    for i in range(len(data) - 16):
        if data[i:i + 4] == b"\0\0\1\xb5" and data[i + 4] >> 4 == 2 and data[i + 4] & 1:
            data[i + 8:i + 10] = struct.pack(">H", 48 << 2 | struct.unpack(">H", data[i + 8:i + 10])[0] & 3)
            changed += 1
    pan = clips.write(folder, "pan.ts", bytes(data))
    check(changed > 0, "pan-scan: written")
    for name, source in (("active format description", afd), ("timecodes of frames", codes), ("pan-scan", pan)):
        check(name in carries(source), f"{name}: probe tells", carries(source))
        r, out = upscale(source, "carried.mkv", QUICK)
        check((name in r.stderr) != (name in carries(out)), f"{name}: carried or named", r.stderr)
    r, out = upscale(made("nopan.ts", "testsrc2=s=64x48:r=25:d=0.4", "-c:v mpeg2video"), "nopan.mkv", QUICK)
    check("does not keep" not in r.stderr, "MPEG-2 without any of it: nothing is named", r.stderr)


def main():
    global folder
    with tempfile.TemporaryDirectory() as folder:
        for part in (rotation, display, crop, resumed, aperture, alpha, untagged, grain, frames_carry):
            if len(sys.argv) < 3 or part.__name__ in sys.argv[2:]:
                part()
    finish()


if __name__ == "__main__":
    main()
