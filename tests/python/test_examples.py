#!/usr/bin/env python3
"""The example programs, run as their first lines say: in C and in Python."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

# Before counting takes the rest of the arguments.
C_UPSCALE, C_FRAMES, C_UPSCALE_FRAMES = (os.path.abspath(a) for a in sys.argv[3:6])
del sys.argv[3:6]

import counting  # noqa: E402
import kizunasr  # noqa: E402
import numpy as np  # noqa: E402

PYTHON = os.path.join(counting.ROOT, "examples", "python")


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kizunasr-examples-")
        self.film = os.path.join(self.folder, "film.mp4")
        counting.make_film(self.film)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_it(self, *command, status=0):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_c_upscale(self):
        done = self.run_it(C_UPSCALE, "film.mp4", "out.mkv", "4")
        self.assertEqual(done.stdout, "out.mkv: 12 frames, 256x192\n")
        self.assertIn("100 %\n", done.stderr)
        done = self.run_it(C_UPSCALE, "none.mp4", "out2.mkv", status=1)
        self.assertEqual(done.stderr, "error: input file not found: none.mp4\n")
        done = self.run_it(C_UPSCALE, "film.mp4", "out2.mkv", "3", status=1)
        self.assertEqual(done.stderr, "error: shader_scale: '3' is not valid (2 or 4)\n")
        self.assertIn("Usage: ", self.run_it(C_UPSCALE, status=2).stderr)

    def test_c_upscale_stops_and_goes_on(self):
        counting.make_film(os.path.join(self.folder, "long.mkv"), "--frames", "480", "--gop", "24")
        child = subprocess.Popen([C_UPSCALE, "long.mkv", "out.mkv"], cwd=self.folder,
                                 stderr=subprocess.PIPE, text=True)
        while child.stderr.readline() != "10 %\n":
            self.assertIsNone(child.poll())
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "out.mkv")))
        self.assertEqual(self.run_it(C_UPSCALE, "long.mkv", "out.mkv").stdout,
                         "out.mkv: 480 frames, 128x96\n")

    def test_c_frames(self):
        lines = self.run_it(C_FRAMES, "film.mp4").stdout.splitlines()
        with kizunasr.VideoDecoder(self.film) as decoder:
            for line, f in zip(lines, decoder):
                means = " ".join(f"{m:.1f}" for m in f.data.reshape(-1, 3).mean(axis=0))
                self.assertEqual(line, f"{f.frame_index} {f.time:.3f} {means}")
        self.assertEqual(len(lines), 12)

    def test_upscale_frames(self):
        """The means of red, green and blue of each frame, in C and in Python."""
        with kizunasr.VideoDecoder(self.film) as decoder:
            raw = b"".join(f.data.tobytes() for f in decoder)
        done = subprocess.run([C_UPSCALE_FRAMES, "64", "48", "rgb24", "sharpening=0.5"], input=raw,
                              capture_output=True, timeout=120, check=True)
        frames = np.frombuffer(done.stdout, np.uint8).reshape(12, 96, 128, 3)
        wanted = [f"frame {i}: 128x96, " + " ".join(f"{m:.1f}" for m in f.reshape(-1, 3).mean(axis=0))
                  for i, f in enumerate(frames)]
        example = os.path.join(PYTHON, "upscale_frames.py")
        done = self.run_it(sys.executable, example, "film.mp4", "sharpening=0.5")
        self.assertEqual(done.stdout.splitlines(), wanted)
        done = self.run_it(sys.executable, example, "film.mp4", "sharpening=5", status=1)
        self.assertEqual(done.stderr, "error: sharpening: '5' is not valid (0 to 2)\n")
        done = self.run_it(C_UPSCALE_FRAMES, "64", "48", "rgb24", "sharpening=5", status=1)
        self.assertEqual(done.stderr, "sharpening: '5' is not valid (0 to 2)\n")
        self.assertIn("Usage: ", self.run_it(C_UPSCALE_FRAMES, status=2).stderr)

    def test_python_upscale(self):
        try:
            import tqdm  # noqa: F401
        except ImportError:
            self.skipTest("tqdm is missing")
        done = self.run_it(sys.executable, os.path.join(PYTHON, "upscale.py"), "film.mp4",
                           "out.mkv", "4")
        self.assertEqual(done.stdout, "out.mkv: 12 frames, 256x192\n")
        done = self.run_it(sys.executable, os.path.join(PYTHON, "upscale.py"), "none.mp4",
                           "out2.mkv", status=1)
        self.assertEqual(done.stderr, "error: Input file not found: none.mp4\n")

    def test_python_compare(self):
        kizunasr.OfflineVideoProcessor(kizunasr.OfflineProcessorConfig(
            self.film, os.path.join(self.folder, "out.mkv"))).process()
        done = self.run_it(sys.executable, os.path.join(PYTHON, "compare.py"), "film.mp4",
                           "out.mkv")
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 13)
        self.assertRegex(lines[12], r"worst: frame \d+, (2[5-9]|[34]\d)\.\d\d dB")


if __name__ == "__main__":
    counting.main()
