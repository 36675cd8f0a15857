"""KizunaSR: upscales anime films by 2 or 4, offline.

The Python side of libkizunasr::

    from kizunasr import OfflineProcessorConfig, OfflineVideoProcessor

    config = OfflineProcessorConfig("film.mkv", "film-4k.mkv")
    config.pipeline_config.sharpening = 0.3
    config.encoder_config.crf = 16
    result = OfflineVideoProcessor(config).process()
    print(result.frames, "frames")

The library is looked for in the variable KIZUNASR_LIBRARY (a file), in the build folder of the
checkout this package lies in or was installed from, and where the system keeps libraries.
"""

from . import _library as _c
from ._context import Progress, ProgressCallback
from ._library import VERSION as __version__
from .config import Auto, EncoderConfig, OfflineProcessorConfig, PipelineConfig, RunOptions
from .errors import (Cancelled, InputError, ModelError, OutputError, ProcessingError,
                     VerificationError)
from .processor import OfflineVideoProcessor, ProcessingResult
from .report import PreviewResult, preview, report
from .video import Frame, VideoDecoder, probe, verify

__all__ = [
    "Auto", "Cancelled", "EncoderConfig", "Frame", "InputError", "ModelError",
    "OfflineProcessorConfig", "OfflineVideoProcessor", "OutputError", "PipelineConfig",
    "PreviewResult", "ProcessingError", "ProcessingResult", "Progress", "ProgressCallback",
    "RunOptions", "VerificationError", "VideoDecoder", "library_versions", "preview", "probe",
    "report", "verify",
]


def library_versions() -> str:
    """Returns the versions of libkizunasr and of the FFmpeg libraries it uses."""
    lib = _c.library()
    return f"libkizunasr {lib.ksr_version().decode()}, {lib.ksr_library_versions().decode()}"
