"""Encoders that give their headers late or wait for the end, outputs of one codec, colours that a
format defines, and names and files that are unusual. Usage: encoders.py KIZUNASR"""

import json, os, pathlib, re, struct, subprocess, sys, tempfile
from checks import check, finish, some

program = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
FAST = ["--workers", "1", "--threads", "1", "--overwrite"]


def run(*args):
    try:
        return subprocess.run(args, capture_output=True, timeout=100, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(args, -9, b"", b"did not end")


def upscale(source, out, *options):
    return run(program, "upscale", source, out, *FAST, *options)


def works(name, source, out, *options, say=None):
    """upscale, and verify, which decodes everything."""
    r = upscale(source, out, *options)
    cut = options[options.index("--duration"):][:2] if "--duration" in options else ()
    v = run(program, "verify", source, out, *cut) if r.returncode == 0 else r
    check(r.returncode == 0 and v.returncode == 0, name, (r.stderr + v.stdout + v.stderr).decode(errors="replace"))
    if say:
        check(say in r.stderr.decode(errors="replace"), f"{name}: says {say!r}", r.stderr)


def refused(name, status, say, *args):
    r = run(program, *args)
    text = r.stderr.decode(errors="replace")
    check(r.returncode == status and say in text, name, f"{r.returncode} {text}")


def lavfi(out, video, *options):
    return run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", video, *options, out)


def encoders():
    r = run("ffmpeg", "-v", "error", "-encoders")
    return {line.split()[1] for line in r.stdout.decode().splitlines() if line.startswith(" V") and " = " not in line}


soft = "testsrc2=s=64x48:d=1:r=25,eq=saturation=0.4:contrast=0.8"
lavfi("film.mkv", soft, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-shortest")
lavfi("pcm.mkv", soft, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le", "-shortest")
run("ffmpeg", "-v", "error", "-y", "-i", "pcm.mkv", "-c:v", "mpeg4", "-c:a", "copy", "pcm.avi")
lavfi("vfr.mkv", soft, "-vf", "select='not(eq(mod(n\\,5)\\,2))'", "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast")
lavfi("two.mkv", "color=gray:s=64x48:d=8.6:r=5,drawbox=x=8:y=8:w=20:h=20:color=0x806040:t=fill", "-c:v", "ffv1")
lavfi("red.mkv", "color=0xC82828:s=64x48:d=1:r=5,format=gbrp", "-c:v", "ffv1")
here = encoders()

# Late headers, and the end of the stream. Two segments; a hang fails by time.
for codec, options in (("libsvtav1", ["--crf", "20"]), ("libaom-av1", ["--encoder-option", "cpu-used=8"]),
                       ("librav1e", ["--encoder-option", "speed=10"])):
    if codec in here:
        works(f"{codec} in mkv", "two.mkv", "av1.mkv", "--codec", codec, *options)
if "libsvtav1" in here:
    refused("libsvtav1 closes before it has encoded", 2, "no option 'nix'", "upscale", "film.mkv", "x.mkv", "--codec", "libsvtav1", "--encoder-option", "nix=1")
works("apng", "two.mkv", "a.apng")
works("apng by name", "film.mkv", "b.apng", "--codec", "apng", say="audio stream 1 (aac) cannot be held by apng and is dropped")
works("libtheora repeats frames", "two.mkv", "t.ogv", "--codec", "libtheora")
refused("one packet of all frames", 2, "cannot be divided into segments", "upscale", "film.mkv", "x.mkv", "--codec", "libwebp_anim")

# Formats of one codec, and without audio.
for ext in ("gif", "y4m", "h264", "m2v", "mjpeg"):
    works(f"film with audio to .{ext}", "film.mkv", f"o.{ext}", say="dropped")
run("ffmpeg", "-v", "error", "-y", "-i", "film.mkv", "-map", "0:v", "-frames:v", "1", "-c", "copy", "late.ts") # begins at 1.4 s
works("a late start to .mjpeg", "late.ts", "late.mjpeg")
works("a late start to an image", "late.ts", "late.png")
works("film to flv", "film.mkv", "o.flv")
works("film to nut", "film.mkv", "o.nut")
works("MPEG-PS gets MP2", "film.mkv", "o.mpg", "--codec", "mpeg2video", say="re-encoded with mp2")
pathlib.Path("chapter.txt").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\n", encoding="utf-8")
run("ffmpeg", "-v", "error", "-y", "-i", "film.mkv", "-i", "chapter.txt", "-map", "0:v", "-map_chapters", "1", "-c", "copy", "chapter.mkv")
for ext in ("avi", "gif", "h264", "y4m"):
    said = run(program, "plan", "chapter.mkv", f"chapter.{ext}").stderr.decode()
    check(re.search(rf"1 chapters?\b.*\b{ext}\b", said), f"chapters in .{ext} are missed", said)
for ext in some(("mpg", "vob", "mpeg")):
    works(f".{ext} gets MPEG-2 unless told otherwise", "film.mkv", f"p.{ext}", say="mpeg2video in ")
works("MPEG-PS by --format", "film.mkv", "p.bin", "--format", "vob", say="mpeg2video in vob")
works("H.265 in MPEG-PS, when told so", "film.mkv", "p.mpg", "--codec", "libx265", "--preset", "ultrafast", say="libx265 in mpeg")
for codec in ("mpeg2video", "libx265"):
    refused(f"MPEG-PS has no varying frame rate: {codec}", 2, "mpeg cannot hold a variable frame rate (frame 2", "upscale", "vfr.mkv", "x.mpg", "--codec", codec)
works("a varying frame rate as MPEG-2 in a transport stream", "vfr.mkv", "v.ts", "--codec", "mpeg2video")

# What is named is taken or refused, and is never something else; so from a settings file. Only "auto" gives way.
run("ffmpeg", "-v", "error", "-i", "film.mkv", "-frames:v", "2", "in%03d.png")
pathlib.Path("x264.json").write_text('{"encoder": {"codec": "libx264", "audio_codec": "aac"}}', encoding="utf-8")
pathlib.Path("auto.json").write_text('{"encoder": {"codec": "auto", "audio_codec": "auto"}}', encoding="utf-8")
for codec, options in (("libx264", ["--codec", "libx264"]), ("libx264", ["--config", "x264.json"]), ("ffv1", ["--codec", "ffv1"]), ("tiff", ["--codec", "tiff"])):
    refused(f"{options[1]} makes no PNG", 2, f"codec: {codec} does not go into image files named o%03d.png (leave codec out for png", "upscale", "in%03d.png", "o%03d.png", *options)
check(not pathlib.Path("o001.png").exists(), "no image is left by a codec that makes none")
def codec_of(path, kind):
    return run("ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "stream=codec_name", "-of", "csv=p=0", path).stdout.decode().split()[:1]
run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x120:d=0.4:r=25,noise=alls=30:all_seed=1", "-c:v", "ffv1", "noisy.mkv")
for options in (["--codec", "libx264"], ["--config", "x264.json"]):
    works(f"H.264 in MPEG-PS: {options[1]}", "noisy.mkv", "n.mpg", *options, "--preset", "ultrafast", "--fresh")
    check(codec_of("n.mpg", "v") == ["h264"], f"MPEG-PS holds the codec that was named: {options[1]}", codec_of("n.mpg", "v"))
works("auto from a settings file", "noisy.mkv", "n.mpg", "--config", "auto.json", "--fresh", say="mpeg2video in mpeg")
for options in (["--audio-codec", "aac"], ["--config", "x264.json"]):
    refused(f"AAC in MPEG-PS when told so: {options[1]}", 2, "audio_codec: mpeg cannot hold audio of aac", "upscale", "pcm.mkv", "x.mpg", *options, "--audio-passthrough", "no")
lavfi("lossless.mkv", soft, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "wavpack", "-shortest")
for options, codec in some((([], "alac"), (["--audio-codec", "auto"], "alac"), (["--audio-codec", "aac"], "aac"))):
    works(f"lossless audio to MP4: {options}", "lossless.mkv", "l.mp4", *options, "--preset", "ultrafast", "--fresh")
    check(codec_of("l.mp4", "a") == [codec] or (codec == "alac" and codec_of("l.mp4", "a") == ["flac"]), f"audio to MP4: {options}", codec_of("l.mp4", "a"))
check(run(program, "plan", "in%03d.png", "p%03d.png", "--work-dir", "p").returncode == 0, "images are planned")
for codec in ("tiff", "bmp", "libx264"):
    refused(f"a job planned for PNG is another one than {codec}", 2, "p belongs to another job: codec differs", "upscale", "in%03d.png", "p%03d.png", "--work-dir", "p", "--codec", codec)
check(run(program, "upscale", "in%03d.png", "p%03d.png", "--work-dir", "p", "--codec", "png").returncode == 0, "png by name is what it was planned for")

# AVI has one time per frame, without the delay of an encoder; audio stays beside the video.
for codec in some(("mpeg2video", "mpeg1video", "mpeg4")):
    for source in ("pcm.mkv", "pcm.avi"):
        works(f"{codec} in AVI from {source}", source, "p-out.avi", "--codec", codec, "--fresh")
    if codec != "mpeg1video":
        times = run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", "p-out.avi").stdout.split()
        check([float(t.strip(b",")) for t in times[:3]] == [0, 0.04, 0.08], f"{codec} in AVI: the first frames are shown at their times", times[:3])
# The quick look at colours refuses no good output: grey ones have none, tiny ones lose some at their edges.
lavfi("tiny.mkv", "testsrc2=s=64x48:d=1:r=5,format=rgb8,crop=20:10:5:3:exact=1", "-c:v", "ffv1", "-pix_fmt", "bgra")
for name, source, options in (("grey", "film.mkv", ["--pixel-format", "gray"]), ("tiny", "tiny.mkv", ["--codec", "ffv1"])):
    r = run(program, "upscale", source, "look.mkv", *FAST, *options)
    check(r.returncode == 0, f"a {name} output passes its check", r.stderr.decode(errors="replace"))
# Grey H.264 decodes with chroma, which is the decoder's; a grey output is judged by its brightness and position. What cannot say its range is full range.
lavfi("short.mkv", soft, "-frames:v", "6", "-c:v", "ffv1", "-pix_fmt", "yuv420p")
lavfi("still.mkv", soft, "-frames:v", "1", "-c:v", "ffv1", "-pix_fmt", "yuv420p", "-color_range", "tv")
for source, out, options in some((("short", "g.mkv", ["--preset", "ultrafast"]), ("short", "g.ts", ["--preset", "ultrafast"]), ("short", "g2.mkv", ["--codec", "ffv1"]),
                             ("still", "g2.mp4", ["--codec", "libx265", "--preset", "ultrafast"]), ("still", "g.png", []), ("still", "g.tif", []), ("short", "g.apng", []))):
    works(f"grey output: {out}", f"{source}.mkv", out, "--pixel-format", "gray", *options)
for name, filters, options, say in some((("right", "null", "gray", "verified"), ("darker", "lutyuv=y=val*0.8", "gray", "FAIL colour"), ("inverted", "negate", "gray", "FAIL colour"),
                                    ("moved", "crop=124:96:0:0,pad=128:96:4:0", "gray", "FAIL position"), ("not coded as grey", "null", "yuv420p", "FAIL colour"))):
    run("ffmpeg", "-v", "error", "-y", "-i", "g.mkv", "-vf", f"extractplanes=y,{filters},format=gray,setrange=tv,format={options}", "-c:v", "libx264", "-crf", "6", "-preset", "ultrafast", "wrong.mkv")
    r = run(program, "verify", "short.mkv", "wrong.mkv")
    check((r.returncode == 0) == (name == "right") and say in r.stdout.decode(), f"a grey output that is {name}", f"{r.returncode} {r.stdout.decode()}")
pixel = run("ffmpeg", "-v", "error", "-i", "o.gif", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-").stdout
check(any(abs(pixel[i] - pixel[i + 2]) > 40 for i in range(0, len(pixel) - 2, 3)), "a GIF is in colour")
refused("WebM names a codec", 2, "webm cannot hold video of libx264 (--codec libvpx-vp9)", "upscale", "film.mkv", "x.webm")
refused("WebP is one picture", 2, "use a name such as out%04d.png", "upscale", "film.mkv", "x.webp")
refused("times that ASF does not keep", 2, "does not keep the times", "upscale", "film.mkv", "x.wmv", "--codec", "mpeg2video")

# Animated WebP as input: newer versions of FFmpeg decode it, with others the message says what to type.
def webp(name, *chunks):
    body = b"WEBP" + b"".join(tag + struct.pack("<I", len(data)) + data for tag, data in chunks)
    pathlib.Path(name).write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return name


def probes_webp(title, name, animated):
    r = run(program, "probe", name)
    text = r.stderr.decode(errors="replace")
    says = "is an animated WebP" in text and "anim_dump" in text
    check((r.returncode == 0 and animated is not False) or (r.returncode == 3 and text.count("\n") == 1 and says == bool(animated)), title, f"{r.returncode} {text}")


canvas = bytes(4) + b"\x3f\0\0\x2f\0\0"  # 64x48
moving = [(b"VP8X", b"\x02" + canvas[1:]), (b"ANIM", bytes(6))]
lavfi("anim.webp", soft, "-c:v", "libwebp_anim") if "libwebp_anim" in here else webp("anim.webp", *moving)
probes_webp("animated WebP", "anim.webp", True)
probes_webp("its head alone", webp("head.webp", *moving), True)
os.link("anim.webp", "anim.png")
probes_webp("under another name", "anim.png", True)
probes_webp("WebP without frames is no animation", webp("still.webp", (b"VP8X", canvas)), False)
for size in (12, 16, 19, 20):
    pathlib.Path("cut.webp").write_bytes(pathlib.Path("head.webp").read_bytes()[:size])
    probes_webp(f"WebP of {size} bytes", "cut.webp", False)

# Colours: 200,40,40 of RGB.
for out, options in some((("c.jpg", ["--duration", "0.1"]), ("c.webp", ["--duration", "0.1"]), ("c.mkv", ["--codec", "mjpeg"]), ("c.ogv", ["--codec", "libtheora"]),
                     ("c.avi", ["--codec", "mpeg4"]), ("c.mp4", []), ("c.y4m", []))):
    works(f"red to {out}", "red.mkv", out, *options)
    colour = run("ffmpeg", "-v", "error", "-i", out, "-frames:v", "1", "-sws_flags", "accurate_rnd+full_chroma_int", "-f", "rawvideo", "-pix_fmt", "rgb24", "-").stdout[:3]
    check(len(colour) == 3 and all(abs(a - b) <= 3 for a, b in zip(colour, (200, 40, 40))), f"red in {out}", list(colour))

# Full range goes out as limited where the codec has no other, or cannot say so.
lavfi("full.mkv", soft, "-frames:v", "6", "-c:v", "ffv1", "-pix_fmt", "yuv420p", "-color_range", "pc")
for out, codec in (("f.mkv", "mpeg2video"), ("f.ogv", "libtheora"), ("f.webm", "libvpx")):
    works(f"full range in {codec}", "full.mkv", out, "--codec", codec, say="the output has limited range")

# MP4 has its index in front.
works("film to mp4", "film.mkv", "o.mp4")
data = pathlib.Path("o.mp4").read_bytes()
check(0 < data.find(b"moov") < data.find(b"mdat"), "the index of MP4 comes first")

# Names.
odd = b"\x83\x41\x83j.mkv"
os.link("film.mkv", odd)
works("a name that is not UTF-8", odd, b"out\xff\xfe.mkv", "--keep-work")
with open(b"out\xff\xfe.mkv.kizunasr/manifest.json", encoding="utf-8") as f:
    check(json.load(f)["paths"]["output"].endswith("out\uefff\ueffe.mkv"), "how it stands in JSON")
r = run(program, "probe", odd, "--json")
check(r.returncode == 0 and json.loads(r.stdout)["path"] == "\uef83A\uef83j.mkv", "probe tells of it", r.stderr)
r = upscale(odd, b"out\xff\xfe.mkv")
check(r.returncode == 0 and b"already done" in r.stdout, "the run is known again", r.stdout + r.stderr)
for size in (246, 248, 255):
    works(f"a name of {size} bytes", "film.mkv", "n" * (size - 4) + ".mkv")
works("a name of 255 bytes that are not ASCII", "film.mkv", "あ" * 83 + "x" * 2 + ".mkv")

# What is no regular file.
os.mkfifo("pipe")
os.symlink("nowhere", "dangling.mkv")
for name, status, say in (("pipe", 2, "add --format"), ("/dev/stdout", 2, "add --format"), ("/dev/null", 4, "not a regular file"), ("dangling.mkv", 4, "not a regular file")):
    kind = os.lstat(name).st_mode
    refused(f"{name} is not replaced", status, say, "upscale", "film.mkv", name, "--overwrite")
    check(os.lstat(name).st_mode == kind, f"{name} stays")
pathlib.Path("target.mkv").write_bytes(b"old")
os.symlink("target.mkv", "link.mkv")
works("a link to a file", "film.mkv", "link.mkv")
check(os.path.islink("link.mkv") and os.path.getsize("target.mkv") > 3, "is written through")
refused("standard output", 2, "add --format", "upscale", "film.mkv", "-")
refused("standard output of plan", 2, "only upscale writes to standard output", "plan", "film.mkv", "-")
check(not os.path.exists("-"), "no file is named -")
for name in ("-", "/dev/stdin", "pipe"):
    refused(f"{name} as input", 3, "not a regular file", "probe", name)
refused("a URL as input", 3, "is a URL", "probe", "http://localhost/film.mkv")
refused("a URL as output", 2, "is a URL", "upscale", "film.mkv", "http://localhost/film.mkv")

finish()
