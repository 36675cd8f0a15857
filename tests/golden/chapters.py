#!/usr/bin/env python3
"""Chapters from Matroska to Matroska, with all that FFmpeg does not tell of them.

  chapters.py PROGRAM

The film has an ordered edition and a plain one, hidden chapters, one within another, and titles in two
languages, at the end of the file, where editors put them. The output must have the same bytes of it,
and others must read the same chapters from both.

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile

import clips
from checks import check, finish, run
from languages import SEEK_HEAD, SEGMENT, element, find, upscale, void

CHAPTERS, EDITION, ATOM = 0x1043A770, 0x45B9, 0xB6


def number(id, value):
    return element(id, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"), 1)


def title(text, language, full=None):
    inner = element(0x85, text.encode(), 2) + element(0x437C, language.encode(), 1)
    return element(0x80, inner + (element(0x437D, full.encode(), 1) if full else b""), 2)


def atom(uid, start, end, *inner):
    return element(ATOM, number(0x73C4, uid) + number(0x91, start * 10**6) + number(0x92, end * 10**6) + b"".join(inner), 3)


def chapters():
    hidden, ordered = number(0x98, 1), number(0x45DD, 1)
    first = element(EDITION, number(0x45BC, 77) + ordered + atom(11, 0, 400, title("Opening", "eng", "en-US"), title("オープニング", "jpn"))
                    + atom(12, 400, 900, hidden, title("Teil A", "ger"), atom(13, 500, 600, title("Inside", "eng"))))
    second = element(EDITION, atom(21, 0, 1000, title("All of it", "eng")))
    return element(0xBF, b"\x12\x34\x56\x78", 1) + first + second  # a checksum that is wrong stays so


def film(folder, content, name="film.mkv"):
    """A film with these chapters at the end of the file."""
    path = os.path.join(folder, name)
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", clips.PICTURE, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-c:a", "flac", "-write_crc32", 0, path))
    with open(path, "rb") as file:
        data = bytearray(file.read())
    segment = find(data, SEGMENT)
    head = find(data, SEEK_HEAD, segment[2])
    # Its tracks lie behind it anyway.
    place = element(SEEK_HEAD, element(0x4DBB, element(0x53AB, CHAPTERS.to_bytes(4, "big"), 1) +
                                       element(0x53AC, (len(data) - segment[2]).to_bytes(8, "big"), 1), 1), 1)
    data[head[1]:head[3]] = place + void(head[3] - head[1] - len(place))
    data += element(CHAPTERS, content)
    data[segment[2] - 8:segment[2]] = (1 << 56 | len(data) - segment[2]).to_bytes(8, "big")
    with open(path, "wb") as file:
        file.write(data)
    return path


def chapters_of(path):
    with open(path, "rb") as file:
        data = file.read()
    segment = find(data, SEGMENT)
    try:
        _, _, at, stop = find(data, CHAPTERS, segment[2], segment[3])
    except StopIteration:
        return None
    return data[at:stop]


def shown(path):
    r = run("ffprobe", "-v", "error", "-show_chapters", "-of", "json", path)
    return json.loads(r.stdout).get("chapters"), r.stderr


def main():
    program = os.path.abspath(sys.argv[1])
    content = chapters()
    with tempfile.TemporaryDirectory() as folder:
        source, out = film(folder, content), os.path.join(folder, "out.mkv")
        check(chapters_of(source) == content and len(shown(source)[0]) == 2, "the film is what it should be", shown(source))
        r = upscale(program, source, out)
        check(r.returncode == 0 and r.stderr == "", "upscaled", r.stderr)
        check(chapters_of(out) == content, "the same chapters, byte by byte")
        check(shown(out) == shown(source), "others show the same", f"{shown(source)}, {shown(out)}")
        v = run(program, "verify", source, out, "--progress", "none")
        check(v.returncode == 0 and "chapters: all 2 equal" in v.stdout, "verified", v.stdout + v.stderr)
        again = os.path.join(folder, "again.mkv")
        r = upscale(program, out, again)
        check(r.returncode == 0 and chapters_of(again) == content, "from the output once more", r.stderr)

        cut = os.path.join(folder, "cut.mkv")
        clips.need(clips.ffmpeg("-i", out, "-map", 0, "-c", "copy", cut))
        v = run(program, "verify", source, cut, "--progress", "none")
        check(v.returncode == 6 and "chapters: editions, languages or flags differ" in v.stdout, "verify finds chapters that lost something", v.stdout)

        for name, options, titles in (("without tags", ["--preserve-metadata", "false"], [None, None]), ("a piece", ["--start", "0.45"], ["Teil A"])):
            part = os.path.join(folder, name + ".mkv")
            r = upscale(program, source, part, *options)
            said = [c.get("tags", {}).get("title") for c in shown(part)[0]]
            check(r.returncode == 0 and said == titles, f"{name}: plain chapters", f"{said} {r.stderr}")
        for ext in ("mp4", "webm"):
            other = os.path.join(folder, "out." + ext)
            r = upscale(program, source, other, *(["--codec", "libvpx-vp9"] if ext == "webm" else []))
            said = [c.get("tags", {}).get("title") for c in shown(other)[0]]
            check(r.returncode == 0 and said == ["オープニング", "Teil A"], f"{ext}: plain chapters", f"{said} {r.stderr}")
        # An element that is longer than what it is in: what FFmpeg makes of it is carried.
        damaged = film(folder, content[:-3] + b"\x7f\xff\xff", "damaged.mkv")
        part = os.path.join(folder, "damaged-out.mkv")
        r = upscale(program, damaged, part)
        check(r.returncode == 0 and len(shown(part)[0]) >= 2 and "----" not in str(shown(part)), "damaged: what can be read", f"{shown(part)} {r.stderr}")
    finish()


if __name__ == "__main__":
    main()
