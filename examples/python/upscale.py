#!/usr/bin/env python3
"""Upscales a video with a progress bar; Ctrl-C stops it, the same command resumes later.

    upscale.py INPUT OUTPUT [SCALE]

Needs the packages kizunasr (bindings/python) and tqdm.
"""

import logging
import sys

from kizunasr import OfflineProcessorConfig, OfflineVideoProcessor
from tqdm import tqdm


class Bars:
    """A bar for each phase of the run."""

    def __init__(self):
        self.phase, self.bar = None, None

    def __call__(self, progress):
        if progress.phase != self.phase:
            self.close()
            self.phase = progress.phase
            unit = "B" if progress.phase == "plan" else " frames"
            # What an earlier run had finished is no speed of this one.
            self.bar = tqdm(desc=progress.phase, total=progress.total, initial=progress.reused,
                            unit=unit, unit_scale=progress.phase == "plan")
        self.bar.update(progress.done - self.bar.n)

    def close(self):
        if self.bar is not None:
            self.bar.close()


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = OfflineProcessorConfig(input_path=sys.argv[1], output_path=sys.argv[2])
    if len(sys.argv) == 4:
        config.pipeline_config.shader_scale = int(sys.argv[3])
    bars = Bars()
    try:
        result = OfflineVideoProcessor(config, progress_callback=bars).process()
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        bars.close()
    print(f"{config.output_path}: {result.frames} frames, {result.width}x{result.height}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
