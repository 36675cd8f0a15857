#!/usr/bin/env python3
"""What training computes with is what its integers give: train/ai/model.py against train/ai/reference.py.

  training.py SOURCE_FOLDER

Skipped where there is no torch. Ends with `N passed, N failed, N skipped`.
"""
import contextlib, io, os, shutil, subprocess, sys, tempfile, types

from checks import check, finish

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"{missing}\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)

sys.path.insert(0, os.path.join(sys.argv[1], "train", "ai"))
from PIL import Image
import averaged, choose, chroma, coded, colour, data, judge, mean, pack, reference, train
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
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "clip.npz")
        np.savez(path, small=small, large=small.repeat(2, 1).repeat(2, 2), averaged=averaged.samples(small) ^ 1)
        drawn, differences, _, _ = data.Pairs([path], "cpu", 200, 8, 4, lambda part: 0, True, 0.75).draw()
        middles = [data.middles([path], 16, which)[0] for which in (False, True)]
    found = drawn[:, 0, 4:-4, 4:-4] - differences[:, 0]
    second = (found[:, 0, 0] != 0).float()
    check((found * 32768 == second[:, None, None]).all() and 0.6 < second.mean() < 0.9, "pairs: some as stage 5 leaves them",
          second.mean())
    check(torch.equal(second[:100], second[100:]), "pairs: partners alike")
    check((middles[1] - middles[0] == 1 / 128).all(), "pairs: those to judge by, too")


