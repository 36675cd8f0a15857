#!/usr/bin/env python3
"""Which frames a video has: packets that are fields, hidden frames or none at all, timestamps that are those of
decoding, and demuxers that call the end of a file an error.

Every frame that FFmpeg decodes must be in the output, at an even distance where the source has one; ordinary files
must still be indexed by their packets alone.

  indexing.py PROGRAM

Ends with `N passed, N failed, N skipped`.
"""
import argparse, glob, json, os, struct, tempfile

import h264
from checks import check, finish, run

TINY = ["--preset", "ultrafast", "--crf", "30", "--progress", "none", "--workers", "1", "--threads", "1", "--fresh",
        "--overwrite", "--scale", "2"]
FALSE_WORDS = ("damaged", "cannot be decoded", "ends early")
NOT_CODED = b"\0\0\1\xb6\x50\x4f"  # a frame of MPEG-4 at 25 ticks a second that stands for the one before


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def at(self, name):
        return os.path.join(self.folder, name)

    def ffmpeg(self, *args):
        r = run("ffmpeg", "-v", "error", "-y", "-cpuflags", "0", *" ".join(args).split(), cwd=self.folder)
        if r.returncode:
            print(r.stderr)

    def source(self, name, options, seconds=1):
        self.ffmpeg(f"-f lavfi -i testsrc2=s=64x48:d={seconds}:r=25", options, name)
        return name

    def write(self, name, data):
        with open(self.at(name), "wb") as file:
            file.write(data)
        return name

    def read(self, name):
        with open(self.at(name), "rb") as file:
            return file.read()

    def probe(self, name):
        r = run(self.program, "probe", self.at(name), "--json")
        return json.loads(r.stdout or "{}").get("video", {}), r.stderr

    def packets(self, name):
        r = run("ffprobe", "-v", "error", "-show_entries", "packet=pts_time,duration_time:stream=r_frame_rate", "-of",
                "json", self.at(name))
        found = json.loads(r.stdout)
        times = sorted((float(p["pts_time"]), float(p["duration_time"])) for p in found["packets"])
        return times, found["streams"][0]["r_frame_rate"]

    def decoded(self, name):
        r = run("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
                "stream=nb_read_frames", "-of", "csv=p=0", self.at(name))
        return int(r.stdout.split()[0].strip(","))

    def upscale(self, name, frames, even=True, start=None, options=()):
        """The output has that many frames, 40 ms apart; nothing false is said."""
        r = run(self.program, "upscale", self.at(name), self.at("out.mkv"), *TINY, *options)
        if not check(r.returncode == 0 and not any(w in r.stderr for w in FALSE_WORDS), f"{name} is upscaled", r.stderr):
            return r.stderr
        packets, rate = self.packets("out.mkv")
        steps = {round((b[0] - a[0]) * 1000) for a, b in zip(packets, packets[1:])}
        check(len(packets) == frames, f"{name}: {frames} frames", len(packets))
        if even:
            check(steps == {40} and rate == "25/1" and round(packets[-1][1] * 1000) == 40,
                  f"{name}: one every 40 ms, the last one too", f"{steps} {rate} {packets[-1]}")
        if start is not None:
            check(abs(packets[0][0] - start) < 0.002, f"{name}: begins at {start} s", packets[0])
        return r.stderr


# --- Fields ---

def check_fields(b):
    for kind, mixed in (("fields", False), ("mixed", True)):
        b.write(f"{kind}.h264", b"".join(h264.paff(30, 10, mixed)))
        b.ffmpeg(f"-fflags +genpts -i {kind}.h264 -c copy {kind}.ts")
        b.ffmpeg(f"-i {kind}.ts -c copy {kind}.mp4")
        b.ffmpeg(f"-i {kind}.ts -c copy {kind}.mkv")
        # As mkvmerge writes it: the default duration is that of a field.
        data = b.read(f"{kind}.mkv")
        frame, field = b"\x23\xe3\x83\x84" + struct.pack(">I", 40000000), b"\x23\xe3\x83\x84" + struct.pack(">I", 20000000)
        check(data.count(frame) == 1, f"{kind}.mkv has a default duration")
        b.write(f"{kind}-50.mkv", data.replace(frame, field))
        for name in (f"{kind}.ts", f"{kind}.mp4", f"{kind}.mkv", f"{kind}-50.mkv"):
            b.upscale(name, 30)
    b.ffmpeg("-i fields.h264 -c copy fields.avi")
    b.upscale("fields.h264", 30, even=True)
    check(b.probe("fields.avi")[0].get("frames") == b.decoded("fields.avi"), "fields.avi: as many as FFmpeg decodes")


