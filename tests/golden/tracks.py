#!/usr/bin/env python3
"""Tracks that come late, cannot be used or are empty, lossless audio, flags of tracks, and choosing tracks.

Every source is small and made here with ffmpeg; what no muxer writes is changed in its bytes.

  tracks.py PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, shutil, struct, subprocess, tempfile, time, zlib

import clips
from checks import EVERY, check, finish, run, some
from languages import CRC, NAME, SEGMENT, TRACK, TRACKS, element, elements, find

VIDEO = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1")
NOISE = ("-f", "lavfi", "-i", "anoisesrc=duration=1:amplitude=0.3:seed=1")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
SRT = "1\n00:00:00,600 --> 00:00:00,900\nHello\n"


class Test:
    def __init__(self, program, folder):
        self.program, self.folder, self.count = program, folder, 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, *args):
        """One file made with ffmpeg."""
        clips.need(clips.ffmpeg(*args, "-bitexact", "-strict", "-2", self.path(name)))
        return self.path(name)

    def patch(self, source, name, change):
        """A copy of a file with its bytes changed."""
        with open(source, "rb") as file:
            data = change(file.read())
        return clips.write(self.folder, name, bytes(data))

    def upscale(self, source, ext, *options):
        """(output, what was said, streams) of a run that must be verified; None for what failed."""
        self.count += 1
        stem = os.path.splitext(os.path.basename(source))[0]
        out = self.path(f"{stem}-{self.count}.{ext}")
        codec = ["--codec", "libvpx"] if ext == "webm" else ["--preset", "ultrafast", "--crf", "30"]
        r = run(self.program, "upscale", source, out, *codec, "--workers", "1", "--threads", "1",
                "--progress", "none", "--overwrite", *options)
        name = " ".join([os.path.basename(source), "to", ext, *options])
        if not check(r.returncode == 0 and "verified" in r.stderr + r.stdout, name + ": verified", r.stderr):
            return out, r.stderr, []
        return out, r.stderr, self.streams(out)

    def streams(self, path):
        text = run("ffprobe", "-v", "error", "-show_streams", "-of", "json", path).stdout
        return json.loads(text or "{}").get("streams", [])


def codecs(streams):
    return [s.get("codec_name", "none") for s in streams]


def sound(path, track=0):
    """A checksum of a track's samples."""
    return run("ffmpeg", "-v", "error", "-i", path, "-map", f"0:a:{track}", "-c:a", "pcm_s32le", "-f", "md5", "-").stdout


def drop_pid(pid):
    def change(data):
        packets = [data[i:i + 188] for i in range(0, len(data), 188)]
        return b"".join(p for p in packets if (p[1] & 31) << 8 | p[2] != pid)
    return change


# --- Tracks that cannot be used ---

def avi_tag(data):
    at = data.rindex(b"strf") + 8
    return data[:at] + b"\x34\x12" + data[at + 2:]


def unusable(t):
    ts = t.make("two.ts", *VIDEO, *NOISE, "-map", "0", "-map", "1", "-map", "1", "-c:v", "mpeg2video", "-c:a", "mp2")
    mov = t.make("two.mov", *VIDEO, *NOISE, "-map", "0", "-map", "1", "-map", "1", "-map", "1", "-map", "0", *X264,
                 "-c:a", "aac", "-c:a:1", "pcm_s16le", "-c:a:2", "alac", "-c:v:1", "mjpeg")
    avi = t.make("one.avi", *VIDEO, *NOISE, "-c:v", "mpeg4", "-c:a", "mp2")
    mkv = t.make("one.mkv", *VIDEO, *NOISE, *X264, "-c:a", "flac", "-metadata:s:a", "language=jpn")
    sources = [
        (t.patch(ts, "no-packets.ts", drop_pid(0x102)), ["audio stream 2 (", "has no packets and is dropped"], 2),
        (t.patch(mov, "apac.mov", lambda d: d.replace(b"sowt", b"apac")),
         ["audio stream 2 (apac) has a codec unknown to FFmpeg and is dropped"], 4),
        (t.patch(mov, "video.mov", lambda d: d.replace(b"jpeg", b"xyzw")),
         ["video stream 4 (xyzw) has a codec unknown to FFmpeg and is dropped"], 4),
        (t.patch(avi, "tag.avi", avi_tag), ["has a codec unknown to FFmpeg and is dropped"], 1),
        (t.patch(mkv, "tag.mkv", lambda d: d.replace(b"A_FLAC", b"A_FLOC")),
         ["audio stream 1 (none) has a codec unknown to FFmpeg and is dropped"], 1)]
    for source, said, count in some(sources):
        for ext in ("mkv", "mp4"):
            _, text, streams = t.upscale(source, ext)
            check(all(s in text for s in said), f"{os.path.basename(source)} to {ext}: said", text)
            check(len(streams) == count, f"{os.path.basename(source)} to {ext}: the others stay", codecs(streams))
    # The codec asked for is no reason to lose what it cannot encode.
    t.upscale(sources[1][0], "mkv", "--audio-passthrough", "false")


# --- Tracks without packets ---

def empty(t):
    late = t.make("late.mkv", *VIDEO, "-itsoffset", "0.6", *NOISE, "-map", "0", "-map", "1", "-map", "1", *X264, "-c:a", "aac",
                  "-c:a:1", "flac")
    text = clips.write(t.folder, "text.srt", SRT)
    subs = t.make("subs.mkv", *VIDEO, "-i", text, "-i", clips.pgs(t.folder), "-map", "0", "-map", "1", "-map", "1", "-map", "1",
                  "-map", "2", *X264, "-c:s", "srt", "-c:s:1", "ass", "-c:s:2", "webvtt", "-c:s:3", "copy",
                  "-metadata:s:s:0", "language=eng", "-metadata:s:s:0", "title=Signs")
    piece = ("--duration", "0.08")
    for source in (late, subs):
        _, said, streams = t.upscale(source, "mkv", *piece)
        check("warning" not in said, f"{os.path.basename(source)}, a piece without packets: no warning", said)
        wanted = codecs(t.streams(source))
        check(codecs(streams)[1:] == wanted[1:], "... its tracks stay", (codecs(streams), wanted))
    tags = (streams or [{}, {}])[1].get("tags", {})
    check(tags.get("language") == "eng" and tags.get("title") == "Signs", "... with their tags", tags)
    _, said, streams = t.upscale(late, "mkv", "--audio-passthrough", "false", *piece)
    check(codecs(streams)[1:] == ["aac", "aac"], "... re-encoded too", codecs(streams))
    for ext in ("mp4", "ts", "avi"):
        _, said, streams = t.upscale(late, ext, *piece)
        left = [s for s in said.splitlines() if "has no packets in this range and is dropped; mkv would keep it" in s]
        check(len(streams) + len(left) == 3 or ext == "avi", f"a piece without packets to {ext}: kept or said", said)
    whole = t.make("none.mkv", "-i", subs, "-map", "0", "-c", "copy", "-t", "0.08")
    _, said, streams = t.upscale(whole, "mkv")
    check(len(streams) == 5 and "warning" not in said, "a file with empty subtitles: all stay", said)
    _, said, streams = t.upscale(whole, "mp4")
    check("(hdmv_pgs_subtitle) cannot be held by mp4 and is dropped; mkv would keep it" in said, "... PGS to MP4: said", said)