def check_averaged():
    """Stage 5 of a still picture with little noise is its plain mean, begun again at a cut and, in turn, every 35 frames."""
    frames = np.random.default_rng(3).integers(100, 102, (80, 24, 40)).astype(np.uint8)
    frames[76:] += 100
    memory, wanted, weight = [None, None], [], round(averaged.WEIGHT * 16384)
    for t, frame in enumerate(averaged.samples(frames).astype(int)):
        for k in range(2):
            shown = k == (t // 35 + 1) % 2
            age = t % 35 + (35 if shown and t >= 35 else 0)
            w = 0 if t in (0, 76) else min((age << 14) // (age + 1), weight)
            gap = 0 if t == 0 else memory[k] - frame
            memory[k] = frame + np.sign(gap) * (w * abs(gap) >> 14)
            if shown:
                wanted.append(memory[k])
    got = averaged.stage5(frames, 0.1)
    check((got == np.stack(wanted)).all(), "averaged: a still picture", [int((g != w).sum()) for g, w in zip(got, wanted)])
    moving = np.full((6, 48, 80), 60, np.uint8)
    for t in range(6):
        moving[t, 10:30, 8 * t + 4 : 8 * t + 24] = 180
    got = averaged.stage5(moving, 0.1)
    check((got == averaged.samples(moving)).all(), "averaged: what moves is left", np.abs(got.astype(int) - averaged.samples(moving)).max())
    fading = np.arange(100, 112).astype(np.uint8)[:, None, None].repeat(24, 1).repeat(40, 2)
    kept = [np.abs(averaged.stage5(fading, t).astype(int) - averaged.samples(fading)).max() for t in (0.01, 0.2)]
    check(kept[0] == 0 < kept[1], "averaged: the threshold counts", kept)


def check_coded():
    """A clip's stored frames, and what stage 5 makes of them with a threshold of those given."""
    rng = np.random.default_rng(2)
    coded.PICTURES = ([rng.integers(0, 256, (900, 900)).astype(np.uint8)],) * 2
    with tempfile.TemporaryDirectory() as folder:
        o = types.SimpleNamespace(kind="web", out=folder, motion_threshold=[0.03, 0.3], ffmpeg="ffmpeg")
        whole, code = [], coded.code
        coded.code = lambda frames, *_: whole.append(frames) or frames
        for seed in (1, 13):
            coded.make((o, seed, float("inf")))
        coded.code = code
        clips = [np.load(os.path.join(folder, f"clip_{seed:05}.npz")) for seed in (1, 13)]
    check([float(c["threshold"]) for c in clips] == o.motion_threshold, "coded: one threshold for each clip")
    for frames, clip in zip((whole[0], whole[-1]), clips):
        want = averaged.stage5(frames, float(clip["threshold"]))[list(coded.KEEP)]
        check((clip["averaged"] == want).all() and (clip["small"] == frames[list(coded.KEEP)]).all(), "coded: both kinds of frames")


def check_choice():
    """choose.py chooses as the program does: by a lead over all others, the one for all sources included."""
    votes = torch.tensor([[0, 0.6, 0, 0, 0], [0, 0.4, 0, 0, 0], [0, 2, 1.4, 0, 0], [0, 2, 1.6, 0, 0], [0, -3, -2, -9, -4], [0, 0, 0, -1, 0.51]])
    got = choose.choice(votes).tolist()
    check(got == [1, 0, 1, 0, 0, 4], "choose: the program's rule", got)


def check_mean():
    """The mean of a network with itself is that network."""
    path = os.path.join(sys.argv[1], "models", "anime-fast.npz")
    net, theta = mean.mean("anime-fast", [path] * 2)
    same = all((a == b).all() for a, b in zip(net.integers(theta), [l[:3] for l in pack.layers(path)]) for a, b in zip(a, b))
    check(same, "mean: of a network with itself")


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
    low, high = (torch.from_numpy(reference.repeated(v, 26, 20)) for v in reference.chroma_limits(planes * 128))
    want = torch.floor(d.clamp(low, high).clamp(0, 32767) / 32 + 0.5).clamp(0, 1023) / 4
    check((got == want.numpy()).all(), "chroma: quantized in training = the integers", np.sum(got != want.numpy()))
    kept = pack.layers(os.path.join(sys.argv[1], "models", "anime-chroma.npz"))
    x = np.random.default_rng(3).integers(-16384, 16256, (6, 30, 24))
    check((chroma.differences(kept, x) == reference.differences(kept, x)).all(), "chroma: in float32 = the integers")
    shapes = [(l.channels, l.inputs, l.side, l.side) for l in chroma.SPECS["anime-chroma"].layers]
    check([l.weights.shape for l in kept] == shapes, "chroma: the shape of what is kept", shapes)


def check_formats():
    """Luma of pure colours, both ranges, and where chroma lies."""
    for matrix, red in (("709", 0.2126), ("601", 0.299)):
        for full, black, white in ((False, 16, 235), (True, 0, 255)):
            rgb = torch.tensor([[255.0, 0, 0], [0, 0, 0], [255, 255, 255]]).t()[None, :, None]
            y, cb, cr = colour.ycc(rgb, colour.Format(matrix, full))[0, :, 0]
            want = torch.tensor([black + (white - black) * red, black, white])
            check((y - want).abs().max() < 0.01, f"formats: luma, {matrix}, {full}", y)
            top = 255.5 if full else 240
            check((cr - torch.tensor([top, 128, 128])).abs().max() < 0.01, f"formats: Cr, {matrix}, {full}", cr)
            check((cb[1:] - 128).abs().max() < 0.01, f"formats: Cb of greys, {matrix}, {full}", cb)
    ramp = torch.arange(40.0).expand(1, 2, 40, 40)
    for centred, place in (False, 0.0), (True, 0.5):
        half = colour.halved(ramp, centred=centred)
        at = half[0, 0, 8, 8] - 16
        check(abs(at - place) < 1e-4, f"formats: where halved chroma lies, centred {centred}", at)
        whole = colour.filtered(half, centred)[0, 0, 16, 10:30]  # lies where halved luma does, or a quarter before
        want = torch.arange(10.0, 30) - (0 if centred else 0.25)
        check((whole - want).abs().max() < 0.05, f"formats: where enlarged chroma lies, centred {centred}", whole - want)
        step = colour.guided(colour.filtered(6 * half, centred), 6 * half, 6 * ramp[:, :1], centred)[0, 0, 16, 10:30] / 6
        check((step - want).abs().max() < 0.05, f"formats: guided chroma there, centred {centred}", step - want)


def check_patches():
    """Patches of coloured pictures: the parts of them that have another matrix, full range and no colour at all."""
    picture = np.zeros((416, 416, 3), np.uint8)  # red, so the matrix and the range show
    picture[..., 0] = 255
    dot = np.random.default_rng(6).random((416, 416)) < 0.01
    picture[dot] = 255
    patches = chroma.Patches([picture], "cpu", 400, 8, 8, 0, 1, augment=False)
    luma = patches.draw()[0][:, 0].flatten(1).median(1).values * 256 + 128
    for what, share, y in (("BT.601", chroma.OLDER, 81), ("full range", chroma.FULL, 54), ("usual", 1 - chroma.OLDER - chroma.FULL, 63)):
        found = ((luma - y).abs() < 1.5).float().mean()
        check(abs(found - share) < 0.08, f"patches: {what}", found)
    rgb, r = torch.rand(1000, 3, 4, 4) * 255, torch.rand(1000, 3)
    grey = patches._coloured(rgb, r)
    found = ((grey - grey.mean(1, keepdim=True)).abs().amax((1, 2, 3)) < 1e-3).float().mean()
    check(abs(found - chroma.GREY) < 0.025, "patches: without colour", found)


def check_codecs():
    """Stills of every codec are coded as often and as strongly as the table says, and come back."""
    made = list(chroma.stills(np.random.default_rng(5), 4000))
    for name, c in chroma.CODECS.items():
        of = [(float(s.partition(":")[2]), f) for _, s, f in made if s.startswith(name + ":")]
        numbers = [n for n, _ in of]
        check(abs(len(of) / 4000 - c.share) < 0.03, f"stills: share of {name}", len(of))
        check(c.least <= min(numbers) < c.least + 1 and c.most - 1 < max(numbers) <= c.most, f"stills: numbers of {name}")
        older = sum(f.matrix == "601" for _, f in of) / len(of)
        check(abs(older - c.older) < 0.06, f"stills: BT.601 of {name}", older)
    ffmpeg = shutil.which("ffmpeg")
    known = subprocess.run([ffmpeg, "-v", "error", "-encoders"], capture_output=True, text=True).stdout if ffmpeg else ""
    if not all(c.options.split()[1] in known for c in chroma.CODECS.values()):
        return print("not coded: FFmpeg lacks an encoder")
    y, x = np.mgrid[0:320, 0:352]
    rgb = np.stack([127 + 120 * np.sin(x / 9), 127 + 100 * np.sin(y / 7 + x / 31), np.where((x // 24 + y // 40) % 2, 220, 30)], 2)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "drawn.png")
        Image.fromarray(rgb.astype(np.uint8)).save(path)
        o = type("", (), {"seed": 3, "out": folder, "ffmpeg": ffmpeg, "each": 2})
        check([chroma.code_picture((o, 0, path, "lossless", held)) for held in (0, 1)] == [2, 4], "stills: how many")
        for name, c in chroma.CODECS.items():
            with np.load(os.path.join(folder, f"held_drawn_{name}.npz")) as z:
                luma, planes, truth, said = (z[k] for k in ("luma", "chroma", "truth", "settings"))
            kernel, setting, matrix = str(said).split()
            check((setting, matrix) == (f"{name}:{c.held}", "601" if c.older > 0.5 else "709"), f"{name}: settings", said)
            form = colour.Format(matrix)
            want = chroma.reduced(rgb.astype(np.uint8), kernel, form)
            check((truth == colour.subsampled(rgb.astype(np.uint8), form)[1]).all(), f"{name}: truth")
            error = max(np.abs(a.astype(float) - b).mean() for a, b in zip((luma, planes), want))
            coarse = chroma.coded(*want, f"{name}:{c.most * 1.5:g}", ffmpeg)
            worse = max(np.abs(a.astype(float) - b).mean() for a, b in zip(coarse, want))
            check(0 < error < 4 and worse > error, f"{name}: as strong as it should be", (error, worse))
        kept, said = os.path.join(sys.argv[1], "models", "anime-chroma.npz"), io.StringIO()
        words = ["judge", "--images", folder, "--coded", "mpeg2:4", "--matrix", "601", "--full", "--jobs", "1", kept]
        with contextlib.redirect_stdout(said):
            chroma.judge(chroma.parser().parse_args(words))
    rows = [line.split("\t") for line in said.getvalue().splitlines()]
    check([r[:2] for r in rows[1:]] == [[s, k] for s in ("clean", "mpeg2:4") for k in ("drawn", "mean", "least gain")]
          + [["adds", k] for k in ("flat, mean", "flat, most", "grey, most")], "judge: its rows", rows)
    clean, coded = (float(rows[n][4]) for n in (2, 5))
    check(20 < coded < clean < 60 and float(rows[3][4]) == round(clean - float(rows[2][2]), 2), "judge: its figures", rows)


def check_computed():
    """judge.py computes a network as reference.py does, but for samples that are rounded the other way."""
    frames = np.random.default_rng(4).integers(0, 256, (2, 14, 10)).astype(np.uint8)
    source = os.path.join(sys.argv[1], "models", "anime-fast.npz")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "anime-fast@other.npz")
        shutil.copy(source, path)
        got = judge.computed(path, averaged.samples(frames))
    want = [np.minimum(reference.double(pack.layers(source), f.astype(np.int64) << 7).astype(int) + 64 >> 7, 255) for f in frames]
    off = np.abs(got - np.stack(want))
    check(off.max() <= 1 and off.mean() < 0.02, "judge: what is computed = the integers", (off.max(), off.mean()))


def main():
    torch.set_num_threads(1)
    check_pairs()
    if compiles := bool(shutil.which("cc")):
        check_averaged()
        check_coded()
    check_choice()
    check_mean()
    check_stills()
    check_chroma()
    check_formats()
    check_patches()
    check_codecs()
    check_computed()
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
    finish(0 if compiles else 2)


main()
