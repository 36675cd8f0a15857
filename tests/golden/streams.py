#!/usr/bin/env python3
"""Which streams survive, from every container into every container.

One film for each input container, with every kind of stream that the container holds, goes into every
output container. What comes out is written as text, one line for each tag, stream and packet, and
compared with the text in streams/: streams/INPUT.txt has a part for each output. Packets of the
processed video and of audio that is encoded anew have times only; copied ones also their size and a
checksum, so that a better picture or encoder changes nothing here.

  streams.py PROGRAM [--only WORD] [--keep DIR] [--regenerate]

--regenerate writes the texts anew; look at the difference before you commit it. They are those of
FFmpeg 5.1; with another version only the program's own verification is looked at.

Ends with `N passed, N failed, N skipped`.
"""
import argparse, difflib, json, os, shutil, tempfile

import clips
from checks import check, finish, run, some

HERE = os.path.dirname(os.path.abspath(__file__))
OUTPUTS = ("mkv", "mp4", "mov", "webm", "ts", "avi")
FLAGS = ("default", "forced", "attached_pic", "comment", "hearing_impaired")
SHOWN = 80  # packets; of more only the first and last are written


def probe(path):
    """All that is asked of a file, in one run."""
    return json.loads(run("ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-show_packets",
                          "-show_data_hash", "crc32", "-show_entries", "packet=stream_index,pts,duration,size,flags,data_hash",
                          "-of", "json", path).stdout or "{}")


def tags_text(tags, skip=()):
    names = sorted(k for k in tags if k.lower() not in ("encoder", "duration", "creation_time", *skip))
    return "".join(f" {k}={tags[k]!r}" for k in names)


def stream_line(s):
    kind = s.get("codec_type", "unknown")
    words = [str(s["index"]), kind, s.get("codec_name", "none")]
    if kind == "video":
        words.append(f"{s['width']}x{s['height']}")
    if kind == "audio":
        words += [s.get("sample_rate", "?"), s.get("channel_layout", str(s.get("channels")))]
    words += [f for f in FLAGS if s["disposition"].get(f)]
    # Chapter titles and time codes that MP4 makes of itself carry the writer's name.
    return "stream " + " ".join(words) + f" tick {s['time_base']}" + tags_text(s.get("tags", {}), ("vendor_id",))


def packets_text(packets, stream, copied):
    """Lines for the packets of one stream. copied: hashes of the input's packets."""
    video = stream.get("codec_type") == "video" and not stream["disposition"].get("attached_pic")
    lines = []
    for p in (p for p in packets if p["stream_index"] == stream["index"]):
        line = f"packet {stream['index']} {p.get('pts', 'none')} {p.get('duration', 'none')}"
        known = p.get("data_hash") in copied
        lines.append(line + (f" {p['size']} {p['data_hash']}" if known and not video else " K" * (video and "K" in p["flags"])))
    if len(lines) > SHOWN:
        lines[4:-2] = [f"... {len(lines) - 6} packets"]
    return lines


def hashes(path):
    return {p.get("data_hash") for p in probe(path).get("packets", [])}


def describe(path, copied):
    """Everything about a file that should stay, as lines."""
    info = probe(path)
    lines = ["file" + tags_text(info["format"].get("tags", {}), ("major_brand", "minor_version", "compatible_brands"))]
    for c in info.get("chapters", []):
        lines.append(f"chapter {float(c['start_time']):.3f} {float(c['end_time']):.3f}" + tags_text(c.get("tags", {})))
    streams = info.get("streams", [])
    for s in streams:
        lines.append(stream_line(s) + (f" {s['extradata_hash']}" if s.get("codec_type") == "attachment" else ""))
    for s in streams:
        lines += packets_text(info.get("packets", []), s, copied)
    return lines


# --- The inputs ---

