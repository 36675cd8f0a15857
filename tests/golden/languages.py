#!/usr/bin/env python3
"""Languages in full (pt-BR, zh-Hant), which FFmpeg neither reads nor writes, through the program.

  languages.py PROGRAM [--corpus FOLDER]

Films are Matroska with an IETF language per track, as mkvmerge writes them: also with the tracks at
the end of the file, where mkvpropedit puts them, named by a second list of places, and with checksums. Outputs are read with a reader
of this file's own. --corpus: writes small films for tests/fuzz and ends.

Ends with `N passed, N failed, N skipped`.
"""
import json, os, sys, tempfile, zlib

import clips
from checks import check, finish, run

EBML, SEGMENT, SEEK_HEAD, TRACKS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x114D9B74, 0x1654AE6B, 0x1F43B675
TRACK, NAME, LANGUAGE, FULL, CRC = 0xAE, 0x536E, 0x22B59C, 0x22B59D, 0xBF
#             three letters, in full
LANGUAGES = [("jpn", "ja"), ("por", "pt-BR"), ("chi", "zh-Hant"), ("spa", "es-419"), ("und", "sr-Latn-RS")]


def element(id, data, length=8):
    """An element whose size takes that many bytes."""
    return id.to_bytes((id.bit_length() + 7) // 8, "big") + (1 << 7 * length | len(data)).to_bytes(length, "big") + data


def elements(data, start=0, end=None):
    """(id, start of the element, of its data, end) of those that follow each other in data."""
    end = len(data) if end is None else end
    while start < end:
        n = 9 - data[start].bit_length()
        id, at = int.from_bytes(data[start:start + n], "big"), start + n
        m = 9 - data[at].bit_length()
        size = int.from_bytes(data[at:at + m], "big") & (1 << 7 * m) - 1
        stop = end if size == (1 << 7 * m) - 1 else at + m + size
        assert stop <= end, f"element {id:x} at {start} is longer than what it is in"
        yield id, start, at + m, stop
        start = stop


def find(data, id, start=0, end=None):
    return next(e for e in elements(data, start, end) if e[0] == id)


def tracks_of(path):
    """[(three letters, in full)] of a file's tracks, and whether their checksum is right (None: has none)."""
    with open(path, "rb") as file:
        data = file.read()
    _, _, segment, end = find(data, SEGMENT)
    _, _, at, stop = find(data, TRACKS, segment, end)
    found, right = [], None
    for id, _, a, b in elements(data, at, stop):
        if id == CRC:
            right = int.from_bytes(data[a:b], "little") == zlib.crc32(data[b:stop])
        if id == TRACK:
            texts = {i: data[x:y].decode() for i, _, x, y in elements(data, a, b) if i in (LANGUAGE, FULL)}
            found.append((texts.get(LANGUAGE, "eng"), texts.get(FULL)))
    return found, right


def place(id, at):
    """An entry of a list of places."""
    return element(0x4DBB, element(0x53AB, id.to_bytes(4, "big"), 1) + element(0x53AC, at.to_bytes(8, "big"), 1), 1)


def film(folder, at_end=False, lists=1):
    """A film with LANGUAGES: picture, sound, three subtitles."""
    path = os.path.join(folder, "end.mkv" if at_end else "film.mkv")
    srt = clips.write(folder, "lines.srt", clips.SRT)
    # A name as long as the element will be, which is then put in its place.
    names = ["x" * (1 + len(full)) for _, full in LANGUAGES]
    tags = [x for i, (letters, _) in enumerate(LANGUAGES)
            for x in (f"-metadata:s:{i}", f"language={letters}", f"-metadata:s:{i}", f"title={names[i]}")]
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", clips.PICTURE, "-f", "lavfi", "-i", "sine=d=1", *["-i", srt] * 3,
                            "-map", 0, "-map", 1, "-map", 2, "-map", 3, "-map", 4, "-c:v", "mpeg4", "-c:a", "aac",
                            "-c:s", "srt", *tags, "-write_crc32", 0, path))
    with open(path, "rb") as file:
        data = bytearray(file.read())
    for (_, full), name in zip(LANGUAGES, names):
        was, now = element(NAME, name.encode(), 1), element(FULL, full.encode(), 1)
        assert data.count(was) == 1 and len(was) == len(now), (was, now)
        data = data.replace(was, now)
    if at_end:
        data = move_tracks(data, lists)
    with open(path, "wb") as file:
        file.write(data)
    return path


