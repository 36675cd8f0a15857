"""Stage 5 of the program, for training: stage5(frames, threshold). Needs a C compiler (CC, or cc)."""
import ctypes
import os
import shlex
import subprocess
import tempfile
from functools import lru_cache

import numpy as np

WEIGHT = 0.97  # temporal_weight's default
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
SOURCES = [os.path.join(HERE, "averaged.c"),
           *(os.path.join(ROOT, "src", name) for name in ("stages/temporal.c", "frame/frame.c", "core/mem.c"))]
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-ffp-contract=off", "-O3", "-march=native", "-shared", "-fPIC",
         *(f"-I{os.path.join(ROOT, name)}" for name in ("src", "include"))]


@lru_cache
def library():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "averaged.so")
        subprocess.run([*shlex.split(os.environ.get("CC") or "cc"), *FLAGS, *SOURCES, "-o", path], check=True)
        out = ctypes.CDLL(path)
    out.ksr_train_average.restype = ctypes.c_bool
    return out


def samples(frames):
    """8-bit codes as the program's 15-bit samples, [..., h, w]."""
    return frames.astype(np.uint16) << 7


def stage5(frames, threshold):
    """What the stage makes of frames [n,h,w] of 8 bits, the first ones of a video, with a motion threshold of more
    than 0: 15-bit samples."""
    frames = np.ascontiguousarray(samples(frames))
    out = np.empty_like(frames)
    n, h, w = frames.shape
    pointers = (v.ctypes.data_as(ctypes.c_void_p) for v in (out, frames))
    if not library().ksr_train_average(*pointers, n, w, h, ctypes.c_double(WEIGHT), ctypes.c_double(threshold)):
        raise MemoryError
    return out
