#!/usr/bin/env python3
"""`--preserve-metadata false` drops tags, and nothing else.

Every film goes through the program twice, with its tags and without. Both outputs must have the same
streams, flags, packets, side data, chapter times and attachments; the second has no tag left that
came from the input, but for the names of attachments, without which these are nothing, and the time
code that MP4 and MOV keep as a track.

  tags.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile

import clips, streams
from checks import check, finish, run

# What writers say of themselves: of the file, its frames, and tracks that nobody named.
OWN = {"encoder", "duration", "major_brand", "minor_version", "compatible_brands", "vendor_id"}
HANDLERS = {"VideoHandler", "SoundHandler", "SubtitleHandler", "TimeCodeHandler", "DataHandler"}


def probe(path):
    return json.loads(run("ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-show_packets",
                          "-show_data_hash", "crc32", "-of", "json", path).stdout)


def own_tag(stream, name, value, ext):
    """Whether an output has this tag by itself."""
    kind = stream.get("codec_type")
    return (name in OWN or name == "handler_name" and value in HANDLERS
            or name == "language" and (value == "und" or kind == "data")  # chapters' titles, the time code
            or name in ("filename", "mimetype") and (kind == "attachment" or stream["disposition"]["attached_pic"])
            or name == "comment" and value == "Other" and kind == "video"  # an unnamed cover's kind
            or name == "timecode" and ext in ("mp4", "mov"))


def compare(name, kept, bare, ext):
    """kept, bare: what probe() says of the output with tags and of the one without."""
    left = [f"{k}={v}" for k, v in bare["format"].get("tags", {}).items() if k.lower() not in OWN]
    for s in bare["streams"]:
        left += [f"stream {s['index']} {k}={v}" for k, v in s.get("tags", {}).items() if not own_tag(s, k.lower(), v, ext)]
    left += [f"chapter {c['id']} {k}={v}" for c in bare["chapters"] for k, v in c.get("tags", {}).items() if v]
    check(not left, f"{name}: no tag is left", left)
    had = sum(len(o.get("tags", {})) for f in (kept,) for o in (f["format"], *f["streams"], *f["chapters"]))
    has = sum(len(o.get("tags", {})) for f in (bare,) for o in (f["format"], *f["streams"], *f["chapters"]))
    check(has < had, f"{name}: there were tags to drop", f"{had} and {has}")
    for part in ("streams", "chapters", "packets"):
        a, b = ([without_tags(o) for o in f.get(part, [])] for f in (kept, bare))
        off = next((f"{x} is now {y}" for x, y in zip(a, b) if x != y), f"{len(a)} and {len(b)}")
        check(a == b and (a or part == "chapters"), f"{name}: the same {part}", off)


def without_tags(o):
    """MP4 keeps titles of chapters as packets of a track: their sizes are the titles'."""
    drop = {"tags"} | ({"size", "data_hash", "pos"} if o.get("codec_type") == "data" else {"pos"})
    if o.get("codec_type") == "data":
        drop |= {"bit_rate", "extradata_hash"}
    return {k: v for k, v in o.items() if k not in drop}


def rotated(folder):
    """HDR10 with everything that is no tag: colours, mastering display, rotation, pixel aspect."""
    whole, turned = os.path.join(folder, "whole.mp4"), os.path.join(folder, "turned.mp4")
    clips.need(clips.ffmpeg(
        "-f", "lavfi", "-i", clips.PICTURE + ",setsar=4/3", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params",
        "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:chromaloc=2:max-cll=1000,400:"
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)",
        "-metadata", "title=HDR", "-metadata:s:v", "language=jpn", whole))
    trouble = clips.ffmpeg("-display_rotation", "90", "-i", whole, "-c", "copy", turned)  # FFmpeg 6 and newer
    if trouble:
        clips.need(clips.ffmpeg("-i", whole, "-c", "copy", "-metadata:s:v", "rotate=90", turned))
    return turned


def films(folder):
    yield "mkv", streams.add_cover(folder, *streams.make_mkv(folder))
    yield "mp4", streams.make_mp4(folder)[0]
    yield "mov", streams.make_mov(folder)[0]
    yield "rotated", rotated(folder)


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        for name, source in films(folder):
            for ext in ("mkv", "mp4", "mov") if name == "mov" else ("mkv", "mp4"):
                out = [os.path.join(folder, f"{name}-{keep}.{ext}") for keep in ("true", "false")]
                codec = ["--codec", "libx265"] if name == "rotated" else []
                said = []
                record = out[1] + ".json"
                for path, keep in zip(out, ("true", "false")):
                    r = run(program, "upscale", source, path, *codec, "--preset", "ultrafast", "--preserve-metadata", keep,
                            "--provenance", path + ".json", "--progress", "none", "--log-level", "warning")
                    check(r.returncode == 0, f"{name} -> {ext}: tags {keep}", r.stderr)
                    said.append(r.stderr)
                v = run(program, "verify", source, out[1], "--provenance", record, "--progress", "none")
                check(v.returncode == 0, f"{name} -> {ext}: verified without tags", v.stdout + v.stderr)
                if ext == "mkv":
                    v = run(program, "verify", source, out[1], "--progress", "none")
                    check(v.returncode == 6 and "--preserve-metadata false" in v.stderr, f"{name} -> {ext}: verify says what it cannot know", v.stderr)
                found = [probe(path) for path in out]
                compare(f"{name} -> {ext}", *found, ext)
                check("keep its title" not in said[1] and "keep its language" not in said[1], f"{name} -> {ext}: no warning of tags that nobody wants", said[1])
                if name == "rotated" and ext == "mp4":
                    kinds = {d["side_data_type"] for d in found[1]["streams"][0].get("side_data_list", [])}
                    check({"Display Matrix", "Mastering display metadata", "Content light level metadata"} <= kinds
                          and found[1]["streams"][0]["color_transfer"] == "smpte2084", f"{name} -> {ext}: rotation and HDR stay", kinds)
    finish()


if __name__ == "__main__":
    main()
