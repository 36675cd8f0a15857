"""Writes the program's model files from the integers of the .npz: pack.py NAME.npz...

NAME.ksrnet, little-endian (models/README.md tells what the numbers mean):
  8 bytes "ksrnet\\r\\n", u16 version 1, u16 number of layers
  per layer: u16 inputs, u16 outputs, u16 side of the kernel, u16 0
             s32 bias of every output, u8 shift of every output,
             weights [output][input][row][column], s16 in the first layer, s8 in the others
  16 bytes XXH3-128 of all before: low half, high half
"""
import ctypes
import struct
import sys

import numpy as np


class Hash(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def checksum(data):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_128bits.restype = Hash
    library.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    h = library.XXH3_128bits(data, len(data))
    return struct.pack("<QQ", h.low, h.high)


def layers(path):
    """The (weights, bias, shift) of every layer of an .npz."""
    z = np.load(path)
    return [tuple(z[f"{part}{i}"] for part in ("weights", "bias", "shift")) for i in range(len(z.files) // 3)]


def pack(chain):
    data = b"ksrnet\r\n" + struct.pack("<HH", 1, len(chain))
    for i, (weights, bias, shift) in enumerate(chain):
        o, c, k, _ = weights.shape
        kind = "i1" if i else "<i2"
        assert (weights == weights.astype(kind)).all()
        data += struct.pack("<HHHH", c, o, k, 0) + bias.astype("<i4").tobytes()
        data += shift.astype("u1").tobytes() + weights.astype(kind).tobytes()
    return data + checksum(data)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path.removesuffix(".npz") + ".ksrnet", "wb") as f:
            f.write(pack(layers(path)))
