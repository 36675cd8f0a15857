#!/usr/bin/env python3
"""One timeline for all streams: clocks that restart, jump or wrap, and single wrong timestamps.

Recordings are joined byte by byte, and single timestamps changed in the file's bytes. Every frame must come out at
its own distance from the one before, audio and subtitles with their video, with one warning that says so; what
is meant to pause pauses.

  timeline.py PROGRAM [--only WORD]

Ends with `N passed, N failed, N skipped`.
"""
import argparse, json, os, struct, tempfile

import clips
from checks import check, finish, run
from jumps import blocks, packets

FRAME = 0.04
SECONDS = 1.6
FRAMES = 40
VIDEO = ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={SECONDS}"]
AUDIO = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"]
X264 = "-c:v libx264 -preset ultrafast -threads 1 -g 20 -bf 2".split()
MPEG2 = "-c:v mpeg2video -g 20 -bf 2".split()
FAST = "--preset ultrafast --crf 30 --workers 1 --threads 1 --overwrite --fresh --progress none".split()
CLOSED = "continues there without a gap"
REPAIRED = "equal or out of order: repaired"


def part(folder, name, codecs, offset=0.0, audio=True):
    path = os.path.join(folder, name)
    sources = [*VIDEO, *(AUDIO if audio else [])]
    late = ["-output_ts_offset", offset] if offset else []
    clips.need(clips.ffmpeg(*sources, *codecs, *late, "-muxdelay", 0.1, path))
    return path


def join(folder, name, *paths):
    return clips.write(folder, name, b"".join(open(path, "rb").read() for path in paths))


