"""KizunaSR: an offline video upscaler for anime.

Python bindings of libkizunasr::

    from kizunasr import OfflineProcessorConfig, OfflineVideoProcessor

    config = OfflineProcessorConfig("input.mkv", "output.mkv")
    config.pipeline_config.sharpening = 0.3
    config.encoder_config.crf = 16
    result = OfflineVideoProcessor(config).process()
    print(result.frames, "frames")

The library is loaded from the first of these: the file in the environment variable KIZUNASR_LIBRARY, the
build folder of the checkout that contains this package or that it was installed from, the system's
library folders.
"""

from . import _library as _c
from ._context import Progress, ProgressCallback
from ._library import VERSION as __version__
from .config import Auto, EncoderConfig, OfflineProcessorConfig, PipelineConfig, RunOptions
from .errors import (Cancelled, InputError, ModelError, OutputError, ProcessingError,
                     VerificationError)
from .frames import FrameFormat, Upscaler, upscale_frame
from .processor import OfflineVideoProcessor, ProcessingResult
from .report import PreviewResult, preview, report
from .video import Frame, VideoDecoder, probe, source_kind, verify

__all__ = [
    "Auto", "Cancelled", "EncoderConfig", "Frame", "FrameFormat", "InputError", "ModelError",
    "OfflineProcessorConfig", "OfflineVideoProcessor", "OutputError", "PipelineConfig",
    "PreviewResult", "ProcessingError", "ProcessingResult", "Progress", "ProgressCallback",
    "RunOptions", "Upscaler", "VerificationError", "VideoDecoder", "library_versions", "preview",
    "probe", "report", "source_kind", "upscale_frame", "verify",
]


def library_versions() -> str:
    """Returns the versions of libkizunasr and of the FFmpeg libraries it uses."""
    lib = _c.library()
    return f"libkizunasr {lib.ksr_version().decode()}, {lib.ksr_library_versions().decode()}"
