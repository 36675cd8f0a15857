#!/usr/bin/env python3
"""Tracks that come late, cannot be used or are empty, lossless audio, and choosing tracks.

Every source is small and made here with ffmpeg; what no muxer writes is changed in its bytes.

  tracks.py PROGRAM [--only WORD] [--keep DIR]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, shutil, tempfile

import clips
from checks import check, finish, run

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
        (t.patch(ts, "no-packets.ts", drop_pid(0x102)), ["audio stream 2 (", "has no packets and is left out"], 2),
        (t.patch(mov, "apac.mov", lambda d: d.replace(b"sowt", b"apac")),
         ["audio stream 2 (apac) has a codec that FFmpeg does not know and is left out"], 4),
        (t.patch(mov, "video.mov", lambda d: d.replace(b"jpeg", b"xyzw")),
         ["video stream 4 (xyzw) has a codec that FFmpeg does not know and is left out"], 4),
        (t.patch(avi, "tag.avi", avi_tag), ["has a codec that FFmpeg does not know and is left out"], 1),
        (t.patch(mkv, "tag.mkv", lambda d: d.replace(b"A_FLAC", b"A_FLOC")),
         ["audio stream 1 (none) has a codec that FFmpeg does not know and is left out"], 1)]
    for source, said, count in sources:
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
        left = [s for s in said.splitlines() if "has no packets in this part and is left out; mkv would keep it" in s]
        check(len(streams) + len(left) == 3 or ext == "avi", f"a piece without packets to {ext}: kept or said", said)
    whole = t.make("none.mkv", "-i", subs, "-map", "0", "-c", "copy", "-t", "0.08")
    _, said, streams = t.upscale(whole, "mkv")
    check(len(streams) == 5 and "warning" not in said, "a file with empty subtitles: all stay", said)
    _, said, streams = t.upscale(whole, "mp4")
    check("(hdmv_pgs_subtitle) cannot be held by mp4 and is left out; mkv would keep it" in said, "... PGS to MP4: said", said)


# --- Lossless audio ---

def lossless(t):
    sources = {"pcm_bluray": ("m2ts", "mkv mp4"), "pcm_dvd": ("vob", "mkv ts"), "s302m": ("ts", "mkv avi"),
               "pcm_s8": ("mov", "mkv mp4 ts"), "truehd": ("mkv", "mov avi"), "pcm_s24be": ("mov", "mp4 avi"), "alac": ("mov", "ts")}
    for codec, (ext, targets) in sources.items():
        video = ("-c:v", "mpeg2video", "-bf", "0") if ext == "vob" else X264
        source = t.make(f"{codec}.{ext}", *VIDEO, *NOISE, *video, "-ac", "2", "-ar", "48000", "-c:a", codec)
        for target in targets.split():
            out, said, streams = t.upscale(source, target)
            check("anew" not in said and sound(source) == sound(out), f"{codec} to {target}: the same samples, no warning",
                  (codecs(streams), said))
    # What no lossless encoder of the container holds is said, with advice that is true.
    deep = t.make("float.mkv", *VIDEO, *NOISE, *X264, "-c:a", "pcm_f32le")
    _, said, _ = t.upscale(deep, "mp4")
    check("encoded anew with aac; mkv would keep it" in said, "32-bit floating point to MP4: said", said)
    swf = t.make("swf.flv", *VIDEO, *NOISE, "-c:v", "flv1", "-ar", "44100", "-ac", "1", "-c:a", "adpcm_swf")
    for ext in ("mkv", "mp4"):
        _, said, _ = t.upscale(swf, ext)
        check("encoded anew with aac\n" in said, f"adpcm_swf to {ext}: no container is named that does not hold it", said)
    # One track that needs another encoder changes nothing about the next.
    two = t.make("two-kinds.mov", *VIDEO, *NOISE, "-map", "0", "-map", "1", "-map", "1", *X264, "-ac", "2", "-c:a", "pcm_s8",
                 "-c:a:1", "adpcm_ima_qt")
    _, said, streams = t.upscale(two, "mkv")
    check(codecs(streams)[1:] == ["flac", "aac"] or codecs(streams)[1:] == ["flac", "adpcm_ima_qt"],
          "a lossless and a lossy track: each its own encoder", codecs(streams))


PARTS = {"unusable": unusable, "empty": empty, "lossless": lossless}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    args = parser.parse_args()
    folder = args.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    for name, part in PARTS.items():
        if args.only in name:
            part(Test(args.program, folder))
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    finish()


if __name__ == "__main__":
    main()