# --- Lossless audio ---

def lossless(t):
    sources = {"pcm_bluray": ("m2ts", "mkv mp4"), "pcm_dvd": ("vob", "mkv ts"), "s302m": ("ts", "mkv avi"),
               "pcm_s8": ("mov", "mkv mp4 ts"), "truehd": ("mkv", "mov avi"), "pcm_s24be": ("mov", "mp4 avi"), "alac": ("mov", "ts")}
    for codec, (ext, targets) in some(sources.items()):
        video = ("-c:v", "mpeg2video", "-bf", "0") if ext == "vob" else X264
        source = t.make(f"{codec}.{ext}", *VIDEO, *NOISE, *video, "-ac", "2", "-ar", "48000", "-c:a", codec)
        for target in targets.split():
            out, said, streams = t.upscale(source, target)
            check("without loss" in said and "warning: audio" not in said and
                  sound(source) == sound(out), f"{codec} to {target}: the same samples, no warning", (codecs(streams), said))
    # What no lossless encoder of the container holds is said, with advice that is true.
    deep = t.make("float.mkv", *VIDEO, *NOISE, *X264, "-c:a", "pcm_f32le")
    _, said, _ = t.upscale(deep, "mp4")
    check("re-encoded with aac; mkv would keep it" in said, "32-bit floating point to MP4: said", said)
    swf = t.make("swf.flv", *VIDEO, *NOISE, "-c:v", "flv1", "-ar", "44100", "-ac", "1", "-c:a", "adpcm_swf")
    for ext in ("mkv", "mp4"):
        _, said, _ = t.upscale(swf, ext)
        check("re-encoded with aac\n" in said, f"adpcm_swf to {ext}: no container is named that does not hold it", said)
    # One track that needs another encoder changes nothing about the next.
    two = t.make("two-kinds.mov", *VIDEO, *NOISE, "-map", "0", "-map", "1", "-map", "1", *X264, "-ac", "2", "-c:a", "pcm_s8",
                 "-c:a:1", "adpcm_ima_qt")
    _, said, streams = t.upscale(two, "mkv")
    check(codecs(streams)[1:] == ["flac", "aac"] or codecs(streams)[1:] == ["flac", "adpcm_ima_qt"],
          "a lossless and a lossy track: each its own encoder", codecs(streams))


# --- Flags of tracks ---

ENABLED = 0xB9


def enabled(path):
    """FlagEnabled of each track, and whether the checksum of the tracks is right."""
    with open(path, "rb") as file:
        data = file.read()
    _, _, segment, end = find(data, SEGMENT)
    _, _, at, stop = find(data, TRACKS, segment, end)
    flags, right = [], True
    for id, _, a, b in elements(data, at, stop):
        if id == CRC:
            right = int.from_bytes(data[a:b], "little") == zlib.crc32(data[b:stop])
        if id == TRACK:
            values = [int.from_bytes(data[x:y], "big") if y > x else 1 for i, _, x, y in elements(data, a, b) if i == ENABLED]
            flags.append((values or [1])[-1])
    return flags, right


def with_flags(flags):
    """Puts elements of FlagEnabled in the place of the tracks' names, "track-0" and so on."""
    def change(data):
        for i, flag in enumerate(flags):
            name = element(NAME, b"track-%d" % i, 1)
            new = flag + element(0xEC, bytes(len(name) - len(flag) - 2), 1)
            assert data.count(name) == 1 and len(new) == len(name)
            data = data.replace(name, new)
        return data
    return change


def flags(t):
    off, long_off, on, empty_on = (element(ENABLED, data, 1) for data in (b"\0", b"\0\0", b"\1", b""))
    text, font = clips.write(t.folder, "text.srt", SRT), clips.write(t.folder, "font.ttf", "a font")
    plain = t.make("plain.mkv", *VIDEO, *NOISE, "-i", text, "-map", "0", "-map", "1", "-map", "1", "-map", "1", "-map", "2", *X264,
                   "-c:a", "libopus", "-b:a", "32k", "-c:s", "srt", "-attach", font, "-metadata:s:t", "mimetype=font/ttf",
                   *[w for i in range(5) for w in (f"-metadata:s:{i}", f"title=track-{i}")], "-write_crc32", "0")
    some = t.patch(plain, "disabled.mkv", with_flags([on, off, empty_on, long_off, off]))
    video = t.patch(plain, "disabled-video.mkv", with_flags([off, empty_on, on, off, on]))
    for source, ext, options, wanted in [(some, "mkv", (), [1, 0, 1, 0, 0]), (some, "webm", (), [1, 0, 1, 0, 0]),
                                         (some, "mkv", ("--preserve-metadata", "false"), [1, 0, 1, 0, 0]),
                                         (some, "mkv", ("--audio-passthrough", "false"), [1, 0, 1, 0, 0]),
                                         (some, "mkv", ("--audio", "2,3"), [1, 1, 0, 0]),
                                         (video, "mkv", (), [0, 1, 1, 0, 1])]:
        name = f"{os.path.basename(source)} to {ext} {' '.join(options)}"
        out, said, _ = t.upscale(source, ext, *options)
        check(enabled(out) == (wanted, True), name + ": the same tracks are disabled", enabled(out))
        check("disabled" not in said, name + ": nothing is said", said)
    back = t.patch(out, "enabled.mkv", lambda d: d.replace(off, b"\x9c\x81\0", 1))
    r = run(t.program, "verify", video, back)
    check(r.returncode == 6 and "video stream 0 is disabled in the input only" in r.stdout, "verify misses the flag", r.stdout)
    for source, ext, tracks in [(some, "mp4", ["audio stream 1", "audio stream 3", "subtitle stream 4"]),
                                (some, "ts", ["audio stream 1", "audio stream 3"]),
                                (some, "nut", ["audio stream 1", "audio stream 3", "subtitle stream 4"]),
                                (video, "mp4", ["of the video:", "audio stream 3"])]:
        _, said, _ = t.upscale(source, ext)
        lines = [line for line in said.splitlines() if "disabled flag (the track becomes enabled)" in line]
        check(len(lines) == len(tracks) and all(any(track in line for line in lines) for track in tracks),
              f"{os.path.basename(source)} to {ext}: said of each track", said)
    # Dispositions that Matroska and others do not have.
    ts = t.make("described.ts", *VIDEO, *NOISE, "-map", "0", "-map", "1", "-map", "1", "-map", "1", "-c:v", "mpeg2video", "-c:a", "aac",
                "-disposition:a:0", "descriptions+visual_impaired", "-disposition:a:1", "hearing_impaired",
                "-disposition:a:2", "clean_effects")
    there = [{k for k, v in s["disposition"].items() if v} for s in t.streams(ts)]
    check(any(len(s) > 1 for s in there), "a source with two flags on a track", there)
    for ext in ("mkv", "mp4", "ts", "nut"):
        _, said, streams = t.upscale(ts, ext)
        for i, (a, s) in enumerate(zip(there, streams)):
            lost = a - {k for k, v in s["disposition"].items() if v} - {"default"}
            said_of = [line for line in said.splitlines() if f"stream {i}:" in line and "does not keep its" in line]
            check(all(word.replace("_", "-") in " ".join(said_of) for word in lost) and bool(said_of) == bool(lost),
                  f"described.ts to {ext}, stream {i}: what is lost of its flags is said", (a, lost, said))