def check_missing_headers(b):
    for start in (1, 2, 7):
        b.write("cut.h264", b"".join(h264.paff(30, 10, start=start)))
        b.ffmpeg("-fflags +genpts -i cut.h264 -c copy cut.ts")
        b.ffmpeg("-i cut.ts -c copy cut.mkv")
        for name in ("cut.ts", "cut.mkv"):
            found, said = b.probe(name)
            check(found.get("frames") == b.decoded(name), f"{name} without its first {start} units: what FFmpeg decodes",
                  f"{found.get('frames')} {b.decoded(name)} {said}")


# --- Timestamps of decoding ---

def flv_without_composition(data):
    out, at = bytearray(data), 13
    while at + 11 < len(out):
        size = int.from_bytes(out[at + 1:at + 4], "big")
        if out[at] == 9 and out[at + 11] & 15 == 7 and out[at + 12] == 1:
            out[at + 13:at + 16] = b"\0\0\0"
        at += 11 + size + 4
    return bytes(out)


def check_decode_times(b):
    codecs = {"h264": "-c:v libx264 -bf 2 -preset ultrafast", "mpeg4": "-c:v mpeg4 -bf 2",
              "hevc": "-c:v libx265 -preset ultrafast -x265-params log-level=0:bframes=2",
              "mpeg2": "-c:v mpeg2video -bf 2"}
    for name, options in codecs.items():
        b.source(f"{name}.mp4", f"{options} -use_editlist 0")
        b.ffmpeg(f"-i {name}.mp4 -c copy -bsf:v setts=pts=DTS {name}-dts.mkv")
        b.upscale(f"{name}-dts.mkv", 25)
        b.ffmpeg(f"-i {name}.mp4 -c copy {name}-good.mkv")
        for good in (f"{name}.mp4", f"{name}-good.mkv"):
            found, said = b.probe(good)
            check(found.get("index") == "packets" and not said, f"{good} is indexed by its packets", f"{found} {said}")
    # Matroska has no decode times: the first frame that is kept back is shown long before the second.
    for rate in ("24000/1001", "30", "12"):
        for frames in (3, 8, 16):
            name = f"b{frames}-{rate.split('/')[0]}.mkv"
            b.ffmpeg(f"-f lavfi -i testsrc2=s=64x48:d=2:r={rate} -f lavfi -i sine=d=2 -c:v libx264 -c:a aac -x264-params",
                     f"bframes={frames}:b-adapt=0:b-pyramid=normal {name}")
            found, said = b.probe(name)
            check(found.get("index") == "packets" and not said, f"{name} is indexed by its packets", f"{found} {said}")
    # AVI says when frames are decoded, and the last ones come when all packets have been read.
    for name, options in (("mpeg4.avi", codecs["mpeg4"]), ("mpeg2.vob", codecs["mpeg2"])):
        b.source(name, options)
        found, said = b.probe(name)
        check(found.get("index") == "decoded" and found.get("frames") == 25 and not said, f"{name}: nothing was repaired", f"{found} {said}")
    for name in ("h264", "mpeg4"):
        b.write(f"{name}-no.mp4", b.read(f"{name}.mp4").replace(b"ctts", b"free"))
        first = b.packets(f"{name}.mp4")[0][0][0]
        said = b.upscale(f"{name}-no.mp4", 25, start=first)
        check("timestamps are those of decoding" in said, f"{name}-no.mp4: that is said", said)
    b.source("edit.mp4", codecs["h264"])
    b.write("edit-no.mp4", b.read("edit.mp4").replace(b"ctts", b"free"))
    b.upscale("edit-no.mp4", b.decoded("edit-no.mp4"), even=False)  # one in the middle is marked as not shown
    want = [t for t, _ in b.packets("edit.mp4")[0]]
    got = [t for t, _ in b.packets("out.mkv")[0]]
    check(all(min(abs(t - w) for w in want) < 0.002 for t in got), "edit-no.mp4: at the times before", got)
    b.ffmpeg("-i h264.mp4 -c copy good.flv")
    b.write("zero.flv", flv_without_composition(b.read("good.flv")))
    b.upscale("zero.flv", 25)
    b.source("raw.m4v", codecs["mpeg4"])
    b.source("raw.h264", codecs["h264"])
    b.ffmpeg("-i h264.mp4 -c copy b.avi")
    for name in ("raw.m4v", "raw.h264", "b.avi"):
        b.upscale(name, 25)


