#!/usr/bin/env python3
"""Judges networks on coded video, through the whole program or alone.

    judge.py web|dvd --program KIZUNASR --data DIR [--options "--temporal"] [--motion-threshold T] MODEL...

A pan, a held drawing and moving figures, one after the other, of pictures kept from training, are coded with each of
the settings kept from training (coded.py), doubled with --use-ai --denoise 0 --ai-temporal off, and compared with the
frames they come from. MODEL: a name or a .ksrnet file; "filters" is the program without a network; NAME.npz or
NAME@REST.npz is computed here, a network of model.py's table, behind stage 5 with a motion threshold of T. Prints for
every setting, for their mean, and for the same scenes reduced and not coded ("clean"): mean PSNR in dB and SSIM of
luma without 8 pixels at the edges; flicker: the standard deviation over time, in 8-bit codes, of samples of the held
drawing that do not change, of the output and of the coded video; and the PSNR of each scene. Needs what coded.py
needs.
"""
import argparse
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

import coded
import data
from averaged import samples, stage5
from model import SPECS, Net
from pack import layers

SCENES = ("pan", "held", "figures")
SIZES = {"web": (640, 480), "dvd": (720, 480)}
EDGE = 8


def box(a, n=8):
    """Means over squares of n x n."""
    c = np.pad(a.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    return (c[n:, n:] - c[:-n, n:] - c[n:, :-n] + c[:-n, :-n]) / (n * n)


def scores(x, y):
    """(PSNR, SSIM) of two frames."""
    x, y = (v[EDGE:-EDGE, EDGE:-EDGE].astype(np.float64) for v in (x, y))
    psnr = 10 * np.log10(255**2 / max(((x - y) ** 2).mean(), 1e-4))
    mx, my = box(x), box(y)
    vx, vy, both = box(x * x) - mx * mx, box(y * y) - my * my, box(x * y) - mx * my
    one, two = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return psnr, ((2 * mx * my + one) * (2 * both + two) / ((mx * mx + my * my + one) * (vx + vy + two))).mean()


def flicker(frames, still):
    return float(frames.astype(np.float32).std(0)[still].mean())


def enlarged(o, model, path, shape):
    """The program's output for a video file: [n,2h,2w] of luma."""
    n, h, w = shape
    out = path + ".out.mkv"
    network = [] if model == "filters" else ["--use-ai", "--ai-model", model]
    done = subprocess.run([o.program, "upscale", path, out, "--overwrite", "--denoise", "0", "--ai-temporal", "off",
                           "--codec", "ffv1", *network, *o.options.split()], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"judge.py: {model}: the program failed ({done.returncode}): {done.stderr[-500:]}")
    raw = subprocess.run([o.ffmpeg, "-v", "error", "-i", out, "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
                         check=True, capture_output=True).stdout
    os.remove(out)
    return np.frombuffer(raw, np.uint8).reshape(n, -1)[:, : 4 * h * w].reshape(n, 2 * h, 2 * w)


def computed(model, frames):
    """What a network makes of frames [n,h,w] of 15-bit samples, in the integers of an .npz."""
    spec = SPECS[os.path.basename(model).removesuffix(".npz").partition("@")[0]]
    net = Net(spec, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    net.start(layers(model))
    out = []
    with torch.no_grad():
        for f in frames:
            x = torch.from_numpy(f.astype(np.float32))[None, None].to(net.device) / 32768 - 0.5
            out.append(data.to_code(net.enlarge(x, net.theta, True) * 256 + 128)[0, 0].cpu().numpy())
    return np.stack(out).astype(np.uint8)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("kind", choices=list(coded.KEPT))
    ap.add_argument("models", nargs="+", metavar="MODEL")
    ap.add_argument("--program", help="for models that are not computed here")
    ap.add_argument("--data", required=True, help="folder with manifest.tsv and img/")
    ap.add_argument("--options", default="", help="of the program, beside")
    ap.add_argument("--motion-threshold", type=float, metavar="T", help="of stage 5, for models that are computed here")
    ap.add_argument("--frames", type=int, default=12, help="of each scene")
    ap.add_argument("--seed", type=int, default=1 << 20)
    ap.add_argument("--ffmpeg", default="ffmpeg")
    o = ap.parse_args()
    if not o.program and not all(m.endswith(".npz") for m in o.models):
        ap.error("--program is needed")
    pictures = data.load(o.data)[1]
    rng = np.random.default_rng(o.seed)
    scenes = [coded.takes(rng, pictures, SIZES[o.kind], o.frames, s) for s in SCENES]
    small, large = (np.concatenate(v) for v in ([coded.reduced(rng, s) for s in scenes], scenes))
    damaged = small
    if o.kind == "dvd":
        damaged = np.concatenate([coded.as_disc(rng, s) for s in np.split(small, len(SCENES))])
    held = slice(o.frames, 2 * o.frames)
    still = np.ptp(large[held], 0) == 0
    still_small = still.reshape(small.shape[1], 2, -1, 2).all((1, 3))
    print("model\tsetting\tdB\tSSIM\tflicker\tflicker of the source", *SCENES, sep="\t")
    with tempfile.TemporaryDirectory() as folder:
        streams = {}
        for name, settings in {"clean": ["-c:v", "ffv1"], **coded.KEPT[o.kind]}.items():
            path = os.path.join(folder, name + ".mkv")
            streams[name] = path, coded.code(small if name == "clean" else damaged, settings, o.ffmpeg, path)
        for model in o.models:
            rows = {}
            for name, (path, source) in streams.items():
                if model.endswith(".npz"):
                    seen = stage5(source, o.motion_threshold) if o.motion_threshold else samples(source)
                    out = computed(model, seen)
                else:
                    out = enlarged(o, model, path, small.shape)
                with ThreadPoolExecutor() as pool:
                    each = np.array(list(pool.map(scores, out, large)))
                rows[name] = [*each.mean(0), flicker(out[held], still), flicker(source[held], still_small),
                              *each[:, 0].reshape(len(SCENES), -1).mean(1)]
            rows["mean"] = np.mean([v for n, v in rows.items() if n != "clean"], 0)
            for name, v in rows.items():
                print(os.path.basename(model), name, "{:.2f}\t{:.4f}\t{:.3f}\t{:.3f}".format(*v[:4]),
                      *(f"{d:.2f}" for d in v[4:]), sep="\t", flush=True)


if __name__ == "__main__":
    main()
