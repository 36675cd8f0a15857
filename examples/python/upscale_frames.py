#!/usr/bin/env python3
"""Upscales the frames of a video in memory, as NumPy arrays, and prints what became of each.

    upscale_frames.py INPUT [NAME=VALUE]...

Prints the size and the mean of red, green and blue of each. Settings are those of the stages,
such as sharpening=0.3. Needs the package kizunasr (bindings/python).
"""

import sys

from kizunasr import Upscaler, VideoDecoder


def means(frame):
    return " ".join(f"{mean:.1f}" for mean in frame.reshape(-1, 3).mean(axis=0))


def main():
    if len(sys.argv) < 2 or not all("=" in a for a in sys.argv[2:]):
        print(__doc__, file=sys.stderr)
        return 2
    settings = dict(a.split("=", 1) for a in sys.argv[2:])
    try:
        with VideoDecoder(sys.argv[1]) as decoder, \
                Upscaler(decoder.width, decoder.height, "rgb24", **settings) as upscaler:
            small = (frame.data for frame in decoder)
            for i, large in enumerate(upscaler.upscale_all(small)):
                print(f"frame {i}: {large.shape[1]}x{large.shape[0]}, {means(large)}")
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