def mux(folder, name, parts, *options):
    """Puts files together, all of each, in this order."""
    path = os.path.join(folder, name)
    args = ["-copyts"]
    for part in parts:
        args += ["-i", part]
    for i, part in enumerate(parts):
        args += [] if part.endswith(".txt") else ["-map", str(i)]
    clips.need(clips.ffmpeg(*args, "-c", "copy", "-avoid_negative_ts", "disabled", *options, "-bitexact",
                            "-strict", "-2", path))
    return path


def tagged(*rows):
    """Options that set language, title and flags of streams: (specifier, language, title, flags)."""
    out = []
    for stream, language, title, flags in rows:
        out += [f"-metadata:s:{stream}", "language=" + language, f"-metadata:s:{stream}", "title=" + title,
                f"-disposition:{stream}", flags]
    return out


def make_mkv(folder):
    parts = [clips.video(folder)] + [clips.audio(folder, k) for k in ("aac", "ac3", "flac", "opus")]
    parts += [clips.subtitle(folder, k) for k in ("srt", "ass", "webvtt", "pgs", "vobsub")]
    parts.append(clips.write(folder, "chapters.txt", clips.CHAPTERS))
    font = clips.write(folder, "font.ttf", bytes(range(256)) * 4)
    made = mux(folder, "mkv-streams.mkv", parts, "-map_metadata", len(parts) - 1, "-map_chapters", len(parts) - 1,
               "-attach", font, "-metadata:s:t:0", "mimetype=font/ttf",
               *tagged(("v:0", "jpn", "Picture", "default"), ("a:0", "jpn", "Main", "default"),
                       ("a:1", "eng", "Dub", "0"), ("a:2", "eng", "Comments", "comment"),
                       ("s:0", "eng", "Plain", "default+forced"), ("s:1", "ger", "Signs", "0")))
    return made, clips.cover(folder)


def make_mp4(folder):
    parts = [clips.video(folder)] + [clips.audio(folder, k) for k in ("aac", "ac3", "alac", "mp3")]
    parts += [clips.subtitle(folder, "mov_text"), clips.write(folder, "chapters.txt", clips.CHAPTERS)]
    cover = clips.cover(folder)
    count = len(parts)
    return mux(folder, "mp4.mp4", parts[:-1] + [cover, parts[-1]], "-map_metadata", count, "-map_chapters", count,
               "-disposition:v:1", "attached_pic",
               *tagged(("a:0", "jpn", "Main", "default"), ("a:1", "eng", "Dub", "0"), ("s:0", "eng", "Text", "forced"))), None


def make_mov(folder):
    parts = [clips.video(folder)] + [clips.audio(folder, k) for k in ("pcm16", "pcm24", "aac")]
    parts += [clips.subtitle(folder, "mov_text"), clips.write(folder, "chapters.txt", clips.CHAPTERS)]
    return mux(folder, "mov.mov", parts, "-map_metadata", len(parts) - 1, "-map_chapters", len(parts) - 1,
               "-timecode", "01:00:00:00", *tagged(("a:0", "jpn", "Main", "default"))), None


def make_webm(folder):
    vp8 = "-c:v libvpx -deadline realtime -cpu-used 8 -threads 1 -g 12 -auto-alt-ref 0"
    parts = [clips.video(folder, "video.webm", vp8)] + [clips.audio(folder, k) for k in ("opus", "vorbis")]
    parts += [clips.subtitle(folder, "webvtt"), clips.write(folder, "chapters.txt", clips.CHAPTERS)]
    return mux(folder, "webm.webm", parts, "-map_metadata", len(parts) - 1, "-map_chapters", len(parts) - 1,
               *tagged(("a:0", "jpn", "Main", "default"), ("a:1", "eng", "Dub", "0"))), None


def make_ts(folder):
    parts = [clips.video(folder)] + [clips.audio(folder, k) for k in ("aac", "ac3", "mp2")]
    parts.append(clips.subtitle(folder, "dvbsub"))
    return mux(folder, "ts.ts", parts, *tagged(("a:0", "jpn", "Main", "0"), ("a:1", "eng", "Dub", "0"),
                                               ("s:0", "eng", "Text", "0"))), None