def move_tracks(data, lists):
    """The same file with its tracks behind everything else, and as many lists of places that lead there."""
    segment = find(data, SEGMENT)
    head, tracks = find(data, SEEK_HEAD, segment[2]), find(data, TRACKS, segment[2])
    moved = bytes(data[tracks[1]:tracks[3]])
    places = element(SEEK_HEAD, place(TRACKS, len(data) - segment[2]), 1)
    for _ in range(lists - 1):
        moved += places
        places = element(SEEK_HEAD, place(SEEK_HEAD, len(data) + len(moved) - len(places) - segment[2]), 1)
    places += void(head[3] - head[1] - len(places))
    data[tracks[1]:tracks[3]] = void(tracks[3] - tracks[1])
    data[head[1]:head[3]] = places
    data += moved
    data[segment[2] - 8:segment[2]] = (1 << 56 | len(data) - segment[2]).to_bytes(8, "big")
    return data


def void(size):
    return element(0xEC, bytes(size - 9))


def upscale(program, source, out, *options):
    return run(program, "upscale", source, out, "--preset", "ultrafast", "--progress", "none", "--log-level", "warning", *options)


def to_matroska(program, folder, source, name):
    out = os.path.join(folder, f"{name}-out.mkv")
    r = upscale(program, source, out)
    check(r.returncode == 0 and r.stderr == "", f"{name}: upscaled without a warning", r.stderr)
    found, right = tracks_of(out)
    check(found == LANGUAGES, f"{name}: every track has its languages", found)
    check(right is True, f"{name}: the checksum of the tracks is right", right)
    v = run(program, "verify", source, out, "--progress", "none")
    check(v.returncode == 0, f"{name}: verified", v.stdout + v.stderr)
    said = run("ffprobe", "-v", "warning", "-show_entries", "stream_tags=language", "-of", "csv=p=0", out)
    check(said.stderr == "" and said.stdout.split() == [a for a, _ in LANGUAGES if a != "und"], f"{name}: others read it", said.stdout + said.stderr)
    return out


def others(program, folder, source):
    for ext in ("mp4", "mov", "webm"):
        out = os.path.join(folder, "out." + ext)
        r = upscale(program, source, out, *(["--codec", "libvpx-vp9"] if ext == "webm" else []))
        check(r.returncode == 0, f"{ext}: upscaled", r.stderr)
        said = [line for line in r.stderr.splitlines() if "language" in line]
        kinds = ["audio", "subtitle", "subtitle", "subtitle"]
        want = [f"kizunasr: warning: {kind} stream {i}: {ext} does not keep its language in full ({LANGUAGES[i][1]}); mkv would"
                for i, kind in enumerate(kinds, 1)]
        check(said == want, f"{ext}: says which languages are cut, not of ja", r.stderr)
        v = run(program, "verify", source, out, "--progress", "none")
        check(v.returncode == 0, f"{ext}: verified", v.stdout + v.stderr)
        if ext == "webm":
            check(all(full is None for _, full in tracks_of(out)[0]), "webm: has no element that it does not know", tracks_of(out))


def lost(program, folder, source, made):
    """An output whose languages somebody cut is found out."""
    cut = os.path.join(folder, "cut.mkv")
    clips.need(clips.ffmpeg("-i", made, "-map", 0, "-c", "copy", cut))
    v = run(program, "verify", source, cut, "--progress", "none")
    line = "the language in full of video stream 0 is not 'ja'"
    check(v.returncode == 6 and line in v.stdout, "verify finds languages that are cut", v.stdout + v.stderr)


def odd(program, folder, source):
    """What is no language, and tracks that are not the demuxer's streams."""
    with open(source, "rb") as file:
        data = file.read()
    path = clips.write(folder, "odd.mkv", data.replace(b"pt-BR", b"pt\x00BR").replace(b"es-419", b"es 419"))
    said = run(program, "probe", path)
    check(said.returncode == 0 and ", por" in said.stdout and ", spa" in said.stdout and "zh-Hant" in said.stdout, "what is no language is left alone", said.stdout + said.stderr)
    path = clips.write(folder, "less.mkv", data.replace(bytes.fromhex("8381") + b"\x02", bytes.fromhex("8381") + b"\x12"))
    said = run(program, "probe", path)
    check(said.returncode == 0 and all(x in said.stdout for x in ("zh-Hant", "es-419")), "a track that is no stream is passed over", said.stdout + said.stderr)
    path = clips.write(folder, "kind.mkv", data.replace(bytes.fromhex("8381") + b"\x02", bytes.fromhex("8381") + b"\x11"))
    said = run(program, "probe", path)
    check(said.returncode == 0 and "zh-Hant" not in said.stdout, "with a track that others leave out, nothing is guessed", said.stdout + said.stderr)


