"""H.264 streams of field pictures, whose macroblocks are plain samples (I_PCM), for the tests of this folder."""

SIZE = 32  # of a frame, both ways


class Bits:
    def __init__(self):
        self.text = ""

    def u(self, count, value):
        self.text += format(value, f"0{count}b")
        return self

    def ue(self, value):
        code = bin(value + 1)[2:]
        self.text += "0" * (len(code) - 1) + code
        return self

    def flags(self, *values):
        for value in values:
            self.u(1, value)
        return self

    def align(self):
        self.text += "0" * (-len(self.text) % 8)
        return self

    def data(self):
        return int(self.text, 2).to_bytes(len(self.text) // 8, "big")


def nal(kind, payload):
    """A unit with its start code; three bytes that look like one are parted."""
    out, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([kind]) + bytes(out)


def headers(rate=25, timing=True):
    """The parameter sets: Main profile, fields allowed, display order by numbers of 8 bits."""
    sps = Bits().u(8, 77).u(8, 0).u(8, 30).ue(0).ue(0).ue(0).ue(4).ue(1).flags(0)
    sps.ue(SIZE // 16 - 1).ue(SIZE // 32 - 1).flags(0, 0, 1, 0, timing)
    if timing:  # aspect, overscan, video signal, chroma place; then ticks of fields, and a fixed rate
        sps.flags(0, 0, 0, 0, 1).u(32, 1).u(32, 2 * rate).flags(1)
        sps.flags(0, 0, 0, 1).flags(1).ue(0).ue(0).ue(10).ue(10).ue(0).ue(1)  # nothing is reordered
    pps = Bits().ue(0).ue(0).flags(0, 0).ue(0).ue(0).ue(0).flags(0).u(2, 0).ue(0).ue(0).ue(0).flags(1, 0, 0)
    return nal(0x67, sps.flags(1).align().data()) + nal(0x68, pps.flags(1).align().data())


def picture(number, field, idr, key=False, luma=None):
    """Frame `number` since the last IDR, or one field of it: "top", "bottom" or None for all."""
    first = field != "bottom"
    instant = idr and first
    head = Bits().ue(0).ue(7).ue(0).u(4, number % 16).flags(field is not None)
    if field:
        head.flags(field == "bottom")
    if instant:
        head.ue(key)
    head.u(8, (2 * number + (field == "bottom")) % 256)
    head.flags(0, 0) if instant else head.flags(0)
    head.ue(0).ue(1)  # quantiser as it is, no deblocking
    luma = (40 + 4 * (number % 40) + 2 * (field == "bottom")) if luma is None else luma
    samples = bytes([luma]) * 256 + bytes([100]) * 64 + bytes([150]) * 64
    out = b""
    for _ in range((SIZE // 16) ** 2 // (2 if field else 1)):
        out += head.ue(25).align().data() + samples
        head = Bits()
    return nal(0x65 if instant else 0x61, out + b"\x80")


def paff(frames, group=25, mixed=False, start=0, rate=25, timing=True):
    """Returns access units: each field its own; mixed: every second frame is one picture.
    start: units left out at the front, so that it begins with no parameter sets."""
    units = []
    for i in range(frames):
        number = i % group
        front = headers(rate, timing) if number == 0 else b""
        if mixed and i % 2:
            units.append(front + picture(number, None, number == 0, i // group % 2))
        else:
            units.append(front + picture(number, "top", number == 0, i // group % 2))
            units.append(picture(number, "bottom", number == 0))
    return units[start:]