def times(path, stream="v:0"):
    """Times of a stream as a demuxer gives them, in seconds, in order of presentation."""
    r = run("ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "json", path)
    return sorted(float(p["pts_time"]) for p in json.loads(r.stdout or "{}").get("packets", []))


def even(found, distance=FRAME):
    return all(abs(b - a - distance) < 0.0016 for a, b in zip(found, found[1:]))


def near(found, wanted):
    return len(found) == len(wanted) and all(abs(a - b) < 0.0016 for a, b in zip(found, wanted))


class Suite:
    def __init__(self, program, folder, only):
        self.program, self.folder, self.only = program, folder, only

    def upscale(self, source, ext, *options):
        output = os.path.join(self.folder, "out." + ext)
        return output, run(self.program, "upscale", source, output, *FAST, *options)

    def joined(self, name, source, count, ext="mkv", restarts=1, said=CLOSED, audio=None, wanted=None):
        """Frames at their distance, audio over the whole length, one warning, verified."""
        if self.only not in name:
            return None
        output, r = self.upscale(source, ext)
        found = times(output) if r.returncode == 0 else []
        check(r.returncode == 0 and len(found) == count and (near(found, wanted) if wanted else even(found)), f"{name}: {count} frames, in place",
              f"{r.returncode} {len(found)} {[round(t, 3) for t in found[:3]]} {r.stderr}")
        place = f"in {restarts} place"
        check(r.stderr.count(said) == 1 and (said != CLOSED or place in r.stderr), f"{name}: said once", r.stderr)
        if audio:
            heard = times(output, "a:0") if r.returncode == 0 else [0]
            gaps = [b - a for a, b in zip(heard, heard[1:])]
            check(len(heard) >= audio and max(gaps, default=9) < 0.08 and abs(heard[-1] - found[-1]) < 0.2,
                  f"{name}: audio to the end, without a hole", f"{len(heard)} {max(gaps, default=0)}")
        v = run(self.program, "verify", source, output)
        check(v.returncode == 0, f"{name}: verified", v.stdout[-500:] + v.stderr)
        return output


# --- Clocks that restart ---

def test_joins(s):
    f = s.folder
    a = part(f, "a.ts", [*X264, "-c:a", "aac"])
    s.joined("restart, ts", join(f, "aa.ts", a, a), 2 * FRAMES, audio=145)
    s.joined("restart, ts to mp4", join(f, "aaa.ts", a, a, a), 3 * FRAMES, "mp4", restarts=2, audio=220)
    m = part(f, "m.mpg", [*MPEG2, "-c:a", "ac3"])
    s.joined("restart, mpg", join(f, "mm.mpg", m, m), 2 * FRAMES, audio=80)
    v = part(f, "v.vob", [*MPEG2, "-c:a", "mp2"])
    s.joined("restart, vob", join(f, "vv.vob", v, v), 2 * FRAMES, audio=120)
    b = part(f, "b.ts", [*X264, "-c:a", "aac"], 4000)
    s.joined("jump forward", join(f, "ab.ts", a, b), 2 * FRAMES, audio=145)
    s.joined("later part first", join(f, "ba.ts", b, a), 2 * FRAMES, audio=145)
    silent = part(f, "silent.ts", X264, audio=False)
    s.joined("no audio at all", join(f, "ss.ts", silent, silent), 2 * FRAMES)
    s.joined("a part without audio", join(f, "as.ts", a, silent, a), 3 * FRAMES, restarts=2)
    w = part(f, "w.ts", [*X264, "-c:a", "aac"], 95443)  # wraps after 0.7 s
    s.joined("wrap within a part", join(f, "aw.ts", a, w, a), 3 * FRAMES, restarts=2, audio=220)


def test_subtitles(s):
    """Texts stay with the frames that they were shown with."""
    if s.only not in "subtitles follow":
        return
    one = os.path.join(s.folder, "text.ts")
    clips.need(clips.ffmpeg(*VIDEO, *AUDIO, "-i", clips.subtitle(s.folder, "dvbsub"), *MPEG2, "-c:a", "mp2", "-c:s", "copy", "-map", 0, "-map", 1,
                            "-map", 2, "-muxdelay", 0.1, one))
    first = [t - times(one)[0] for t in times(one, "s:0")]
    source = join(s.folder, "texts.ts", one, one)
    output = s.joined("subtitles follow", source, 2 * FRAMES)
    found = [t - times(output)[0] for t in times(output, "s:0")]
    wanted = first + [t + SECONDS for t in first]
    check(len(found) == len(wanted) and all(abs(x - y) < 0.002 for x, y in zip(found, wanted)), "subtitles follow: in place",
          (found, wanted))


# --- Audio that overlaps at a join ---

def test_overlap(s):
    """Two pieces of one recording, whose audio overlaps by a packet: copied."""
    whole = os.path.join(s.folder, "o.ts")
    for codec, frame in (("aac", 1024 / 48000), ("mp2", 1152 / 48000)):
        name = f"overlap of one packet, {codec}"
        if s.only not in name:
            continue
        a = part(s.folder, "o1.ts", [*X264, "-c:a", codec])
        found = times(a, "a:0")
        late = found[-1] - found[0] - 0.2 * frame  # what follows begins a little before the last packet
        b = os.path.join(s.folder, "o2.ts")
        shift = times(a)[-1] + FRAME - times(a)[0]
        clips.need(clips.ffmpeg("-i", a, "-map", 0, "-c", "copy", "-copyts", "-bsf:v", f"setts=pts=PTS+{shift}/TB:dts=DTS+{shift}/TB",
                                "-bsf:a", f"setts=pts=PTS+{late}/TB:dts=DTS+{late}/TB", "-muxdelay", 0, b))
        source = join(s.folder, "o.ts", a, b)
        output, r = s.upscale(source, "mkv")
        kept = [h for _, h in packets(output)] if r.returncode == 0 else []
        check(r.returncode == 0 and "encoded" not in r.stderr.replace("0 encoded", "") and "left out, as what follows overlaps it" in r.stderr,
              f"{name}: said", r.stderr)
        check(len(kept) == 2 * len(found) - 1, f"{name}: all others are there", (len(kept), len(found)))
        check(run(s.program, "verify", source, output).returncode == 0, f"{name}: verified")


# --- A clock that breaks alone ---

def shift_ts(path, kind, first, seconds):
    """Changes the times of the PES packets of video (0xE0) or audio (0xC0) from one on; of those before it where
    first is negative."""
    data, n = bytearray(open(path, "rb").read()), 0
    for start in range(0, len(data), 188):
        at = start + 4 + (data[start + 4] + 1 if data[start + 3] & 0x20 else 0)
        if not data[start + 1] & 0x40 or data[at:at + 3] != b"\0\0\1" or data[at + 3] & 0xE0 != kind & 0xE0:
            continue
        if (n >= first >= 0) or n < -first:
            put_time(data, at + 9, seconds)
            if data[at + 7] & 0x40:
                put_time(data, at + 14, seconds)
        n += 1
    return bytes(data)


def put_time(data, at, seconds):
    b = data[at:at + 5]
    time = (b[0] & 0xe) << 29 | b[1] << 22 | (b[2] & 0xfe) << 14 | b[3] << 7 | b[4] >> 1
    time = (time + round(seconds * 90000)) % (1 << 33)
    data[at:at + 5] = bytes([b[0] & 0xf1 | time >> 29 & 0xe, time >> 22 & 0xff, time >> 14 & 0xfe | 1, time >> 7 & 0xff, time << 1 & 0xfe | 1])


def test_alone(s):
    """The clock of one stream breaks: it stays with the other."""
    path = os.path.join(s.folder, "one.ts")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=4", "-f", "lavfi", "-i", "sine=sample_rate=48000:duration=4",
                            *X264, "-c:a", "aac", "-pes_payload_size", 200, "-muxdelay", 0.1, path))
    for name, kind, first, seconds in (("video jumps ahead alone", 0xE0, 50, 4000), ("video falls back alone", 0xE0, 50, -1.2),
                                       ("video begins ahead alone", 0xE0, -50, 20), ("audio jumps ahead alone", 0xC0, 50, 4000),
                                       ("audio falls back alone", 0xC0, 50, -1.2)):
        if s.only in name:
            data = shift_ts(path, kind, first, seconds)
            output = s.joined(name, clips.write(s.folder, "alone.ts", data), 100, audio=180)
            check(abs(times(output)[0] - times(output, "a:0")[0]) < 0.1, f"{name}: they begin together")