def make_avi(folder):
    mpeg4 = "-c:v mpeg4 -q:v 5 -g 12"
    parts = [clips.video(folder, "video.avi", mpeg4)] + [clips.audio(folder, k) for k in ("mp3", "ac3", "pcm16")]
    return mux(folder, "avi.avi", parts, "-metadata", "title=A small film", *tagged(("a:0", "jpn", "Main", "0"))), None


def make_audio(folder):
    """Every audio codec there is, for what becomes of it; no golden packets of most."""
    parts = [clips.video(folder)] + [clips.audio(folder, k) for k in sorted(clips.AUDIO)]
    return mux(folder, "audio.mkv", parts), None


INPUTS = {"mkv": make_mkv, "mp4": make_mp4, "mov": make_mov, "webm": make_webm, "ts": make_ts, "avi": make_avi,
          "audio": make_audio}


def add_cover(folder, path, cover):
    """Matroska takes covers as attachments, which ffmpeg writes from a file only."""
    out = os.path.join(folder, "mkv.mkv")
    clips.need(clips.ffmpeg("-copyts", "-i", path, "-map", "0", "-c", "copy", "-avoid_negative_ts", "disabled",
                            "-attach", cover, "-metadata:s:t:1", "mimetype=image/png", "-bitexact", out))
    return out


# --- The test ---

def upscale(program, source, output, ext):
    codec = ["--codec", "libvpx-vp9"] if ext == "webm" else ["--preset", "ultrafast"]
    return run(program, "upscale", source, output, *codec, "--log-level", "warning", "--overwrite", "--fresh",
               "--progress", "none")


def part_text(program, source, output, ext, copied):
    r = upscale(program, source, output, ext)
    lines = [line.replace("kizunasr: ", "") for line in r.stderr.splitlines()]
    if r.returncode != 0:
        return r, lines + [f"exit status {r.returncode}"]
    return r, lines + describe(output, copied)


def read_golden(name):
    """{output: lines} of a golden text."""
    parts, lines = {}, None
    path = os.path.join(HERE, "streams", name + ".txt")
    for line in open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []:
        if line.startswith("== "):
            lines = parts.setdefault(line[3:], [])
        else:
            lines.append(line)
    return parts


def write_golden(name, parts):
    os.makedirs(os.path.join(HERE, "streams"), exist_ok=True)
    with open(os.path.join(HERE, "streams", name + ".txt"), "w", encoding="utf-8") as file:
        for output, lines in parts.items():
            file.write("\n".join([f"== {output}", *lines]) + "\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--only", default="")
    ap.add_argument("--keep")
    ap.add_argument("--regenerate", action="store_true")
    o = ap.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    program = os.path.abspath(o.program)
    comparable = run("ffmpeg", "-version").stdout.startswith("ffmpeg version 5.1")
    skipped = 0
    for name, make in INPUTS.items():
        if o.only not in name:
            continue
        source, cover = make(folder)
        if cover:
            source = add_cover(folder, source, cover)
        copied, golden, found = hashes(source), read_golden(name), {}
        found["input"] = describe(source, copied)
        for ext in some(OUTPUTS):
            output = os.path.join(folder, f"{name}-out.{ext}")
            r, found[ext] = part_text(program, source, output, ext, copied)
            if r.returncode == 0:
                v = run(program, "verify", source, output, "--progress", "none")
                check(v.returncode == 0, f"{name} -> {ext}: verified", v.stdout + v.stderr)
        if o.regenerate:
            write_golden(name, found)
        for part, lines in found.items() if comparable else ():
            diff = list(difflib.unified_diff(golden.get(part, []), lines, "expected", "found", lineterm="", n=1))
            check(o.regenerate or not diff, f"{name} -> {part}: as expected", "\n" + "\n".join(diff[:40]))
        skipped += not comparable
    if not o.keep:
        shutil.rmtree(folder)
    finish(skipped)


if __name__ == "__main__":
    main()
