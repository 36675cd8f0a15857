#!/usr/bin/env python3
"""Sound whose times a damaged container has wrong, and sound that only pauses.

A film of 6 s with a tone, as MKV and TS, in which the times of some packets are changed in the file's bytes.
Where times jump and come back, every packet comes out where the undamaged film has it, with one warning; where
they fall for good, the track is encoded anew; where they only rise, nothing is said or changed.

  jumps.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import json, os, struct, sys, tempfile

import clips
from checks import check, finish, run

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=24:duration=6"]
TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=6"]
VIDEO = "-c:v libx264 -preset ultrafast -threads 1 -g 24".split()


def packets(path):
    """(time, checksum) of every packet of sound, in the order of the file."""
    r = run("ffprobe", "-v", "error", "-select_streams", "a:0", "-show_packets", "-show_data_hash", "crc32",
            "-show_entries", "packet=pts_time,data_hash", "-of", "json", path)
    return [(float(p["pts_time"]), p["data_hash"]) for p in json.loads(r.stdout or "{}").get("packets", [])]


def ebml(data, at, signed=False):
    """A number of variable length, and where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at:at + length], "big")
    return (value if signed else value & (1 << 7 * length) - 1), at + length


def blocks(data):
    """Where the times of Matroska's packets are: (track, place) each."""
    found, at = [], 0
    while at < len(data):
        name, at = ebml(data, at, True)
        size, at = ebml(data, at)
        if name in (0x18538067, 0x1F43B675, 0xA0):  # Segment, Cluster, BlockGroup: what is in them
            continue
        if name in (0xA3, 0xA1):
            found.append((data[at] & 0x7f, at + 1))
        at += size
    return found


def shift_mkv(data, which, seconds):
    """Changes the times of these packets of the second track."""
    data = bytearray(data)
    places = [place for track, place in blocks(data) if track == 2]
    for n in which:
        at = places[n]
        time = struct.unpack(">h", data[at:at + 2])[0] + round(seconds * 1000)
        data[at:at + 2] = struct.pack(">h", time)
    return bytes(data)


def shift_ts(data, which, seconds):
    """Changes the times of these PES packets of sound."""
    data, n = bytearray(data), 0
    for start in range(0, len(data), 188):
        if not data[start + 1] & 0x40:
            continue
        at = start + 4 + (data[start + 4] + 1 if data[start + 3] & 0x20 else 0)
        if data[at:at + 3] != b"\0\0\1" or not 0xC0 <= data[at + 3] <= 0xDF:
            continue
        if n in which:
            b = data[at + 9:at + 14]
            time = (b[0] & 0xe) << 29 | b[1] << 22 | (b[2] & 0xfe) << 14 | b[3] << 7 | b[4] >> 1
            time += round(seconds * 90000)
            data[at + 9:at + 14] = bytes([b[0] & 0xf1 | time >> 29 & 0xe, time >> 22 & 0xff, time >> 14 & 0xfe | 1,
                                          time >> 7 & 0xff, time << 1 & 0xfe | 1])
        n += 1
    return bytes(data)


# name, container, which packets of sound (of TS: PES packets), seconds, how many packets are repaired
RETURN = [
    ("one packet ahead", "mkv", [50], 5, 1),
    ("two seconds ahead", "mkv", range(40, 123), 1.5, 83),
    ("one packet back", "mkv", [60], -1, 1),
    ("the first packet ahead", "mkv", [0], 3, 1),
    ("the last packet back", "mkv", [249], -1, 1),
    ("twice", "mkv", [30, 31, 200], 2, 3),
    ("one PES packet ahead", "ts", [6], 5, 2),
]
SAY = "repaired out-of-order timestamps"


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        whole = {}
        for kind in ("mkv", "ts"):
            path = os.path.join(folder, f"whole.{kind}")
            clips.need(clips.ffmpeg(*PICTURE, *TONE, *VIDEO, "-c:a", "mp2", "-bitexact", path))
            whole[kind] = (path, packets(path))

        def damaged(kind, which, seconds):
            with open(whole[kind][0], "rb") as file:
                data = (shift_mkv if kind == "mkv" else shift_ts)(file.read(), which, seconds)
            return clips.write(folder, f"damaged.{kind}", data)

        def upscale(path, name, *options):
            out = os.path.join(folder, name)
            return out, run(program, "upscale", path, out, "--preset", "ultrafast", "--overwrite", "--progress", "none",
                            *options)

        def sound(path):
            """Seconds in which there is some, as decoded."""
            r = run("ffmpeg", "-nostdin", "-v", "info", "-i", path, "-af", "silencedetect=noise=-40dB:d=0.04", "-f", "null", "-")
            pauses = [float(l.split("silence_duration: ")[1]) for l in r.stderr.splitlines() if "silence_duration" in l]
            times = [t for t, _ in packets(path)]
            return times[-1] - times[0] - sum(pauses)

        for name, kind, which, seconds, count in RETURN:
            path = damaged(kind, which, seconds)
            for ext in ("mkv", "mp4") if name == "one packet ahead" else ("mkv",):
                out, r = upscale(path, f"out.{ext}")
                warned = f"timestamps of {count} packet" in r.stderr and r.stderr.count(SAY) == 1
                check(r.returncode == 0 and warned, f"{name}: {ext}, one warning", r.stderr)
                wanted, got = whole[kind][1], packets(out) if r.returncode == 0 else []
                same = [h for _, h in wanted] == [h for _, h in got]
                check(same and all(abs(a - b) < 0.002 for (a, _), (b, _) in zip(wanted, got)),
                      f"{name}: {ext}, every packet in its place", got[:3])
        path = damaged("mkv", [50], 5)
        out, r = upscale(path, "anew.mkv", "--audio-passthrough", "false")
        check(r.returncode == 0 and SAY in r.stderr and sound(out) > 5.9, "encoded anew: said, and no hole", r.stderr)
        r = run(program, "verify", path, out)
        check(r.returncode == 0, "verify takes the repaired times too", r.stdout[-600:] + r.stderr)

        out, r = upscale(damaged("mkv", range(125, 250), -0.5), "overlap.mkv")
        check(r.returncode == 0 and "has non-monotonic timestamps; overlapping audio is cut: it is re-encoded" in r.stderr and sound(out) > 5.4,
              "an overlap: encoded anew", r.stderr)

        for name, kind, which, seconds in (("a pause", "mkv", range(125, 250), 1), ("pauses", "mkv", range(125, 250), 0.1),
                                           ("a late start", "ts", range(1000), 1), ("the last packet late", "mkv", [249], 3)):
            path = damaged(kind, which, seconds)
            out, r = upscale(path, "pause.mkv")
            check(r.returncode == 0 and "warning" not in r.stderr, f"{name}: nothing is said", r.stderr)
            wanted, got = packets(path), packets(out) if r.returncode == 0 else []
            check(len(wanted) == len(got) and all(abs(a - b) < 0.002 for (a, _), (b, _) in zip(wanted, got)),
                  f"{name}: the times stay as they are", got[:3])
    finish()


if __name__ == "__main__":
    main()