# --- Single wrong timestamps ---

def shift_mkv(path, track, which, milliseconds):
    data = bytearray(open(path, "rb").read())
    places = [place for number, place in blocks(data) if number == track]
    for n in which:
        at = places[n]
        data[at:at + 2] = struct.pack(">h", struct.unpack(">h", data[at:at + 2])[0] + milliseconds)
    return bytes(data)


def shift_flv(path, n, milliseconds):
    """Changes the time of the n-th video tag with a frame."""
    data, at, seen = bytearray(open(path, "rb").read()), 13, 0
    while at + 11 < len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        if data[at] == 9 and data[at + 12] == 1:
            if seen == n:
                time = int.from_bytes(data[at + 4:at + 7], "big") + milliseconds
                data[at + 4:at + 7] = time.to_bytes(3, "big")
            seen += 1
        at += 11 + size + 4
    return bytes(data)


def first_of_ogg(path):
    """Gives the first frame's page a time of 2^58."""
    data, at = bytearray(open(path, "rb").read()), 0
    while data[at:at + 4] == b"OggS":
        granule = struct.unpack("<q", data[at + 6:at + 14])[0]
        lengths = data[at + 27:at + 27 + data[at + 26]]
        end = at + 27 + len(lengths) + sum(lengths)
        if granule > 0:
            data[at + 6:at + 14] = struct.pack("<q", 1 << 58)
            data[at + 22:at + 26] = bytes(4)
            data[at + 22:at + 26] = struct.pack("<I", ogg_checksum(data[at:end]))
            break
        at = end
    return bytes(data)


def ogg_checksum(page):
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04c11db7 if value & 0x80000000 else 0)) & 0xffffffff
    return value


# codec, frame, milliseconds
WRONG = [
    ("mpeg4 -bf 0", 9, 5000), ("mpeg4 -bf 2", 9, 5000), ("mjpeg", 9, 5000), ("mjpeg", 20, -700), ("mjpeg", 20, 100), ("mjpeg", 0, 3000),
    ("mjpeg", FRAMES - 1, -1000), ("libx264 -preset ultrafast -bf 2", 9, 5000), ("libx264 -preset ultrafast -bf 2", 20, 100),
    ("libx264 -preset ultrafast -bf 2", 20, -700), ("libx264 -preset ultrafast -bf 0", 0, 3000),
]


def test_wrong(s):
    for codec, n, off in WRONG:
        name = f"wrong time, {codec}, frame {n} by {off} ms"
        if s.only not in name:
            continue
        path = os.path.join(s.folder, "w.mkv")
        clips.need(clips.ffmpeg(*VIDEO, "-c:v", *codec.split(), path))
        s.joined(name, clips.write(s.folder, "wrong.mkv", shift_mkv(path, 1, [n], off)), FRAMES, said=REPAIRED)
    if s.only in "wrong time, flv":
        path = os.path.join(s.folder, "w.flv")
        clips.need(clips.ffmpeg(*VIDEO, "-c:v", "libx264", "-preset", "ultrafast", "-bf", 2, path))
        s.joined("wrong time, flv", clips.write(s.folder, "wrong.flv", shift_flv(path, 9, 5000)), FRAMES, said=REPAIRED)
    trouble = clips.ffmpeg(*VIDEO, "-c:v", "libtheora", "-page_duration", 1, os.path.join(s.folder, "w.ogv"))
    if s.only in "wrong time, ogg" and not trouble:
        wanted = times(os.path.join(s.folder, "w.ogv"))  # the encoder leaves out frames
        data = first_of_ogg(os.path.join(s.folder, "w.ogv"))
        s.joined("wrong time, ogg", clips.write(s.folder, "wrong.ogv", data), len(wanted), said=REPAIRED, wanted=wanted)


