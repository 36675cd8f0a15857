#!/usr/bin/env python3
"""What training computes with is what its integers give: train/ai/model.py against train/ai/reference.py.

  training.py SOURCE_FOLDER

Skipped where there is no torch. Ends with `N passed, N failed, N skipped`.
"""
import os, sys, tempfile

from checks import check, finish

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"{missing}\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

sys.path.insert(0, os.path.join(sys.argv[1], "train", "ai"))
import chroma, colour, data, pack, reference, train
from model import Net, interpolate, plain, pyramid


def results(net, theta, codes):
    """The quantized network's output for [h,w] of 8 bits, in the engine's 15 bits."""
    x = torch.from_numpy(codes).float()[None, None] / 256 - 0.5
    pad, (h, w) = net.spec.reach(), codes.shape
    wide = torch.nn.functional.pad(x, (pad, pad - w % -4, pad, pad - h % -4), mode="replicate")
    with torch.no_grad():
        fine = net.differences(wide, theta, True)[:, :, pad : pad + h, pad : pad + w]
        base = interpolate(torch.nn.functional.pad(x, (2, 2, 2, 2), mode="replicate"))
    whole = sum(torch.floor(v.double() * 32768 + 0.5) for v in (fine, base)) + 16384
    return torch.nn.functional.pixel_shuffle(whole, 2)[0, 0].clamp(0, 32767).numpy()


def check_pairs():
    """Both sides of a coded pair are cut from the same place, whichever way they are mirrored."""
    with tempfile.TemporaryDirectory() as folder:
        path, (y, x) = os.path.join(folder, "clip.npz"), np.mgrid[0:40, 0:56]
        small = np.stack([(3 * y + 5 * x + 100 * t) % 256 for t in range(2)]).astype(np.uint8)
        np.savez(path, small=small, large=small.repeat(2, 1).repeat(2, 2))
        drawn, differences, _, _ = data.Pairs([path], "cpu", 16, 8, 4, lambda part: 0).draw()
    check(torch.equal(differences, drawn[:, :, 4:-4, 4:-4].expand(-1, 4, -1, -1)), "pairs: cut from the same place")
    ways = {tuple(np.sign(np.diff(d[0, :2, :2].numpy().ravel()[[0, 2, 1]]))) for d in drawn}
    check(len(ways) > 1, "pairs: mirrored", ways)


def check_orthogonal():
    """Singular values near 1, the same vectors; and every kernel between the first and the last is found, once."""
    x = torch.randn(3, 16, 40, generator=torch.Generator().manual_seed(2))
    for turned in (False, True):
        y = train.orthogonal(x.transpose(1, 2) if turned else x)
        values = torch.linalg.svdvals(y)
        check(values.min() > 0.6 and values.max() < 1.3, "orthogonal: singular values", values)
        u, _, v = torch.linalg.svd(x, full_matrices=False)
        y = y.transpose(1, 2) if turned else y
        check((u.transpose(1, 2) @ y @ v.transpose(1, 2)).diagonal(dim1=1, dim2=2).min() > 0.6, "orthogonal: vectors")
    net = Net(pyramid(16, 32, 0, more=(1, 0)), "cpu", 3)
    cut = [net.theta[s : s + a * b] for (a, b), starts in net.matrices().items() for s in starts]
    kernels = [w for w, _ in net.kernels(*net.merged(net.theta))][1:-1]
    found = sorted(float(c.sum()) for c in cut)
    check(np.allclose(found, sorted(float(k.sum()) for k in kernels), atol=1e-4), "matrices: all kernels but two", found)
    trainer = train.Trainer("net", net, 1e-3, muon=True)
    way = trainer.way(torch.randn_like(net.theta))
    for (rows, columns), (start, *_) in net.matrices().items():
        values = torch.linalg.svdvals(way[start : start + rows * columns].view(rows, columns))
        values /= 0.2 * max(rows, columns) ** 0.5
        check(values.min() > 0.4 and values.max() < 1.3, f"steps of {rows} x {columns} are orthogonal", values)