# --- Packets with no frame, or two ---

def avi(frames, tag):
    """The smallest AVI file of these chunks."""
    def chunk(name, data):
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    strh = struct.pack("<4s4sIHHIIIIIIIIHHHH", b"vids", tag, 0, 0, 0, 0, 1, 25, 0, len(frames), 65536, 0xFFFFFFFF, 0, 0,
                       0, 64, 48)
    strf = struct.pack("<IiiHH4sIiiII", 40, 64, 48, 1, 24, tag, 64 * 48 * 3, 0, 0, 0, 0)
    strl = chunk(b"LIST", b"strl" + chunk(b"strh", strh) + chunk(b"strf", strf))
    avih = struct.pack("<14I", 40000, 0, 0, 0x10, len(frames), 0, 1, 65536, 64, 48, 0, 0, 0, 0)
    movi, index = b"movi", b""
    for frame in frames:
        index += struct.pack("<4sIII", b"00dc", 0 if vop_type(frame) else 16, len(movi), len(frame))
        movi += chunk(b"00dc", frame)
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", avih) + strl)
    return chunk(b"RIFF", b"AVI " + header + chunk(b"LIST", movi) + chunk(b"idx1", index))


def vop_type(frame):
    return frame[frame.find(b"\0\0\1\xb6") + 4] >> 6  # 0 I, 1 P, 2 B


def packed(frames):
    """A B-frame stands behind the frame that it needs; an empty frame has its place."""
    out, at = [], 0
    while at < len(frames):
        pair = at + 1 < len(frames) and vop_type(frames[at]) < 2 and vop_type(frames[at + 1]) == 2
        out += [frames[at] + frames[at + 1], NOT_CODED] if pair else [frames[at]]
        at += 1 + pair
    mark = out[0].find(b"\0\0\1\xb2")
    return [out[0][:mark] + b"\0\0\1\xb2DivX503b1393p" + out[0][mark:]] + out[1:]


def check_mpeg4(b):
    b.source("m%03d.m4v", "-c:v mpeg4 -bf 1 -b_strategy 0 -sc_threshold 1000000000 -f image2")
    frames = [b.read(os.path.basename(f)) for f in sorted(glob.glob(b.at("m[0-9]*.m4v")))]
    b.write("packed.avi", avi(packed(frames), b"DX50"))
    b.ffmpeg("-fflags +genpts -i packed.avi -c copy packed.mkv")
    for name in ("packed.avi", "packed.mkv"):
        b.upscale(name, 25)
    second = [i for i, f in enumerate(frames) if vop_type(f) == 2][2]
    b.write("dropped.avi", avi([NOT_CODED if i == second else f for i, f in enumerate(frames)], b"XVID"))
    b.ffmpeg("-fflags +genpts -i dropped.avi -c copy dropped.mkv")
    for name in ("dropped.avi", "dropped.mkv"):
        b.upscale(name, 24, even=False)


def read_ivf(data):
    packets, at = [], 32
    while at + 12 <= len(data):
        size, time = struct.unpack_from("<IQ", data, at)
        packets.append((time, data[at + 12:at + 12 + size]))
        at += 12 + size
    return packets


def write_ivf(codec, packets):
    head = b"DKIF" + struct.pack("<HH4sHHIIII", 0, 32, codec, 64, 48, 1000, 1, len(packets), 0)
    return head + b"".join(struct.pack("<IQ", len(data), time) + data for time, data in packets)