# --- What is meant ---

def test_pauses(s):
    """A still of a minute, and slides of 15 s, stay as long as they are, with audio and without."""
    plain = os.path.join(s.folder, "plain.mkv")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1", "-c:v", "mpeg2video", "-bf", 0, plain))
    for name, ext, time, audio in (("a still", "mkv", "PTS+gte(N,10)*60/TB", False), ("a still with audio", "ts", "PTS+gte(N,10)*12/TB", True),
                                   ("slides", "ts", "N*15/TB", False)):
        if s.only not in name:
            continue
        source = os.path.join(s.folder, f"pause.{ext}")
        time = time.replace(",", "\\,")
        sine = ["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=14"] if audio else []
        timed = os.path.join(s.folder, "timed.mkv")
        clips.need(clips.ffmpeg("-i", plain, *sine, "-c:v", "copy", "-bsf:v", f"setts=pts={time}:dts={time}", "-c:a", "mp2", timed))
        if ext == "mkv":
            source = timed
        else:
            clips.need(clips.ffmpeg("-i", timed, "-c", "copy", source))
        output, r = s.upscale(source, "mkv")
        wanted, found = times(source), times(output) if r.returncode == 0 else []
        check(r.returncode == 0 and len(found) == 25 and found[-1] - found[0] > 10, f"{name}: it stays", r.stderr)
        check(CLOSED not in r.stderr and all(abs((a - wanted[0]) - (b - found[0])) < 0.002 for a, b in zip(wanted, found)),
              f"{name}: as it was", (r.stderr, found[:12]))


def test_spacing(s):
    """Nothing is verified whose frames nobody can see."""
    if s.only not in "spacing":
        return
    a = part(s.folder, "p.ts", MPEG2, audio=False)
    output, r = s.upscale(join(s.folder, "pp.ts", a, a), "mkv")
    squeezed = os.path.join(s.folder, "squeezed.mkv")
    clips.need(clips.ffmpeg("-i", output, "-c", "copy", "-bsf:v", f"setts=pts=min(PTS\\,1500+N*2):dts=min(DTS\\,1460+N*2)", squeezed))
    v = run(s.program, "verify", os.path.join(s.folder, "pp.ts"), squeezed)
    check(v.returncode == 6 and any(l.startswith("FAIL") and "spacing: " in l for l in v.stdout.splitlines()), "spacing: squeezed frames fail",
          v.stdout[:400] + v.stderr)


# --- A constant rate that milliseconds hide ---

def test_cfr(s):
    if s.only not in "constant rate":
        return
    for rate, tick in (("24000/1001", 1001 / 24000), ("30000/1001", 1001 / 30000), ("25/2", 2 / 25)):
        source = os.path.join(s.folder, "cfr.mkv")
        clips.need(clips.ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={rate}:duration=4", "-c:v", "libx264", "-preset", "ultrafast", source))
        output, r = s.upscale(source, "mp4", "--cfr")
        found = times(output) if r.returncode == 0 else []
        far = max((abs(t - found[0] - n * tick) for n, t in enumerate(found)), default=9)
        check(r.returncode == 0 and f"constant frame rate: {rate}" in r.stderr and far < 2e-6, f"constant rate {rate}: exactly", (r.stderr, far))
        shown = run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=duration", "-of", "csv=p=0", output).stdout.split()
        check(len(shown) == len(found) and len(set(shown)) == 1, f"constant rate {rate}: one duration", set(shown))
        v = run(s.program, "verify", source, output)
        check(v.returncode == 0, f"constant rate {rate}: verified without being told", v.stdout + v.stderr)
    output, r = s.upscale(source, "mp4", "--cfr", "--start", "1", "--duration", "2")
    check(r.returncode == 0 and len(times(output)) == 25, "constant rate: a piece", r.stderr)
    varies = os.path.join(s.folder, "varies.mkv")
    clips.need(clips.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2", "-vf", "select='not(eq(n\\,30))'", "-vsync", "vfr",
                            "-c:v", "mpeg4", varies))
    output, r = s.upscale(varies, "mp4", "--cfr")
    check(r.returncode == 2 and "cfr: the frame rate is variable" in r.stderr and "omit --cfr" in r.stderr, "constant rate: refused where it varies", r.stderr)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--only", default="")
    o = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        s = Suite(os.path.abspath(o.program), folder, o.only)
        for test in (test_joins, test_subtitles, test_overlap, test_wrong, test_pauses, test_spacing, test_cfr, test_alone):
            test(s)
    finish()


if __name__ == "__main__":
    main()
