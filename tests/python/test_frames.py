#!/usr/bin/env python3
"""Frames in memory: arrays of all kinds in and out, the frames of a job, and what is refused."""

import os
import subprocess
import tempfile
import unittest

import counting
import kizunasr
import numpy as np
from kizunasr import PipelineConfig, RunOptions, Upscaler, upscale_frame

CPU = RunOptions(threads=2, device="cpu")


def noise(*shape, dtype=np.uint8, top=None):
    return np.random.default_rng(1).integers(0, top or np.iinfo(dtype).max, shape, dtype, endpoint=True)


class Frames(unittest.TestCase):
    def test_frames_are_those_of_a_job(self):
        with tempfile.TemporaryDirectory() as folder:
            film, out = os.path.join(folder, "film.mkv"), os.path.join(folder, "out.mkv")
            counting.make_film(film)
            settings = PipelineConfig(denoise=0.3, sharpening=0.5, enable_temporal=True)
            kizunasr.OfflineVideoProcessor(kizunasr.OfflineProcessorConfig(
                film, out, settings, kizunasr.EncoderConfig(codec="ffv1"))).process()
            before, after = (subprocess.run(
                ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "yuv420p",
                 "-fps_mode", "passthrough", "-"],
                stdout=subprocess.PIPE, check=True,
                env={k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}).stdout
                for path in (film, out))
        frames = np.frombuffer(before, np.uint8).reshape(12, -1)
        planes = [(f[:3072].reshape(48, 64), f[3072:3840].reshape(24, 32), f[3840:].reshape(24, 32))
                  for f in frames]
        with Upscaler(64, 48, "yuv420p", settings, options=CPU) as u:
            made = list(u.upscale_all(planes))
            self.assertEqual(b"".join(p.tobytes() for f in made for p in f), after)
            # Entered in the middle, as a player would.
            for i in range(max(0, 9 - u.warmup), 9):
                u.warm_up(planes[i], i)
            for a, b in zip(u.upscale(planes[9]), made[9]):
                np.testing.assert_array_equal(a, b)

    def test_formats(self):
        for name, shapes, dtype, large in (
                ("gray", [(5, 7)], np.uint8, [(10, 14)]),
                ("gray16", [(5, 7)], np.uint16, [(10, 14)]),
                ("rgb24", [(5, 7, 3)], np.uint8, [(10, 14, 3)]),
                ("rgb48", [(5, 7, 3)], np.uint16, [(10, 14, 3)]),
                ("rgba", [(5, 7, 4)], np.uint8, [(10, 14, 4)]),
                ("yuv420p", [(5, 7), (3, 4), (3, 4)], np.uint8, [(10, 14), (5, 7), (5, 7)]),
                ("yuva444p10", [(5, 7)] * 4, np.uint16, [(10, 14)] * 4),
                ("gbrp12", [(5, 7)] * 3, np.uint16, [(10, 14)] * 3),
                ("rgb24", [(1, 1, 3)], np.uint8, [(2, 2, 3)])):
            height, width = shapes[0][:2]
            with Upscaler(width, height, name, options=CPU) as u:
                self.assertEqual((list(u.input.shapes), u.input.dtype), (shapes, dtype), name)
                self.assertEqual((list(u.output.shapes), u.output.dtype), (large, dtype), name)
                top = {"yuva444p10": 1023, "gbrp12": 4095}.get(name)
                frame = [noise(*shape, dtype=dtype, top=top) for shape in shapes]
                made = u.upscale(frame[0] if len(frame) == 1 else frame)
                made = [made] if len(frame) == 1 else made
                self.assertEqual([m.shape for m in made], large)
                self.assertGreater(max(m.std() for m in made), 1)

    def test_arrays_lie_anywhere(self):
        frame = noise(6, 8, 3)
        with Upscaler(8, 6, "rgb24", sharpening=0.5, options=CPU) as u:
            wanted = u.upscale(frame)
            wide = np.zeros((9, 20, 3), np.uint8)
            wide[2:8, 5:13] = frame
            upside_down = frame[::-1].copy()[::-1]
            spread = np.zeros((6, 16, 3), np.uint8)
            spread[:, ::2] = frame
            read_only = frame.copy()
            read_only.flags.writeable = False
            for other in (wide[2:8, 5:13], upside_down, spread[:, ::2], read_only,
                          frame[..., ::-1].copy()[..., ::-1], np.asfortranarray(frame)):
                np.testing.assert_array_equal(u.upscale(other), wanted)
            canvas = np.zeros((20, 30, 3), np.uint8)
            part = canvas[3:15, 4:20]
            self.assertIs(u.upscale(frame, out=part), part)
            np.testing.assert_array_equal(part, wanted)
            canvas[3:15, 4:20] = 0
            self.assertFalse(canvas.any())

    def test_push_and_pull(self):
        frames = [noise(4, 6) + i for i in range(3)]
        with Upscaler(6, 4, "gray", options=CPU) as u:
            self.assertEqual((u.delay, u.held, u.device, u.engine), (0, 0, "cpu", ""))
            wanted = [u.upscale(f) for f in frames]
            u.push(frames[0])
            self.assertEqual(u.held, 1)
            with self.assertRaisesRegex(ValueError, "1 frame is held"):
                u.push(frames[1])
            out = np.empty((8, 12), np.uint8)
            self.assertIs(u.pull(out), out)
            np.testing.assert_array_equal(out, wanted[0])
            with self.assertRaisesRegex(ValueError, "No frame is held"):
                u.pull()
            u.push(frames[0])
            u.reset()
            self.assertEqual(u.held, 0)
            for a, b in zip(u.upscale_all(frames), wanted):
                np.testing.assert_array_equal(a, b)
        with self.assertRaisesRegex(ValueError, "closed"):
            u.upscale(frames[0])

    def test_upscale_frame(self):
        self.assertEqual(upscale_frame(noise(4, 6)).shape, (8, 12))
        self.assertEqual(upscale_frame(noise(4, 6, 3), shader_scale=4).shape, (16, 24, 3))
        large = upscale_frame(noise(4, 6, 4, dtype=np.uint16))
        self.assertEqual((large.shape, large.dtype), ((8, 12, 4), np.uint16))
        planes = upscale_frame((noise(5, 7), noise(3, 4), noise(3, 4)), use_ai=True)
        self.assertEqual([p.shape for p in planes], [(10, 14), (5, 7), (5, 7)])
        planes = upscale_frame([noise(4, 6, dtype=np.uint16, top=1023)] * 3, pixel_format="yuv444p10",
                               output_format="rgb24", range="full", matrix="bt709")
        self.assertEqual((planes.shape, planes.dtype), ((8, 12, 3), np.uint8))
        for wrong in (noise(4, 6).astype(float), noise(4), noise(4, 6, 2), [noise(4, 6)] * 2,
                      [noise(4, 6, dtype=np.uint16)] * 3, [noise(4, 6), noise(4, 5), noise(4, 5)]):
            with self.assertRaisesRegex(ValueError, "pixel_format="):
                upscale_frame(wrong)

    def test_what_is_refused(self):
        with self.assertRaisesRegex(ValueError, "denoise: 'auto' is measured over a whole video"):
            Upscaler(8, 6, "gray", PipelineConfig())
        with self.assertRaisesRegex(ValueError, "crop: is for files"):
            Upscaler(8, 6, "gray", crop="2:2:0:0")
        with self.assertRaisesRegex(ValueError, "sharpening: '3"):
            Upscaler(8, 6, "gray", sharpening=3.0)
        with self.assertRaisesRegex(TypeError, "sharpness"):
            Upscaler(8, 6, "gray", sharpness=1)
        with self.assertRaisesRegex(TypeError, "not both"):
            Upscaler(8, 6, "gray", PipelineConfig(denoise=0), sharpening=1)
        with self.assertRaisesRegex(ValueError, "'grey' is not a pixel format"):
            Upscaler(8, 6, "grey")
        with self.assertRaisesRegex(kizunasr.ModelError, "none-like-it"):
            Upscaler(8, 6, "gray", use_ai=True, ai_model_path="none-like-it")
        with Upscaler(8, 6, "rgb24", options=CPU) as u:
            for wrong, message in ((noise(6, 8), "instead of"), (noise(8, 6, 3), "instead of"),
                                   (noise(6, 8, 3, dtype=np.uint16), "uint16"),
                                   ([noise(6, 8)] * 3, "3 planes instead of 1")):
                with self.assertRaisesRegex(ValueError, message):
                    u.upscale(wrong)
            with self.assertRaises(TypeError):
                u.upscale([b"frame"])
            frame, out = noise(6, 8, 3), np.empty((12, 16, 3), np.uint8)
            with self.assertRaisesRegex(ValueError, "one after the other"):
                u.upscale(frame, out=out[..., ::-1])
            out.flags.writeable = False
            with self.assertRaisesRegex(ValueError, "read-only"):
                u.upscale(frame, out=out)
            with self.assertRaisesRegex(ValueError, "number: '-1' is not valid"):
                u.upscale(frame, -1)


if __name__ == "__main__":
    counting.main()
