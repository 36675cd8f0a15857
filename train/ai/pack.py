"""Writes the program's model files from the integers of the .npz: pack.py NAME.npz...

Where NAME-VARIANT.npz are beside it, the file has these, too, and CHOOSER, whose differences are votes for them.

NAME.ksrnet, little-endian (models/README.md tells what the numbers mean):
  8 bytes "ksrnet\\r\\n", u16 version, u16 number of layers
  per layer: version 1: u16 inputs, u16 outputs, u16 side of the kernel, u16 0
             version 2: u8 kind (0 conv, 1 down, 2 up), u8 skip (0 none, else 1 + index of the layer),
                        u16 inputs, u16 outputs, u16 side of the kernel
             s32 bias of every channel, u8 shift of every channel,
             weights [channel][input][row][column], s16 in the first layer, s8 in the others
             (an `up` layer has four channels for each output, all others one)
  16 bytes XXH3-128 of all before: low half, high half

Version 1 is written for what it can hold: plain layers of one width, for luma. Several networks are version 3:
  8 bytes "ksrnet\\r\\n", u16 3, u16 number of networks
  per network: 16 bytes name, with zeros behind it, u32 size, a file of version 1 or 2
               the first is for all sources, the last one's name is "auto": it chooses
  16 bytes XXH3-128 of all before
"""
import ctypes
import os
import struct
import sys
from typing import NamedTuple

import numpy as np

CONV, DOWN, UP = range(3)
VARIANTS = ("sharp-area", "sharp-cubic", "soft-area", "soft-cubic")  # in the order of the chooser's votes
CHOOSER = "chooser.npz"


class Layer(NamedTuple):
    weights: np.ndarray  # [channel][input][row][column]
    bias: np.ndarray
    shift: np.ndarray
    kind: int = CONV
    skip: int = 0  # 1 + index of the layer that is added

    @property
    def outputs(self):
        return len(self.bias) // (4 if self.kind == UP else 1)


class Hash(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def checksum(data):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_128bits.restype = Hash
    library.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    h = library.XXH3_128bits(data, len(data))
    return struct.pack("<QQ", h.low, h.high)


def layers(path):
    """The layers of an .npz."""
    z = np.load(path)
    count = sum(name.startswith("weights") for name in z.files)
    graph = z["graph"] if "graph" in z.files else np.zeros((count, 2), int)
    return [Layer(*(z[f"{part}{i}"] for part in ("weights", "bias", "shift")), int(kind), int(skip))
            for i, (kind, skip) in enumerate(graph)]


def is_chroma(chain):
    """Whether a network doubles chroma, not luma."""
    return chain[0].weights.shape[1] == 6


def is_plain(chain):
    widths = {layer.outputs for layer in chain[:-1]}
    return (not is_chroma(chain) and not any(layer.kind or layer.skip for layer in chain) and
            widths in ({16}, {32}, {64}) and len(chain) <= 16)


def pack(chain):
    plain = is_plain(chain)
    data = b"ksrnet\r\n" + struct.pack("<HH", 1 if plain else 2, len(chain))
    for i, layer in enumerate(chain):
        inputs, side = layer.weights.shape[1:3]
        number = "i1" if i else "<i2"
        assert (layer.weights == layer.weights.astype(number)).all()
        if plain:
            data += struct.pack("<HHHH", inputs, layer.outputs, side, 0)
        else:
            data += struct.pack("<BBHHH", layer.kind, layer.skip, inputs, layer.outputs, side)
        data += layer.bias.astype("<i4").tobytes()
        data += layer.shift.astype("u1").tobytes() + layer.weights.astype(number).tobytes()
    return data + checksum(data)


def variants(path):
    """The .npz of the variants of an .npz, by their names; none, or all of VARIANTS."""
    name = path.removesuffix(".npz")
    there = {v: f"{name}-{v}.npz" for v in VARIANTS}
    return there if all(map(os.path.exists, there.values())) else {}


def join(networks):
    """networks: {name: bytes of a file}; the first is for all sources, the last chooses."""
    data = b"ksrnet\r\n" + struct.pack("<HH", 3, len(networks))
    for name, file in networks.items():
        data += name.encode().ljust(16, b"\0") + struct.pack("<I", len(file)) + file
    return data + checksum(data)


def file_of(path):
    """The bytes of the model file of an .npz."""
    others = variants(path)
    if not others:
        return pack(layers(path))
    others = {"general": path, **others, "auto": os.path.join(os.path.dirname(path), CHOOSER)}
    return join({name: pack(layers(p)) for name, p in others.items()})


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path.removesuffix(".npz") + ".ksrnet", "wb") as f:
            f.write(file_of(path))
