#!/usr/bin/env python3
"""Chapters from Matroska to Matroska, with all that FFmpeg does not tell of them.

  chapters.py PROGRAM

The film has an ordered edition and a plain one, hidden chapters, one within another, and titles in two
languages, at the end of the file, where editors put them. The output must have the same bytes of it,
and others must read the same chapters from both. A chapter may be one of another file, found by its
UUID: those go along as well.

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile, zlib

import clips
from checks import check, finish, run
from languages import CRC, SEEK_HEAD, SEGMENT, element, elements, find, place, upscale, void

CHAPTERS, EDITION, ATOM, INFO, TITLE = 0x1043A770, 0x45B9, 0xB6, 0x1549A966, 0x7BA9
LINKS = (0x73A4, 0x3CB923, 0x3EB923, 0x4444)  # this segment, the one before, the next, the family


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


def film(folder, content, name="film.mkv", links=b"", options=()):
    """A film with these chapters at the end of the file, and these elements in its Info."""
    path = os.path.join(folder, name)
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", clips.PICTURE, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-c:a", "flac", *options, "-fflags", "+bitexact", "-write_crc32", 0, path))
    with open(path, "rb") as file:
        data = bytearray(file.read())
    segment = find(data, SEGMENT)
    head = find(data, SEEK_HEAD, segment[2])
    info = find(data, INFO, segment[2])
    # Its tracks lie behind it anyway.
    own = void(9) + element(INFO, links + data[info[2]:info[3]])
    places = element(SEEK_HEAD, place(CHAPTERS, len(data) - (info[3] - head[1]) + 26 + len(own) - segment[2]), 1)
    assert len(places) == 26
    data[head[1]:info[3]] = places + own
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


def info_of(path):
    """(links, title) of a file, whose checksum must be right."""
    with open(path, "rb") as file:
        data = file.read()
    segment = find(data, SEGMENT)
    _, _, at, stop = find(data, INFO, segment[2], segment[3])
    found = list(elements(data, at, stop))
    if found[0][0] == CRC:
        assert int.from_bytes(data[found[0][2]:found[0][3]], "little") == zlib.crc32(data[found[0][3]:stop])
    return b"".join(data[a:c] for id, a, _, c in found if id in LINKS), [data[b:c].decode() for id, _, b, c in found if id == TITLE]


def linked(program, folder):
    """An opening of another file; the files before and behind; one's own and families' UUIDs."""
    uuid = [bytes([n]) * 8 + b"\x00\x80\xff\n" + bytes([n]) * 4 for n in range(9)]
    others = element(EDITION, number(0x45DD, 1) + atom(11, 0, 400, element(0x6E67, uuid[7], 1), title("Opening", "eng")) + atom(12, 0, 900))
    all_of_them = b"".join(element(id, uuid[n], 1) for n, id in enumerate(LINKS))
    for name, links, options, titles in (("own", all_of_them[:19], [], []), ("own, title", all_of_them[:19], ["-metadata", "title=Folge 1 – ½"], ["Folge 1 – ½"]),
                                         ("all", all_of_them, [], []), ("all, title", all_of_them, ["-metadata", "title=" + "t" * 126], ["t" * 126]),
                                         ("none", b"", [], [])):
        source, out = film(folder, others, "linked.mkv", links, options), os.path.join(folder, "linked-out.mkv")
        check(info_of(source) == (links, titles), f"links, {name}: the film is what it should be", info_of(source))
        r = upscale(program, source, out, "--overwrite")
        check(r.returncode == 0 and r.stderr == "" and info_of(out) == (links, titles), f"links, {name}: carried", f"{info_of(out)} {r.stderr}")
        check(chapters_of(out) == others, f"links, {name}: and the chapters that need them")
        v = run(program, "verify", source, out, "--progress", "none")
        check(v.returncode == 0, f"links, {name}: verified", v.stdout + v.stderr)
        told = run("ffprobe", "-v", "warning", "-show_entries", "format_tags=title", "-of", "csv=p=0", out)
        check(told.stderr == "" and told.stdout.split() == " ".join(titles).split(), f"links, {name}: others read it", told.stdout + told.stderr)
    source = film(folder, others, "linked.mkv", all_of_them, ["-metadata", "title=T"])
    for name, options, titles in (("a piece", ["--start", "0.2"], ["T"]), ("without tags", ["--preserve-metadata", "false"], [])):
        r = upscale(program, source, out, "--overwrite", *options)
        check(r.returncode == 0 and info_of(out) == (b"", titles), f"links, {name}: none", f"{info_of(out)} {r.stderr}")
    # A family that is too much, and one that is no UUID.
    source = film(folder, others, "linked.mkv", element(0x4444, b"short", 1) + all_of_them[:19] + element(0x4444, uuid[5], 1) * 9)
    r = upscale(program, source, out, "--overwrite")
    check(r.returncode == 0 and info_of(out)[0] == all_of_them[:19] + element(0x4444, uuid[5], 1) * 5, "links: as many as there is room for", f"{info_of(out)} {r.stderr}")


def of_tracks(program, folder):
    """A chapter of one track, whose number an output does not keep, becomes one of all."""
    def content(id, sum):
        inner = number(0x45BC, 5) + atom(12, 400, 900, title("B", "eng"), element(id, number(0x89, 77777), 1))
        return element(EDITION, element(sum, b"1234", 1) + inner + element(EDITION, element(CRC, b"5678", 1)))
    source, out = film(folder, content(0x8F, CRC), "tracks.mkv"), os.path.join(folder, "tracks-out.mkv")
    r = upscale(program, source, out)
    check(r.returncode == 0 and chapters_of(out) == content(0xEC, 0xEC), "chapters of one track are of all", f"{chapters_of(out)} {r.stderr}")
    v = run(program, "verify", source, out, "--progress", "none")
    check(v.returncode == 0 and "chapters: all 1 equal" in v.stdout, "chapters of one track: verified", v.stdout + v.stderr)


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
        of_tracks(program, folder)
        linked(program, folder)
    finish()


if __name__ == "__main__":
    main()
