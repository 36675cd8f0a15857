"""Small inputs for the tests of this folder, made here with the ffmpeg program; none is fetched.

Every function writes one file into a folder and returns its path. What is encoded is encoded with
plain C functions (`-cpuflags 0`) and FFmpeg's own encoders, so that the bytes are the same on every
machine with the same FFmpeg.
"""
import functools, os, struct, subprocess

SECONDS = 1
PICTURE = f"testsrc2=size=64x36:rate=24:duration={SECONDS}"
SRT = """1
00:00:00,100 --> 00:00:00,450
A plain line

2
00:00:00,500 --> 00:00:00,900
<b>Bold</b> and <i>italic</i>
on two lines
"""
ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Sign,Comic Sans,40,&H00FF00FF,&H000000FF,&H00000000,&H00000000,-1,0,0,0,100,100,0,0,1,2,0,8,\
10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.10,0:00:00.45,Sign,,0,0,0,,{\\pos(100,100)}A sign
Dialogue: 1,0:00:00.50,0:00:00.90,Sign,,0,0,0,,Its echo
"""
VTT = """WEBVTT

00:00.100 --> 00:00.450
A plain cue

00:00.500 --> 00:00.900
An <i>italic</i> cue
"""
CHAPTERS = """;FFMETADATA1
title=A small film
artist=Nobody
[CHAPTER]
TIMEBASE=1/1000
START=0
END=500
title=First
[CHAPTER]
TIMEBASE=1/1000
START=500
END=1000
title=Second
"""


def ffmpeg(*args):
    """Runs ffmpeg; returns None, or what it said when it failed."""
    r = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-cpuflags", "0", *map(str, args)],
                       capture_output=True, text=True)
    return None if r.returncode == 0 else (r.stderr.strip().splitlines() or ["failed"])[-1]


@functools.cache
def has_setparams():
    found = subprocess.run(["ffmpeg", "-v", "error", "-h", "filter=setparams"], capture_output=True, text=True)
    return "chroma_location" in found.stdout


def colour_filter(tags):
    """A filter that gives frames what encoder options (-colorspace VALUE ...) say, or "": newer FFmpeg
    takes it from the frames alone, older has no such filter for all of it."""
    names = {"-colorspace": "colorspace", "-color_primaries": "color_primaries", "-color_trc": "color_trc",
             "-color_range": "range", "-chroma_sample_location": "chroma_location"}
    if not has_setparams():
        return ""
    pairs = list(zip(tags[::2], tags[1::2]))
    said = [f"{names[k]}={v}" for k, v in pairs if k in names]
    return "setparams=" + ":".join(said).replace("color_trc=gamma28", "color_trc=bt470bg") if said else ""


def need(trouble):
    if trouble:
        raise RuntimeError(trouble)


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "w" if isinstance(content, str) else "wb") as file:
        file.write(content)
    return path


def pgs(folder):
    """Blu-ray subtitles, two displays of a small box, as a .sup file."""
    def segment(time, kind, body):
        return b"PG" + struct.pack(">IIBH", int(time * 90000), 0, kind, len(body)) + body

    def show(time, number, on):
        state = 0x80 if on else 0x00
        objects = struct.pack(">HBBHH", 0, 0, 0, 8, 20) if on else b""
        out = segment(time, 0x16, struct.pack(">HHBHBBBB", 64, 36, 0x10, number, state, 0, 0, on) + objects)
        out += segment(time, 0x17, struct.pack(">BBHHHH", 1, 0, 8, 20, 16, 8))
        if on:
            out += segment(time, 0x14, bytes([0, 0, 1, 235, 128, 128, 255]))
            lines = b"".join(bytes([0, 0x80 | 16, 1, 0, 0]) for _ in range(8))
            out += segment(time, 0x15, struct.pack(">HBB", 0, 0, 0xC0) +
                           (len(lines) + 4).to_bytes(3, "big") + struct.pack(">HH", 16, 8) + lines)
        return out + segment(time, 0x80, b"")

    times = [(0.1, True), (0.45, False), (0.5, True), (0.9, False)]
    return write(folder, "box.sup", b"".join(show(t, i, on) for i, (t, on) in enumerate(times)))


def vobsub(folder, name="names", languages=("ja",)):
    """DVD subtitles as a pair of files, .idx and .sub: in each language two boxes, at 0.1 s and 0.5 s. Returns the .idx."""
    raw = os.path.join(folder, "spu.raw")
    need(ffmpeg("-i", subtitle(folder, "vobsub"), "-map", "0:s", "-c", "copy", "-f", "data", raw))
    with open(raw, "rb") as file:
        data = file.read()
    packs, lines = b"", ["# VobSub index file, v7 (do not modify this line!)", "size: 64x36",
                         "palette: " + ", ".join(f"{i * 0x0f0f0f + 0x10:06x}" for i in range(16))]
    first = struct.unpack(">H", data[:2])[0]
    for index, language in enumerate(languages):
        lines += ["", f"id: {language}, index: {index}"]
        for time, box in ((100, data[:first]), (500, data[first:])):
            pts = time * 90
            stamp = bytes([0x21 | pts >> 29 & 14, pts >> 22 & 255, 1 | pts >> 14 & 254, pts >> 7 & 255, 1 | pts << 1 & 254])
            body = b"\x81\x80\x05" + stamp + bytes([0x20 + index]) + box
            lines.append(f"timestamp: 00:00:00:{time:03}, filepos: {len(packs):09x}")
            packs += bytes.fromhex("000001ba4400040004010189c3f8") + b"\0\0\1\xbd" + struct.pack(">H", len(body)) + body
    write(folder, name + ".sub", packs)
    return write(folder, name + ".idx", "\n".join(lines) + "\n")


def video(folder, name="video.mkv", options="-c:v libx264 -preset ultrafast -threads 1 -g 12 -bf 2"):
    """The picture alone."""
    path = os.path.join(folder, name)
    need(ffmpeg("-f", "lavfi", "-i", PICTURE, *options.split(), "-bitexact", path))
    return path


def cover(folder):
    """A small picture for the front of the file."""
    path = os.path.join(folder, "cover.png")
    need(ffmpeg("-f", "lavfi", "-i", "testsrc2=size=32x32", "-frames:v", "1", "-bitexact", path))
    return path


# Audio by name: encoder options and a file that can hold it.
AUDIO = {
    "aac": ("-c:a aac -ac 2", "mka"),
    "mp2": ("-c:a mp2 -ac 2", "mka"),
    "mp3": ("-c:a libmp3lame -ac 2", "mka"),
    "ac3": ("-c:a ac3 -ac 6", "mka"),
    "eac3": ("-c:a eac3 -ac 2", "mka"),
    "dts": ("-c:a dca -ac 2 -strict -2", "mka"),
    "truehd": ("-c:a truehd -ac 2 -strict -2", "mka"),
    "flac": ("-c:a flac -ac 1", "mka"),
    "opus": ("-c:a opus -ac 2 -strict -2", "mka"),
    "vorbis": ("-c:a vorbis -ac 2 -strict -2", "mka"),
    "pcm16": ("-c:a pcm_s16le -ac 1 -ar 44100", "mka"),
    "pcm24": ("-c:a pcm_s24le -ac 1", "mka"),
    "alac": ("-c:a alac -ac 2", "mka"),
}
AUDIO_SOURCE = f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"
SUBTITLES = ("srt", "ass", "webvtt", "mov_text", "pgs", "vobsub", "dvbsub")


def audio(folder, kind):
    options, ext = AUDIO[kind]
    path = os.path.join(folder, f"audio-{kind}.{ext}")
    need(ffmpeg("-f", "lavfi", "-i", AUDIO_SOURCE, *options.split(), "-bitexact", path))
    return path


def subtitle(folder, kind):
    """A file with two subtitles, of text or of pictures."""
    source = {"srt": ("text.srt", SRT), "mov_text": ("text.srt", SRT), "ass": ("text.ass", ASS),
              "webvtt": ("text.vtt", VTT)}.get(kind)
    path = os.path.join(folder, f"subtitle-{kind}." + ("mp4" if kind == "mov_text" else "mkv"))
    copy = ["-c:s", "copy"]
    options = {"vobsub": ["-c:s", "dvdsub"], "dvbsub": ["-c:s", "dvbsub"],
               "mov_text": ["-c:s", "mov_text"]}.get(kind, copy)
    file = write(folder, *source) if source else pgs(folder)
    made = os.path.join(folder, "made-" + os.path.basename(path))
    need(ffmpeg("-copyts", "-i", file, *options, "-bitexact", made))
    # The encoders of pictures know no durations.
    times = {"vobsub": "setts=pts=100+400*N:dts=100+400*N:duration=350",
             "dvbsub": "setts=pts=100+400*N:dts=100+400*N:duration=100"}.get(kind)
    if not times:
        os.rename(made, path)
        return path
    need(ffmpeg("-copyts", "-i", made, *copy, "-bsf:s", times, "-bitexact", path))
    return path
