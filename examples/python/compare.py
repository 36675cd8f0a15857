#!/usr/bin/env python3
"""Compares an upscaled video with its input: frame by frame, scaled down to the input's size.

    compare.py INPUT OUTPUT

Prints PSNR for each frame and the worst of them. Needs the package kizunasr (bindings/python).
"""

import sys

import numpy as np
from kizunasr import VideoDecoder


def scale_down(picture, factor):
    """The mean of each group of factor x factor pixels."""
    height, width, channels = picture.shape
    groups = picture.reshape(height // factor, factor, width // factor, factor, channels)
    return groups.mean(axis=(1, 3))


def psnr(a, b):
    """In dB; shapes are equal, values 0 .. 255."""
    error = np.mean((a - b) ** 2)
    return 10 * np.log10(255**2 / error) if error else float("inf")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    worst = (float("inf"), None)
    with VideoDecoder(sys.argv[1]) as before, VideoDecoder(sys.argv[2]) as after:
        if before.total_frames != after.total_frames:
            print(f"{before.total_frames} frames, then {after.total_frames}")
            return 1
        factor = after.width // before.width
        for a, b in zip(before, after):
            quality = psnr(a.data.astype(float), scale_down(b.data.astype(float), factor))
            print(f"frame {a.frame_index} at {a.time:.3f} s: {quality:.2f} dB")
            worst = min(worst, (quality, a.frame_index))
    print(f"worst: frame {worst[1]}, {worst[0]:.2f} dB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