# --- Streams that come late ---

LONG = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=12")
TONE = ("-f", "lavfi", "-i", "sine=duration=12")
MPEG = ("-c:v", "mpeg2video", "-bf", "0", "-c:a", "ac3", "-ac", "1", "-b:a", "64k", "-muxdelay", "0")


def crc(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


def unknown_type(data):
    """The last stream, DVB subtitles, gets a type and data that nobody knows."""
    out = bytearray(data.replace(b"\x20\x00\x0f", b"UUU"))
    for at in range(0, len(out), 188):
        table = at + 5
        if (out[at + 1] & 31) << 8 | out[at + 2] != 0x1000 or out[table] != 2:
            continue
        end = table + 3 + ((out[table + 1] & 15) << 8 | out[table + 2]) - 4
        entry = table + 12 + ((out[table + 10] & 15) << 8 | out[table + 11])
        while entry + 5 + ((out[entry + 3] & 15) << 8 | out[entry + 4]) < end:
            entry += 5 + ((out[entry + 3] & 15) << 8 | out[entry + 4])
        out[entry] = 0x9A
        out[entry + 5:end] = b"\xff" * (end - entry - 5)
        out[entry + 5:entry + 7] = bytes([0xC0, end - entry - 7]) if end - entry >= 7 else b""
        out[end:end + 4] = crc(out[table:end]).to_bytes(4, "big")
    return bytes(out)


def subpicture_pack(head, seconds):
    """A pack of a program stream with one DVD subtitle of a box."""
    commands = struct.pack(">HH", 0, 8) + bytes([1, 3, 0x32, 0x10, 4, 255, 255, 5, 0, 0, 7, 0, 0, 1, 6, 0, 4, 0, 6, 255])
    subtitle = struct.pack(">HH", 8 + len(commands), 8) + bytes(4) + commands
    t = int(seconds * 90000)
    pts = bytes([0x21 | t >> 29 & 14, t >> 22 & 255, t >> 14 & 254 | 1, t >> 7 & 255, t << 1 & 254 | 1])
    body = bytes([0x81, 0x80, 5]) + pts + b"\x20" + subtitle
    out = head + b"\0\0\1\xbd" + struct.pack(">H", len(body)) + body
    room = 2048 - len(out) - 6
    return out + b"\0\0\1\xbe" + struct.pack(">H", room) + b"\xff" * room


def with_subpictures(data):
    packs = [data[i:i + 2048] for i in range(0, len(data), 2048)]
    at = len(packs) * 3 // 4
    packs.insert(at, subpicture_pack(packs[at][:14], 10.5))
    packs.insert(at + 4, subpicture_pack(packs[at][:14], 11.5))
    return b"".join(packs)


def times(path, track):
    out = run("ffprobe", "-v", "error", "-select_streams", str(track), "-show_entries", "packet=pts_time", "-of",
              "csv=p=0", path).stdout.split()
    return [float(t.strip(",")) for t in out]


def late(t):
    second = ("-itsoffset", "9", "-f", "lavfi", "-i", "sine=frequency=800:duration=2")
    maps = ("-map", "0", "-map", "1", "-map", "2")
    ts = t.make("second.ts", *LONG, *TONE, *second, *maps, *MPEG)
    vob = t.make("second.vob", *LONG, *TONE, *second, *maps, *MPEG)
    first = t.make("first.ts", *VIDEO, "-f", "lavfi", "-i", "anoisesrc=duration=1", *MPEG)
    audio = t.make("more.ts", *VIDEO, "-f", "lavfi", "-i", "anoisesrc=duration=1", "-f", "lavfi", "-i", "sine=duration=1",
                   *maps, *MPEG, "-output_ts_offset", "1.1")
    dvb = t.make("dvb.ts", *VIDEO, "-f", "lavfi", "-i", "anoisesrc=duration=1", "-i", clips.subtitle(t.folder, "dvbsub"),
                 *maps, *MPEG, "-c:s", "copy", "-output_ts_offset", "1.1")
    unknown = t.patch(dvb, "unknown.ts", unknown_type)

    def join(name, *parts):
        return clips.write(t.folder, name, b"".join(open(p, "rb").read() for p in parts))

    for source, track, codec, since in [(ts, 2, "ac3", 9), (vob, 2, "ac3", 9),
                                        (join("pmt-audio.ts", first, audio), 2, "ac3", 1),
                                        (join("pmt-dvb.ts", first, dvb), 2, "dvb_subtitle", 1),
                                        (t.patch(vob, "subpictures.vob", with_subpictures), 3, "dvd_subtitle", 9.8)]:
        name = os.path.basename(source)
        for ext in some(("mkv", "ts") if codec == "ac3" else ("mkv",)):
            out, said, streams = t.upscale(source, ext)
            check(codecs(streams)[track:] == [codec], f"{name} to {ext}: the late stream is there", (codecs(streams), said))
            want, got = times(source, track), times(out, track)
            check(want and len(want) == len(got) and want[0] >= since and
                  all(abs(a - b) < 0.002 for a, b in zip(want, got)), f"{name} to {ext}: at its times", (want[:3], got[:3]))
    _, said, streams = t.upscale(join("pmt-unknown.ts", first, unknown), "mkv")
    check("has a codec unknown to FFmpeg and is dropped" in said and len(streams) == 2,
          "a late stream of an unknown codec: said", said)
    video = t.make("video.ts", "-f", "lavfi", "-i", "sine=duration=12", "-itsoffset", "9", *VIDEO, "-map", "0", "-map", "1", *MPEG)
    out, said, streams = t.upscale(video, "mkv")
    want, got = times(video, 1), times(out, codecs(streams).index("h264"))
    check(want and want[0] > 9 and len(want) == len(got) and abs(want[0] - got[0]) < 0.002, "a late video: at its time",
          (want[:3], got[:3], said))
    # Parts of a job find the same streams.
    for source, count in ((ts, 3), (video, 2)):
        out = t.path("parts.mkv")
        if os.path.exists(out):
            os.remove(out)
        for words in (["plan", source, out, "--preset", "ultrafast", "--overwrite"], ["work"], ["join"]):
            r = run(t.program, *words, *([] if words[0] == "plan" else [out + ".kizunasr"]))
        check(r.returncode == 0 and len(t.streams(out)) == count,
              f"plan, work and join: the late streams of {os.path.basename(source)} are there", r.stderr)


# --- Choosing tracks ---

def chosen(t):
    text = clips.write(t.folder, "text.srt", SRT)
    still = t.make("still.mkv", "-f", "lavfi", "-i", "testsrc2=size=32x32:rate=1:duration=1", *VIDEO, *NOISE, "-i", text,
                   "-map", "0", "-map", "1", "-map", "2", "-map", "2", "-map", "2", "-map", "3", "-map", "3",
                   "-c:v:0", "mjpeg", "-c:v:1", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-c:s", "srt",
                   "-disposition:v:0", "default", "-disposition:v:1", "0",
                   *[w for i, l in enumerate(("jpn", "eng", "jpn")) for w in (f"-metadata:s:a:{i}", "language=" + l)],
                   *[w for i, l in enumerate(("ger", "eng")) for w in (f"-metadata:s:s:{i}", "language=" + l)])

    def languages(streams, kind):
        return [s.get("tags", {}).get("language") for s in streams if s["codec_type"] == kind]

    for options, audio, subs in [(("--audio", "jpn", "--subs", "none"), ["jpn", "jpn"], []),
                                 (("--audio", "2", "--subs", "GER"), ["eng"], ["ger"]),
                                 (("--audio", "none", "--subs", "2,1"), [], ["ger", "eng"]),
                                 (("--audio", "3,eng",), ["eng", "jpn"], ["ger", "eng"])]:
        out, said, streams = t.upscale(still, "mkv", "--video", "2", *options)
        check(languages(streams, "audio") == audio and languages(streams, "subtitle") == subs,
              " ".join(options) + ": these tracks", streams)
        sizes = [(s["width"], s["disposition"]["default"]) for s in streams if s["codec_type"] == "video"]
        check(sizes == [(32, 0), (128, 1)], "... the second video is upscaled, and is the one to show", sizes)
        r = run(t.program, "verify", still, out, "--video", "2", *options)
        check(r.returncode == 0, "... verify knows it from its options", r.stdout + r.stderr)
    for ext in ("mp4", "ts", "avi"):
        _, said, streams = t.upscale(still, ext, "--video", "2", "--audio", "1", "--subs", "none")
        sizes = [s["width"] for s in streams if s["codec_type"] == "video"]
        check(sizes == ([32, 128] if ext == "mp4" else [128]), f"--video 2 to {ext}: the film is there", (sizes, said))
        check(("instead of the upscaled one" in said) == (ext != "mp4"), "... what would hide it is left out, and said", said)
    for option, value, words in [("--video", "3", "there is no video stream 3"), ("--audio", "4", "there is no track '4' (1: jpn, 2: eng, 3: jpn)"),
                                 ("--audio", "1,", "there is no track ''"), ("--subs", "fre", "there is no track 'fre' (1: ger, 2: eng)"),
                                 ("--audio", "1x", "there is no track '1x'")]:
        r = run(t.program, "upscale", still, t.path("no.mkv"), option, value, "--progress", "none")
        check(r.returncode == 2 and words in r.stderr, f"{option} {value}: refused", r.stderr)
    # A video that nobody can decode is not taken for the film.
    odd = t.make("odd.mov", "-f", "lavfi", "-i", "testsrc2=size=32x32:rate=1:duration=1", *VIDEO, "-map", "0", "-map", "1",
                 "-c:v:0", "mjpeg", "-c:v:1", "libx264", "-preset", "ultrafast")
    _, said, streams = t.upscale(t.patch(odd, "odd-first.mov", lambda d: d.replace(b"jpeg", b"xyzw")), "mkv")
    check(len(streams) == 1 and streams[0]["width"] == 128, "an unknown first video: the other one is upscaled", said)


# --- Subtitle files beside the input ---

def beside(t):
    folder = os.path.join(t.folder, "beside")
    os.makedirs(folder, exist_ok=True)
    source = t.make("beside/film.1.mkv", *VIDEO, *X264)
    for name in ("film.1.srt", "film.1.en.forced.ASS", "film.1.es-419.vtt", "film.1.idx", "film.1.sub",  # its own
                 "film.srt", "film.1.2.srt", "film.12.srt", "film.1-cut.srt", "film.1.en.nfo", "film.1.", "other.srt"):
        clips.write(folder, name, SRT)
    line = "kizunasr: subtitle files beside the input are not added (use --sub to add them): film.1.en.forced.ASS, film.1.es-419.vtt, film.1.idx, film.1.srt\n"
    for options, wanted in [((), 1), (("--subs", "none"), 0), (("--duration", "0.5"), 0)]:
        out, said, _ = t.upscale(source, "mkv", *options)
        check(said.count(line) == said.count("subtitle files") == wanted and "warning" not in said,
              f"subtitle files beside the input {' '.join(options)}: named in {wanted} lines", said)
    for i in range(5):
        clips.write(folder, f"film.1.xx.n{i}.srt", SRT)
    r = run(os.path.abspath(t.program), "plan", os.path.relpath(source, folder), "many.mkv", "--preset", "ultrafast", cwd=folder)
    check(r.returncode == 0 and "film.1.xx.n1.srt and 3 more\n" in r.stderr, "... at most six of them", r.stderr)


# --- Subtitle files that are added ---

VTT = "WEBVTT\n\n00:00.100 --> 00:00.400\nOne\n"
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Sign,Arial,40

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.20,0:00:00.80,Sign,,0,0,0,,{\\pos(10,10)}Sign
"""


def cues(path, track):
    """(time, length) of the packets of a subtitle track, in seconds."""
    out = run("ffprobe", "-v", "error", "-select_streams", f"s:{track}", "-show_entries", "packet=pts_time,duration_time",
              "-of", "csv=p=0", path).stdout.split()
    return [tuple(round(float(x), 2) for x in line.split(",")[:2] if x not in ("", "N/A")) for line in out]


def payload(path, track):
    """Data of the packets and of the header of a subtitle track, as hashes."""
    show = run("ffprobe", "-v", "error", "-select_streams", f"s:{track}", "-show_data_hash", "md5", "-show_entries",
               "packet=data_hash:stream=extradata_hash,width,height", "-of", "csv=p=0", path)
    return show.stdout.split()


def subtitles(streams):
    return [s for s in streams if s["codec_type"] == "subtitle"]


def files_for(t):
    """Subtitle files of many forms; (srt, vtt, ass, everything as options)."""
    srt, vtt, ass = (clips.write(t.folder, name, text) for name, text in (("a.srt", SRT), ("b.vtt", VTT), ("c.ass", ASS)))
    bom = clips.write(t.folder, "bom.srt", "\ufeff" + SRT.replace("Hello", "Gr\u00fc\u00dfe"))
    wide = clips.write(t.folder, "wide.srt", SRT.replace("Hello", "Gr\u00fc\u00dfe").encode("utf-16"))
    named = (srt + ":eng", vtt + ":zh-Hant", ass, bom + ":pt-br", wide, clips.pgs(t.folder) + ":ja", clips.vobsub(t.folder))
    return srt, vtt, ass, [word for name in named for word in ("--sub", name)]


def source_for(t, srt):
    return t.make("with.mkv", *VIDEO, *NOISE, "-i", srt, "-map", "0", "-map", "1", "-map", "2", *X264, "-g", "13", "-c:a", "aac",
                  "-c:s", "srt", "-metadata:s:s", "language=fre")


def added(t):
    srt, vtt, ass, everything = files_for(t)
    source, record = source_for(t, srt), t.path("record.json")
    for ext, kept, left in [("mkv", ["subrip", "subrip", "webvtt", "ass", "subrip", "subrip", "hdmv_pgs_subtitle", "dvd_subtitle"], 0),
                            ("mp4", ["mov_text"] * 5, 3), ("webm", ["webvtt"] * 5, 3), ("avi", [], 8)]:
        out, said, streams = t.upscale(source, ext, *everything, "--provenance", record)
        subs = subtitles(streams)
        check(codecs(subs) == kept and said.count("is dropped") == left, f"subtitle files to {ext}: added or said", (codecs(subs), said))
        if ext == "mkv":
            check_kept(t, out, subs)
        if ext in ("mp4", "avi"):
            check(("hdmv_pgs_subtitle, box.sup) cannot be held by " + ext) in said, "... a warning names the file", said)
        if not subs:
            continue
        with open(record) as file:
            told = json.load(file)["subtitles"]
        check([f["name"] for f in told][::6] == ["a.srt", "names.idx"] and "xxh128_of_sub" in told[6], "... the record names them", told)
        for options in (("--provenance", record), everything):
            r = run(t.program, "verify", source, out, *options)
            check(r.returncode == 0 and f"subtitle stream {len(subs) + 1}" in r.stdout, f"... verified with {options[0]}", r.stdout + r.stderr)
        shutil.copy(record, t.path("kept.json"))
        os.remove(record)
    check_other(t, source, out, everything)
    r = run(t.program, "upscale", source, t.path("no.mkv"), "--dry-run", "--sub", ass + ":en")
    check("ass          eng      copy, from c.ass" in r.stdout, "a dry run lists it", r.stdout)
    r = run(t.program, "batch", source, "--output-dir", t.folder, "--sub", srt)
    check(r.returncode == 2 and "use upscale for each input" in r.stderr, "batch: refused", r.stderr)


def check_kept(t, out, subs):
    """What Matroska has of all the files."""
    probe = json.loads(run(t.program, "probe", out, "--json").stdout)["streams"]
    words = [(s.get("language"), s.get("language_ietf")) for s in probe if s["type"] == "subtitle"]
    check(words == [("fre", None), ("eng", None), ("chi", "zh-Hant"), (None, None), ("por", "pt-br"), (None, None), ("jpn", None), ("jpn", None)],
          "... with their languages", words)
    check(not any(s["disposition"]["default"] or s["disposition"]["forced"] for s in subs), "... without flags", subs)
    times = [cues(out, i) for i in range(1, 8)]
    check(times[:5] == [[(0.6, 0.3)], [(0.1, 0.3)], [(0.2, 0.6)], [(0.6, 0.3)], [(0.6, 0.3)]], "... at their times", times)
    check([c[0] for c in times[5]] == [0.1, 0.45, 0.5, 0.9] and [c[0] for c in times[6]] == [0.1, 0.5], "... pictures too", times[5:])
    plain = t.make("plain.mkv", *[w for name in ("b.vtt", "c.ass", "bom.srt", "bom.srt", "box.sup", "names.idx") for w in ("-i", t.path(name))],
                   *[w for i in range(6) for w in ("-map", str(i))], "-c", "copy")
    for i in range(6):
        check(payload(out, 2 + i) == payload(plain, i) != [], f"... with the bytes and the header of file {i + 2}", (payload(out, 2 + i), payload(plain, i)))


def check_other(t, source, out, everything):
    """verify finds that a file is not what was added."""
    out, _, _ = t.upscale(source, "mkv", *everything[:2], "--provenance", t.path("kept.json"))
    clips.write(t.folder, "a.srt", SRT.replace("Hello", "Other"))
    for options, code, words in [(everything[:2], 6, "FAIL"), (("--provenance", t.path("kept.json")), 2, "differ from those in the record")]:
        r = run(t.program, "verify", source, out, *options)
        check(r.returncode == code and words in r.stdout + r.stderr, f"another file, verify {options[0]}: {code}", r.stdout + r.stderr)
    os.remove(t.path("a.srt"))
    r = run(t.program, "verify", source, out, "--provenance", t.path("kept.json"))
    check(r.returncode == 3 and "a.srt is not beside the input (use --sub" in r.stderr, "none: said", r.stderr)
    os.makedirs(t.path("elsewhere"), exist_ok=True)
    clips.write(t.path("elsewhere"), "x.srt", SRT)
    r = run(t.program, "verify", source, out, "--provenance", t.path("kept.json"), "--sub", t.path("elsewhere/x.srt:eng"))
    check(r.returncode == 0, "... and is found there", r.stderr)
    clips.write(t.folder, "a.srt", SRT)


def refused_files(t):
    srt, vtt, ass, everything = files_for(t)
    source = source_for(t, srt)
    ts = t.make("later.ts", *VIDEO, *NOISE, "-c:v", "mpeg2video", "-c:a", "mp2")
    write = lambda name, content: clips.write(t.folder, name, content)
    frames = "{10}{20}One|two\n{15}{20}Three\n{21}{24}Four\n"
    clips.vobsub(t.folder, "two", ("ja", "en"))
    shutil.copy(t.path("names.idx"), t.path("alone.idx"))
    for name, code, said in [
            (write("latin.srt", SRT.replace("Hello", "Gr\u00fc\u00dfe").encode("latin-1")), 3, "latin.srt is not UTF-8; convert it from its encoding, such as: iconv -f CP1252"),
            (write("sjis.ass", ASS.replace("}Sign", "}\u65e5\u672c\u8a9e").encode("shift-jis")), 3, "sjis.ass is not UTF-8"),
            (write("nomark.srt", SRT.encode("utf-16-le")), 3, "FFmpeg finds no subtitles in"),
            (t.path("none.srt:eng"), 3, "file not found: " + t.path("none.srt") + " (FILE, or FILE:LANGUAGE"),
            ("", 2, "sub: a value is missing"), (srt + "\n\n" + vtt, 3, "file not found: "), (srt + ":xx", 2, "there is no language 'xx'"), (srt + ":english", 3, "a.srt:english (FILE, or FILE:LANGUAGE"),
            (write("nothing.srt", ""), 3, "nothing.srt is empty"), (write("header.vtt", "WEBVTT\n\n"), 3, "there are no subtitles in"),
            (write("styled.vtt", VTT.replace("\n\n", "\n\nSTYLE\n::cue { color: lime }\n\n")), 3, "STYLE and REGION blocks"),
            (write("header.ass", ASS.split("Dialogue")[0]), 3, "there are no subtitles in"), (write("noise.srt", b"\x00\x17" * 99), 3, "FFmpeg finds no subtitles in"),
            (ts, 3, "there are no subtitles in"), (t.folder, 3, "is not a regular file"), ("/dev/null", 3, "is not a regular file"),
            (t.path("names.sub"), 3, "belongs to an .idx file; use that one"), (t.path("alone.idx"), 3, "alone.sub, which does not exist"),
            (t.path("two.idx:eng"), 2, "has 2 tracks with their own languages; give it without ':eng'"), (t.path("two.idx"), 0, ""),
            (write("frames.sub", frames), 3, "put it into its first line, such as: {1}{1}23.976"), (write("rate.sub", "{1}{1}25\n" + frames), 0, ""),
            (t.path("no.mkv"), 2, "is the output"), (source + ":eng", 0, "")]:
        if name.endswith("no.mkv"):
            shutil.copy(source, name)
        r = run(t.program, "plan", source, t.path("no.mkv"), "--fresh", "--overwrite", "--sub", name)
        if name.endswith("styled.vtt") and r.returncode == 0:
            code = 0  # newer FFmpeg reads what follows, and a warning has the same words
        check(r.returncode == code and said in r.stderr and r.stderr.count("error:") == (code > 0), f"--sub {os.path.basename(name)}: {code}", r.stderr)
    r = run(t.program, "plan", source, t.path("no-%03d.png"), "--sub", srt)
    check(r.returncode == 2 and "images cannot hold subtitles" in r.stderr, "images: refused", r.stderr)
    # Names with colons; a file of the whole name is no language.
    strange = [clips.write(t.folder, name, SRT) for name in ("C:\\x.srt", "one:two.srt", "ready:en", "last.srt:fr-")] + [t.path("ready:en") + ":ger"]
    raw = shutil.copy(srt, t.path(os.fsdecode(b"caf\xe9.srt")))
    out, said, streams = t.upscale(source, "mkv", "--subs", "none", *[w for name in strange for w in ("--sub", name)], "--sub", raw,
                                   "--sub", t.path("rate.sub"), "--sub", t.path("two.idx"))
    check([s.get("tags", {}).get("language") for s in subtitles(streams)] == [None] * 3 + [None, "ger", None, None, "jpn", "eng"],
          "names with colons: a language is what no file has in its name", (streams, said))
    check(cues(out, 6) == [(0.4, 0.4), (0.6, 0.2), (0.84, 0.12)], "MicroDVD: at the rate in its first line", cues(out, 6))


def placed(t):
    """Where the times of subtitle files are put."""
    srt, vtt, ass, everything = files_for(t)
    source = source_for(t, srt)
    ts = t.make("later.ts", *VIDEO, *NOISE, "-c:v", "mpeg2video", "-g", "5", "-c:a", "mp2")
    start = min(float(s["start_time"]) for s in t.streams(ts))
    many = clips.write(t.folder, "many.srt", "".join(f"{i + 1}\n00:00:0{i * 3 // 10},{i * 3 % 10}50 --> 00:00:0{i * 3 // 10},{i * 3 % 10}90\n{i}\n\n" for i in range(7)) +
                       "8\n00:00:07,000 --> 00:00:08,000\nAfter the end\n")
    whole = [round(0.05 + 0.3 * i, 2) for i in range(7)] + [7.0]
    out, said, streams = t.upscale(ts, "mkv", "--sub", srt, "--subs", "none")
    check(cues(out, 0) == [(round(start + 0.6, 2), 0.3)], "a source that begins later: from its beginning", (start, cues(out, 0)))
    with open(ts, "rb") as file:
        twice = clips.write(t.folder, "twice.ts", file.read() * 2)
    out, said, streams = t.upscale(twice, "mkv", "--sub", many)
    check([c[0] for c in cues(out, 0)] == [round(start + w, 2) for w in whole], "a clock that restarts: as in the output", (cues(out, 0), said))
    order = [float(w.split(",")[0]) for w in run("ffprobe", "-v", "error", "-show_entries", "packet=dts_time", "-of", "csv=p=0", out).stdout.split() if w[0] != "N"]
    check(all(b > a - 0.3 for a, b in zip(order, order[1:])), "... and each near the video of its time", order)
    opus = t.make("opus.mkv", *VIDEO, *NOISE, *X264, "-c:a", "libopus")
    out, said, streams = t.upscale(opus, "mkv", "--sub", srt)
    check(cues(out, 0) == [(0.6, 0.3)], "audio that begins before 0: not moved", cues(out, 0))
    for options, times, words in [(("--start", "0.2", "--duration", "0.1"), [(0, 0.12)], ""), (("--start", "0.6"), [], "")]:
        out, said, streams = t.upscale(source, "mkv", "--sub", vtt, *options)
        check(cues(out, 1) == times and words in said, f"{' '.join(options)}: cut", (cues(out, 1), said))
    for name, content, times, words in [("gap.vtt", VTT + "\nno\ncue\n\n00:00.500 --> 00:00.600\nTwo\n", [(0.1, 0.3)], "only 1 of 2 subtitles in"),
                                        ("gap.srt", SRT + "\n2\n00:00:xx,000 --> 00:00:02,000\nBad\n", [(0.6, 0.3)], "only 1 of 2 subtitles in"),
                                        ("style.vtt", VTT + "\nSTYLE\n::cue { color: lime }\n", [(0.1, 0.3)], "STYLE and REGION blocks of")]:
        out, said, streams = t.upscale(source, "mkv", "--sub", clips.write(t.folder, name, content))
        check(cues(out, 1) == times and said.count(words) == 1, f"{name}: a warning of what cannot be read", said)
    with open(t.path("box.sup"), "rb") as file:
        broken = clips.write(t.folder, "cut.sup", file.read()[:-40])
    out, said, streams = t.upscale(source, "mkv", "--sub", broken)
    check([c[0] for c in cues(out, 1)] == [0.1, 0.45, 0.5] and said.count("cut.sup is damaged or truncated") == 1,
          "a file that is cut off: what is whole, and a warning", (cues(out, 1), said))


def parts(t):
    """A job with a subtitle file, in parts: another folder, the same file; then one that has changed, then none."""
    srt, vtt, ass, everything = files_for(t)
    source, out, other = source_for(t, srt), t.path("job.mkv"), SRT.replace("Hello", "Other")
    plan, folder = ["plan", source, out, "--preset", "ultrafast", "--sub"], out + ".kizunasr"
    steps = [(plan + ["a.srt:eng"], 0, ""), (["work", folder, "--segment", "0"], 0, ""), (other, 0, ""),
             (["work", folder], 2, "a.srt (put it back, or run upscale with --fresh)"), (plan + [srt + ":eng"], 2, "sub differs"), (["join", folder], 2, "the subtitle file has changed"),
             (None, 0, ""), (["work", folder], 0, ""), (["join", folder], 3, "a.srt: No such file"), (SRT, 0, ""),
             (plan + [srt + ":eng"], 0, ""), (["join", folder, "--keep-work"], 0, "")]
    for step, code, words in steps:
        if step is None:
            os.remove(srt)
        elif isinstance(step, str):
            clips.write(t.folder, "a.srt", step)
        else:
            r = run(os.path.abspath(t.program), *step, cwd=t.folder)
            check(r.returncode == code and words in r.stderr, f"a job with a subtitle file, {step[0]}: {code}", r.stderr)
    check(len(t.streams(out)) == 4, "... has it", r.stderr)
    pair = t.path("pair.mkv")
    run(t.program, "plan", source, pair, "--sub", t.path("names.idx"))
    with open(t.path("names.sub"), "ab") as file:
        file.write(b"\0")
    for words in (["join", pair + ".kizunasr"], ["plan", source, pair, "--sub", t.path("names.idx")]):
        r = run(t.program, *words)
        check(r.returncode == 2 and ("subtitle file has changed" in r.stderr or "sub differs" in r.stderr), f"the .sub of an .idx has changed, {words[0]}: noticed", r.stderr)
    # Killed and run again, and changed while upscale works.
    clip = t.make("long.mkv", "-f", "lavfi", "-i", "testsrc2=size=128x96:rate=2:duration=40", *X264, "-g", "4")
    words = ["--preset", "ultrafast", "--workers", "1", "--progress", "none", "--sub", srt + ":eng", "--sub", ass]
    run(t.program, "upscale", clip, t.path("once.mkv"), *words)
    for name, change in (("again.mkv", None), ("changed.mkv", other)):
        folder = t.path(name) + ".kizunasr"
        job = subprocess.Popen([t.program, "upscale", clip, t.path(name), *words], stderr=subprocess.PIPE, text=True)
        while job.poll() is None and not os.path.exists(os.path.join(folder, "000000.seg")):
            time.sleep(0.002)
        if change:
            clips.write(t.folder, "a.srt", change)
        else:
            job.kill()
        _, said = job.communicate()
        if change:
            check(job.returncode == 2 and "the subtitle file has changed" in said, "changed while upscale works: noticed", said)
            continue
        check(job.returncode == -9, "killed", said)
        r = run(t.program, "upscale", clip, t.path(name), *words)
        same = r.returncode == 0 and open(t.path(name), "rb").read() == open(t.path("once.mkv"), "rb").read()
        check(same, "killed and run again: the same bytes", r.stderr)


# --- Containers that move, cut or forget what they are given ---

CHAPTERS = ";FFMETADATA1\n" + "".join(f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={a}\nEND={b}\ntitle=C{a}\n" for a, b in ((0, 400), (400, 1000)))


def accepted(t, source, ext, *options, carried=None, say=()):
    """An output that neither upscale nor verify may fail, with the warnings that are named and no others."""
    t.count += 1
    out = t.path(f"ends-{t.count}.{ext}")
    r = run(t.program, "upscale", source, out, "--workers", "1", "--threads", "1", "--progress", "none", *options)
    v = run(t.program, "verify", source, out)
    name = " ".join([os.path.basename(source), "to", ext, *options])
    check(r.returncode == 0 and v.returncode == 0, f"{name}: verified", r.stderr + v.stdout)
    warnings = [line for line in r.stderr.splitlines() if "warning:" in line and "from run to run" not in line and "were missing" not in line]
    check(len(warnings) == len(say) and all(s in w for s, w in zip(say, warnings)), f"{name}: says {list(say)}", warnings)
    if carried:
        check(codecs(t.streams(out)) == carried, f"{name}: {carried}", codecs(t.streams(out)))
    return out


def spoil(t, source, out, ext, *muxer):
    """Copies of an output that are wrong in one way each: verify names the audio, and nothing else."""
    for name, options in some((("audio 50 ms late", ("-itsoffset", "0.05", "-i", out, "-map", "0:v", "-map", "1:a")),
                          ("a packet is missing", ("-map", "0", "-bsf:a:0", "noise=drop=eq(n\\,20)")), ("a track is missing", ("-map", "0", "-map", "-0:a:1")))):
        wrong = t.make(f"spoiled.{ext}", "-copyts", "-i", out, *options, "-c", "copy", "-avoid_negative_ts", "disabled", *muxer)
        r = run(t.program, "verify", source, wrong)
        failures = [line for line in r.stdout.splitlines() if line.startswith("FAIL")]
        check(r.returncode == 6 and failures and all("audio" in line for line in failures), f"{ext}, {name}: seen", r.stdout)


def ends(t):
    text = clips.write(t.folder, "chapters.txt", CHAPTERS)
    x264 = ("-c:v", "libx264", "-bf", "2", "-threads", "1")
    flac = t.make("ends-flac.mkv", *VIDEO, *NOISE, *NOISE, "-map", "0", "-map", "1", "-map", "2", *x264, "-c:a", "flac", "-sample_fmt", "s16")
    aac = t.make("ends-aac.mkv", *VIDEO, *NOISE, *NOISE, "-map", "0", "-map", "1", "-map", "2", *x264, "-c:a", "aac")
    ts = t.make("ends.ts", "-i", aac, "-map", "0:v", "-map", "0:a:0", "-c", "copy")
    alone = t.make("ends-alone.mkv", "-i", aac, "-i", text, "-map", "0:v", "-map_chapters", "1", "-c", "copy")
    both = t.make("ends-both.mkv", "-i", aac, "-i", text, "-map", "0:v", "-map", "0:a:0", "-map_chapters", "1", "-c", "copy")
    # FLAC is not found again in ASF and WTV, nor is AAC that has its headers elsewhere in WTV.
    flag, anew = "does not keep its default flag", "it is re-encoded with"
    spoil(t, flac, accepted(t, flac, "asf", carried=["h264", "pcm_s16le", "pcm_s16le"], say=[flag]), "asf")
    accepted(t, flac, "wtv", carried=["h264", "pcm_s16le", "pcm_s16le"], say=[flag])
    spoil(t, aac, accepted(t, aac, "wtv", say=[flag, anew, anew]), "wtv")
    r = run(t.program, "plan", aac, t.path("x.wtv"), "--audio-codec", "aac")
    check(r.returncode == 2 and "audio_codec: wtv cannot hold audio of aac" in r.stderr, "AAC into WTV when told so: refused by plan", r.stderr)
    # Tracks begin where they should in ISMV, without frames that are reordered.
    spoil(t, aac, accepted(t, aac, "ismv", carried=["h264", "aac", "aac"]), "ismv", "-movflags", "+delay_moov")
    accepted(t, ts, "ismv", say=[anew])
    r = run(t.program, "plan", alone, t.path("x.ismv"), "--encoder-option", "bf=2")
    check(r.returncode == 2 and "ismv does not keep the timestamps of libx264 video" in r.stderr, "reordered frames into ISMV: refused by plan", r.stderr)
    # Chapters move with the streams, and are missed where they are lost.
    for ext in ("nut", "asf"):
        accepted(t, both, ext)
    lost = "2 chapters cannot be held by "
    for ext, options in some((("wtv", ()), ("ogv", ("--codec", "libtheora")), ("ivf", ("--codec", "libvpx")))):
        accepted(t, alone, ext, *options, say=[lost + ext])
    accepted(t, alone, "3gp")
    # Streams that are listed in another order, and a name that does not tell the container.
    early = t.make("ends-early.mkv", "-itsoffset", "0.5", "-i", alone, "-i", aac, "-map", "0:v", "-map", "1:a:0", "-map_chapters", "-1", "-c", "copy")
    accepted(t, early, "vob", say=["it is re-encoded with mp2"])
    later = t.make("ends-later.mkv", "-itsoffset", "0.3", "-i", aac, "-i", aac, "-map", "0:v", "-map", "0:a:0", "-map", "1:a:1", "-c", "copy", "-disposition:a", "0")
    spoil(t, later, accepted(t, later, "vob", say=["it is re-encoded with mp2", "it is re-encoded with mp2"]), "vob")
    # Frames that MPEG-PS has no timestamps for, at a rate that is no whole number of ticks and is rounded to milliseconds in the source.
    ntsc = t.make("ends-ntsc.mkv", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=24000/1001:duration=3", *x264)
    accepted(t, ntsc, "vob")
    accepted(t, both, "flv", "--codec", "flv", say=[lost + "flv"])
    accepted(t, early, "bin", "--format", "mpegts")
    subs = t.make("ends-subs.mkv", *VIDEO, "-i", clips.write(t.folder, "ends.srt", SRT), "-map", "0", "-map", "1", *x264, "-c:s", "srt")
    accepted(t, subs, "bin", "--format", "mpegts", say=["subtitle stream 1 (subrip) cannot be held by mpegts"])


PARTS = {"chosen": chosen, "late": late, "unusable": unusable, "empty": empty, "lossless": lossless, "flags": flags, "beside": beside, "added": added,
         "refused_files": refused_files, "placed": placed, "parts": parts, "ends": ends}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    args = parser.parse_args()
    folder = args.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    for name, part in PARTS.items():
        if args.only in name and (EVERY == 1 or part != ends):  # many containers, the same code
            part(Test(args.program, folder))
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    finish()


if __name__ == "__main__":
    main()