def split_vp9(data):
    mark = data[-1]
    count, length = (mark & 7) + 1, (mark >> 3 & 3) + 1
    size = 2 + count * length
    if mark >> 5 != 6 or len(data) < size or data[-size] != mark:
        return [data]
    parts, at = [], 0
    for i in range(count):
        place = len(data) - size + 1 + i * length
        end = at + int.from_bytes(data[place:place + length], "little")
        parts.append(data[at:end])
        at = end
    return parts


def split_av1(data):
    parts, unit, at = [], b"", 0
    while at < len(data):
        kind, head = data[at] >> 3 & 15, at
        at += 1 + (data[at] >> 2 & 1)
        size = shift = 0
        while True:
            size |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                break
        at += size
        unit += data[head:at]
        if kind in (3, 6):
            parts.append(unit)
            unit = b""
    return parts


def check_hidden(b):
    base = "-f lavfi -i testsrc2=s=64x48:d=1.6:r=25"
    vp9 = "-c:v libvpx-vp9 -b:v 0 -crf 40 -lag-in-frames 25 -cpu-used 4 -auto-alt-ref 6 -passlogfile pass"
    b.ffmpeg(f"{base} {vp9} -pass 1 -f null -")
    b.ffmpeg(f"{base} {vp9} -pass 2 vp9.ivf")
    b.ffmpeg(f"{base} -c:v libaom-av1 -lag-in-frames 19 -cpu-used 8 -crf 50 av1.ivf")
    for name, codec, split in (("vp9", b"VP90", split_vp9), ("av1", b"AV01", split_av1)):
        whole = read_ivf(b.read(f"{name}.ivf"))
        for kind, step in (("apart", 1), ("same", 0)):  # hidden frames a little earlier, or at the same time
            parts = [(40 * time - step * (len(split(data)) - 1 - i), part)
                     for time, data in whole for i, part in enumerate(split(data))]
            b.write(f"{name}-{kind}.ivf", write_ivf(codec, parts))
        check(len(parts) > len(whole), f"{name}.ivf has hidden frames", len(parts))
        for kind in ("", "-apart", "-same"):
            found, said = b.probe(f"{name}{kind}.ivf")
            check(found.get("frames") == 40 and found.get("index") == "packets" and not said,
                  f"{name}{kind}.ivf: 40 frames by packets", f"{found} {said}")
        b.upscale(f"{name}-apart.ivf", 40)


# --- Ends ---

def nsv(frames):
    out = b"NSVsXVIDNONE" + struct.pack("<HHBH", 64, 48, 25, 0)
    for i, frame in enumerate(frames):
        out += b"\xef\xbe" if i else b""
        out += bytes([(len(frame) & 15) << 4]) + struct.pack("<HH", len(frame) >> 4, 0) + frame
    return out


def check_ends(b):
    b.source("e%03d.m4v", "-c:v mpeg4 -bf 0 -f image2")
    whole = nsv([b.read(os.path.basename(f)) for f in sorted(glob.glob(b.at("e[0-9]*.m4v")))])
    b.write("whole.nsv", whole)
    said = b.upscale("whole.nsv", 25, even=False)
    check("warning" not in said, "whole.nsv: nothing is wrong with it", said)
    b.write("cut.nsv", whole[:-20])
    b.write("half.nsv", whole[:len(whole) // 2])
    for name in ("cut.nsv", "half.nsv"):
        r = run(b.program, "upscale", b.at(name), b.at("out.mkv"), *TINY)
        check(r.returncode == 3 and "ends early" in r.stderr and "--on-frame-error repeat" in r.stderr,
              f"{name} is refused, with the option to type", r.stderr)
        r = run(b.program, "upscale", b.at(name), b.at("out.mkv"), *TINY, "--on-frame-error", "repeat")
        check(r.returncode == 0 and "ends early" in r.stderr, f"{name}: the option takes what is there", r.stderr)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    o = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        b = Bench(os.path.abspath(o.program), folder)
        for part in (check_fields, check_missing_headers, check_decode_times, check_mpeg4, check_hidden, check_ends):
            part(b)
    finish()


if __name__ == "__main__":
    main()