def check_stills():
    """Luma, chroma and truth of a coded still are cut from the same place, whichever way it is turned."""
    with tempfile.TemporaryDirectory() as folder:
        path, (y, x) = os.path.join(folder, "still.npz"), np.mgrid[0:40, 0:56]
        planes = np.stack([3 * y + 5 * x, 7 * y + 2 * x + 40]).astype(np.uint8)
        large = planes.repeat(2, 1).repeat(2, 2)
        np.savez(path, luma=large[0], chroma=planes, truth=large)
        drawn, plain, guided, *_ = chroma.Stills([path], "cpu", 32, 8, 4, 0.8).draw()
    planes = drawn[:, 4:] * 256 + 128
    luma = torch.nn.functional.pixel_shuffle(drawn[:, :4] * 256 + 128, 2)
    base = colour.filtered(planes)
    for name, d, base in ("filter", plain, base), ("guided", guided, colour.guided(base, planes, luma)):
        truth = torch.nn.functional.pixel_shuffle(d, 2) * 256 + base[:, :, 8:-8, 8:-8]
        want = planes[:, :, 4:-4, 4:-4].repeat_interleave(2, 2).repeat_interleave(2, 3)
        check((truth - want).abs().max() < 1e-3, f"stills: truth less {name}", (truth - want).abs().max())
    found = [[(drawn[:, 4 + n] == sign * drawn[:, k]).flatten(1).all(1) for n in (0, 1) for sign in (1, -1)]
             for k in range(4)]
    check(all(torch.stack(f).any(0).all() for f in found), "stills: luma is of the same place", found)
    check(all(f.any() for f in found[0]), "stills: exchanged, and opposite", found[0])


def check_chroma():
    """Six planes in, eight differences out: the same in training and in integers, and edges are repeated."""
    luma, planes = (np.random.default_rng(2).integers(0, 256, s) for s in ((26, 20), (2, 13, 10)))
    net = Net(chroma.SPECS["chroma-16x3-guided"], "cpu", 3)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.npz")
        train.export(path, net, net.theta)
        got = chroma.enlarged(pack.layers(path), np.full((2, 26, 20), 128.0), luma, planes)
    x = torch.cat([torch.nn.functional.pixel_unshuffle(torch.from_numpy(luma)[None, None], 2),
                   torch.from_numpy(planes)[None]], 1).float() / 256 - 0.5
    with torch.no_grad():
        d = net.differences(torch.nn.functional.pad(x, (9,) * 4, mode="replicate"), net.theta, True)[:, :, 9:-9, 9:-9]
    d = torch.floor(torch.nn.functional.pixel_shuffle(d, 2)[0].double() * 32768 + 0.5) + 16384
    want = torch.floor(d.clamp(0, 32767) / 32 + 0.5).clamp(0, 1023) / 4
    check((got == want.numpy()).all(), "chroma: quantized in training = the integers", np.sum(got != want.numpy()))
    kept = pack.layers(os.path.join(sys.argv[1], "models", "anime-chroma.npz"))
    shapes = [(l.channels, l.inputs, l.side, l.side) for l in chroma.SPECS["chroma-32x4"].layers]
    check([l.weights.shape for l in kept] == shapes, "chroma: the shape of what is kept", shapes)


def main():
    torch.set_num_threads(1)
    check_pairs()
    check_stills()
    check_chroma()
    check_orthogonal()
    codes = np.random.default_rng(1).integers(0, 256, (13, 10))
    codes[:, :5] = np.arange(13)[:, None] * 9
    patch = torch.rand(2, 1, 48, 48) - 0.5, torch.rand(2, 4, 24, 24) * 0.02, torch.full((2,), 0.01), torch.ones(2)
    for name, spec in (("pyramid", pyramid(16, 32, 16, 2)), ("pairs", plain(16, 1))):
        trainer = train.Trainer(name, Net(spec, "cpu", 3), 2e-3, name == "pyramid")
        for step in range(6):
            trainer.at = step + 500
            trainer.plan(0.5)
            trainer.step(*patch, step > 2, step > 4)
        with tempfile.TemporaryDirectory() as folder:
            train.save(folder, 0.5, [trainer])
            chain = pack.layers(os.path.join(folder, name + ".npz"))
            other = train.Trainer(name, Net(spec, "cpu", 4), 1e-3)
            told = train.resumed(type("", (), {"out": folder, "resume": None}), [other])
        want = reference.double(chain, codes << 7)
        got = results(trainer.net, trainer.ema, codes)
        check((got == want).all(), f"{name}: quantized in training = the integers", np.sum(got != want))
        again = Net(spec, "cpu", 5)
        again.start(chain)
        check((results(again, again.theta, codes) == want).all(), f"{name}: begun with the integers")
        check((told, other.at) == (0.5, 506) and torch.equal(other.theta, trainer.theta) and other.peak == 2e-3,
              f"{name}: goes on where the checkpoint was", (told, other.at))
        trainer.judge(30.0, 0)
        good = trainer.theta.detach().clone()
        trainer.theta.data[0] = float("nan")
        trainer.step(*patch, True, True)
        check(trainer.judge(float("nan"), 1) and torch.equal(good, trainer.theta.detach())
              and trainer.peak == 1e-3, f"{name}: goes back when it exploded")
    finish()


main()