def padded(program, folder, source):
    """Elements as other writers make them, and another element twice."""
    with open(source, "rb") as file:
        data = file.read()
    was = element(LANGUAGE, b"por", 1) if element(LANGUAGE, b"por", 1) in data else element(LANGUAGE, b"por", 8)
    check(data.count(was) == 1 and data.count(b"zh-Hant") == 1, "the film has what is to be changed")
    changed = data.replace(was, was.replace(b"por", b"pt\0")).replace(b"zh-Hant", b"zh-TW\0\0")
    path = clips.write(folder, "padded.mkv", changed)
    out = os.path.join(folder, "padded-out.mkv")
    r = upscale(program, path, out)
    want = [("jpn", "ja"), ("pt", "pt-BR"), ("chi", "zh-TW"), *LANGUAGES[3:]]
    check(r.returncode == 0 and r.stderr == "" and tracks_of(out)[0] == want, "padded with zeros", f"{tracks_of(out)} {r.stderr}")
    v = run(program, "verify", path, out, "--progress", "none")
    check(v.returncode == 0, "padded with zeros: verified", v.stdout + v.stderr)
    path = clips.write(folder, "two.mkv", data.replace(element(FULL, b"sr-Latn-RS", 1), element(FULL, b"sr-L", 1) + element(FULL, b"ja", 1)))
    said = json.loads(run(program, "probe", "--json", path).stdout)
    check([s.get("language_ietf") for s in said["streams"]][4:] == ["ja"], "of two the last counts, whole", said)


def foreign(program, folder):
    """A tag that happens to have the name under which the program keeps languages."""
    for ext in ("mkv", "nut"):
        path, out = os.path.join(folder, "foreign." + ext), os.path.join(folder, f"foreign-{ext}.mkv")
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", clips.PICTURE, "-c:v", "mpeg4", "-metadata:s:v", "language=jpn",
                                "-metadata:s:v", "LANGUAGE IN FULL=" + "x" * 200, path))
        r = upscale(program, path, out)
        check(r.returncode == 0 and tracks_of(out) == ([("jpn", None)], True), f"{ext}: a tag of that name is not taken for one", f"{tracks_of(out)} {r.stderr}")
        v = run(program, "verify", path, out, "--progress", "none")
        check(v.returncode == 0, f"{ext}: a tag of that name: verified", v.stdout + v.stderr)


def write_corpus(folder):
    with tempfile.TemporaryDirectory() as scratch:
        for at_end in (False, True):
            with open(film(scratch, at_end), "rb") as file:
                data = bytearray(file.read())
            # Without pictures: a cluster ends what is read.
            segment = find(data, SEGMENT)
            cluster = find(data, CLUSTER, segment[2])
            tracks = bytes(data[find(data, TRACKS, segment[2])[1]:]) if at_end else b""
            small = data[:cluster[1]] + element(CLUSTER, b"")
            if at_end:
                small = small.replace((len(data) - len(tracks) - segment[2]).to_bytes(8, "big"), (len(small) - segment[2]).to_bytes(8, "big"))
            clips.write(folder, "end" if at_end else "front", bytes(small + tracks))
    program_s = b"por" + element(FULL, b"pt-BR", 1)
    body = element(TRACK, element(0xD7, b"\x01", 1) + element(0x83, b"\x02", 1) + element(0x86, b"A_AAC", 1) + element(LANGUAGE, program_s, 1), 8)
    tracks = element(TRACKS, element(CRC, zlib.crc32(body).to_bytes(4, "little"), 1) + body)
    clips.write(folder, "unfinished", element(EBML, element(0x4282, b"matroska", 1)) + element(SEGMENT, tracks))


def main():
    if sys.argv[2:3] == ["--corpus"]:
        return write_corpus(sys.argv[3])
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        source = film(folder)
        check(tracks_of(source)[0] == LANGUAGES, "the film is what it should be", tracks_of(source))
        made = to_matroska(program, folder, source, "film")
        to_matroska(program, folder, film(folder, at_end=True), "tracks at the end")
        to_matroska(program, folder, film(folder, at_end=True, lists=2), "named by a second list")
        to_matroska(program, folder, film(folder, at_end=True, lists=4), "named by a fourth list")
        again = to_matroska(program, folder, made, "the output itself")
        check(tracks_of(again)[0] == LANGUAGES, "twice the same", tracks_of(again))
        said = run(program, "probe", source).stdout
        check(all(f", {x}\n" in said or f", {x}," in said for x in ("jpn", "pt-BR", "zh-Hant", "es-419", "sr-Latn-RS")), "probe says them", said)
        check('"language_ietf": "pt-BR"' in run(program, "probe", "--json", source).stdout, "as JSON too")
        out = os.path.join(folder, "bare.mkv")
        r = upscale(program, source, out, "--preserve-metadata", "false")
        check(r.returncode == 0 and all(full is None for _, full in tracks_of(out)[0]), "dropped with the other tags", tracks_of(out))
        out = os.path.join(folder, "anew.mkv")
        r = upscale(program, source, out, "--audio-passthrough", "false")
        check(r.returncode == 0 and tracks_of(out)[0] == LANGUAGES, "sound encoded anew keeps them", tracks_of(out))
        lost(program, folder, source, made)
        others(program, folder, source)
        odd(program, folder, source)
        padded(program, folder, source)
        foreign(program, folder)
    finish()


if __name__ == "__main__":
    main()
