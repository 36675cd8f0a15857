"""What a job does: three dataclasses with the names and defaults of the C library's structs.

Everything here can change the output's bytes; what cannot is in `RunOptions`. A name that does not
exist is an AttributeError (or a TypeError in a constructor); values are checked when the job starts
and raise a ValueError that names the field and its range.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass, field, fields
from typing import Any, Iterator, Mapping, Optional, Union

from . import _library as _c
from ._context import Context

Path = Union[str, "os.PathLike[str]"]


class Auto(str):
    """A default that gives way to what input and output ask for.

    ``EncoderConfig().pixel_format`` reads ``'yuv420p'``, which is what 8-bit 4:2:0 films get; a film
    with more bits or more chroma keeps them as far as the encoder can. ``EncoderConfig().format``
    reads ``'mp4'``, which is what a name without a known extension gets; ``film.mkv`` becomes
    Matroska. ``codec`` and ``audio_codec`` read ``'libx264'`` and ``'aac'``, which are what an output
    gets that asks for no other one; ``out%03d.png`` becomes PNG. A plain string means exactly that
    format or encoder.
    """

    __slots__ = ()


@dataclass(slots=True)
class PipelineConfig:
    """The stages between decoder and encoder. At their neutral value they leave frames alone."""

    use_ai: bool = False
    """A network upscales instead of filters."""
    shader_scale: int = 2
    """Output size / input size per axis without AI: 2 or 4."""
    ai_model_path: Optional[Path] = None
    """Name of a bundled model or path of a file; None: the default one."""
    ai_scale: int = 2
    """Output size / input size per axis with AI: 2 or 4."""
    ai_tile_size: int = 512
    """Edge of a tile in input pixels, 32 to 4096."""
    ai_tile_overlap: int = 64
    """Overlap of neighbouring tiles in input pixels, 0 to 512."""
    ai_engine: str = "auto"
    """What runs the model: 'native', 'onnxruntime', or 'auto': by the model's file."""
    ai_color: str = "luma"
    """What an .onnx model sees: 'luma' or 'rgb'."""
    ai_white: str = "auto"
    """Value of white in an .onnx model: '1', '255', or 'auto': found out."""
    ai_fallback: bool = False
    """Goes on without AI where the model cannot be used."""
    deinterlace: Union[bool, str] = False
    """Makes whole frames of interlaced ones: one of each (True or 'frame'), or one of each field
    ('field', twice the frame rate)."""
    inverse_telecine: bool = False
    """Leaves out the frames that telecine added."""
    crop: Optional[str] = None
    """'704:480:8:0': width, height, x, y of the part of the source to process; None: all of it."""
    rotate: str = "keep"
    """'keep' the rotation that the source is tagged with, or 'apply' it to the frames."""
    film_grain: str = "keep"
    """Film grain that the source has the decoder add: 'keep' or 'off'."""
    fit: Optional[str] = None
    """'1920x1080': the largest size within, scaled down from the result; None: as it comes."""
    denoise: Union[float, str] = "auto"
    """Stage 1: clean-up of coding noise, 0 (off) to 1; 'auto': as the source is measured to need."""
    structure_smoothing: float = 0.0
    """Stage 2: edge-aware smoothing, 0 (off) to 1."""
    sharpening: float = 0.0
    """Stage 4: halo-limited sharpening, 0 (off) to 2."""
    line_darkening: float = 0.0
    """Stage 4: darkening of thin lines, 0 (off) to 1."""
    contrast_boost: float = 1.0
    """Stage 4: factor on luma around mid grey, 0 to 4; 1 is neutral."""
    saturation_boost: float = 1.0
    """Stage 4: factor on chroma, 0 to 4; 1 is neutral."""
    enable_temporal: bool = False
    """Stage 5: calms what does not move."""
    temporal_weight: float = 0.15
    """Stage 5: share of the previous output where the picture is still, 0 to 0.9."""
    motion_threshold: float = 0.1
    """Stage 5: difference that counts as motion, of full scale, 0 to 1."""


@dataclass(slots=True)
class EncoderConfig:
    """The encoder and the container."""

    codec: str = Auto("libx264")
    """FFmpeg's name of the video encoder; the default gives way to the output (see `Auto`)."""
    pixel_format: str = Auto("yuv420p")
    """FFmpeg's name of the pixel format; the default gives way to the input (see `Auto`)."""
    crf: int = 18
    """Constant quality: 0 (lossless) to 63 (worst); x264 and x265 end at 51."""
    preset: str = "medium"
    """Speed against size: ultrafast, superfast, veryfast, ..., veryslow, placebo."""
    bitrate: Optional[str] = None
    """Bits per second, such as '5M' or '800k'; overrides crf."""
    audio_codec: str = Auto("aac")
    """FFmpeg's name of the encoder, for audio that is encoded; the default gives way to the output
    (see `Auto`)."""
    audio_bitrate: str = "192k"
    """Bits per second, for audio that is encoded."""
    format: str = Auto("mp4")
    """FFmpeg's name of the container; the default gives way to the extension (see `Auto`)."""
    dither: bool = True
    """Ordered dither when going down to 8 bits."""
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    """Options passed to the encoder as they are, such as {'aq-mode': 3}."""


@dataclass(slots=True)
class OfflineProcessorConfig:
    """A whole job."""

    input_path: Path
    """File to read, or an image sequence such as 'in%05d.png'."""
    output_path: Path
    """File to write; appears when it is whole and checked."""
    pipeline_config: PipelineConfig = field(default_factory=PipelineConfig)
    """What happens to the picture."""
    encoder_config: EncoderConfig = field(default_factory=EncoderConfig)
    """How it is encoded."""
    audio_passthrough: bool = True
    """Copies audio as it is; False encodes it. A track that cannot be copied is encoded alone."""
    preserve_metadata: bool = True
    """Copies the tags of container and streams."""
    framerate: Optional[str] = None
    """Of an image sequence that is read: '24', '24000/1001'; None: 24."""
    cfr: bool = False
    """Gives frames the exact timestamps of the constant rate that a container's ticks hide."""
    start: Optional[str] = None
    """Begins there, counted from the first frame: '90', '1:30', '0:01:30.25'; None: at 0."""
    duration: Optional[str] = None
    """Ends this long after the start; None: at the end of the film."""
    on_frame_error: str = "abort"
    """What to do with a frame that does not decode: 'abort', 'repeat' or 'skip'."""
    video: int = 0
    """Number of the video stream to upscale, from 1; 0: the default one, else the first."""
    audio: str = "all"
    """Audio tracks to keep: 'all', 'none', or numbers from 1 and languages, such as '2,jpn'."""
    subs: str = "all"
    """Subtitle tracks to keep, written alike."""
    sub: Optional[str] = None
    """Subtitle files to add, one a line, as 'FILE' or 'FILE:LANGUAGE'."""


@dataclass(slots=True)
class RunOptions:
    """How a job is run. Nothing here changes the output's bytes, but for what ONNX Runtime runs."""

    threads: int = 0
    """Threads inside one worker, 1 to 64; 0: chosen."""
    workers: int = 0
    """Segments in work at once, 1 to 64; 0: as cores and memory allow."""
    device: Optional[str] = None
    """Where the stages run; None: 'cpu'."""
    work_dir: Optional[Path] = None
    """Work folder; None: the output's path and '.kizunasr'."""
    keep_work: bool = False
    """Leaves the work folder after success."""
    fresh: bool = False
    """Deletes what an earlier run left and starts over."""
    overwrite: bool = False
    """Replaces an output that exists."""
    provenance: Optional[Path] = None
    """File for a record of what the output was made from; None: none."""
    onnxruntime_library: Optional[Path] = None
    """ONNX Runtime's shared library, which runs .onnx models; None: looked for."""
    stage_times: Optional[Path] = None
    """File for how long each stage took, for `report()`; None: none."""
    accept: bool = False
    """Puts the output in place even if its verification fails; a warning says what failed."""
    keep_date: bool = False
    """Gives the output the modification time of the input."""
    spool_limit: int = 0
    """Bytes that a pipe as input may have; 0: what is free where the work folder is, less a part."""

    def _c_struct(self) -> _c.RunOptions:
        return _c.RunOptionsWithRoom(
            threads=self.threads, workers=self.workers,
            device=None if self.device is None else _c.encode(self.device),
            work_dir=None if self.work_dir is None else _c.encode(self.work_dir),
            keep_work=self.keep_work, fresh=self.fresh, overwrite=self.overwrite,
            provenance=None if self.provenance is None else _c.encode(self.provenance),
            onnxruntime_library=None if self.onnxruntime_library is None
            else _c.encode(self.onnxruntime_library),
            stage_times=None if self.stage_times is None else _c.encode(self.stage_times),
            accept=self.accept, keep_date=self.keep_date, spool_limit=self.spool_limit)


def deinterlace_mode(value: Union[bool, str]) -> int:
    """The value of ksr_deinterlace for what `PipelineConfig.deinterlace` takes."""
    modes = {False: 0, True: 1, "frame": 1, "field": 2}
    if value not in modes:
        raise ValueError(f"deinterlace: {value!r} is not valid (False, True, 'frame' or 'field')")
    return modes[value]


def _text(name: str, value: Any) -> bytes:
    """A value as ksr_config_set() reads it."""
    if isinstance(value, Auto):
        return b"auto"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return str(value).encode()
    if isinstance(value, float):
        return f"{value:.9f}".encode()  # the precision of the library's own JSON
    if value is None:
        return b"null"
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}: {value!r} is neither text, a number nor a path")
    text = _c.encode(value)
    # The word null would clear the field; a file may have that name all the same.
    return b"./null" if text == b"null" and name.endswith("_path") else text


def _settings(config: OfflineProcessorConfig) -> Iterator[tuple[str, bytes]]:
    encoder = config.encoder_config if config.encoder_config is not None else EncoderConfig()
    for part, kind in ((config.pipeline_config, PipelineConfig), (encoder, EncoderConfig),
                       (config, OfflineProcessorConfig)):
        if not isinstance(part, kind):
            raise TypeError(f"expected {kind.__name__}, got {type(part).__name__}")
        for f in fields(part):
            value = getattr(part, f.name)
            if f.name == "encoder_options":
                for key, option in (value or {}).items():
                    yield f.name, _c.encode(f"{key}={option}")
            elif f.name not in ("pipeline_config", "encoder_config"):
                yield f.name, _text(f.name, value)


class NativeConfig:
    """A configuration as the library holds it, for the time of a run."""

    def __init__(self, context: Context, config: OfflineProcessorConfig) -> None:
        self._lib = _c.library()
        self._handle = ctypes.c_void_p()
        context.raise_for(context.call_here(self._lib.ksr_config_create,
                                            ctypes.byref(self._handle), context.handle))
        try:
            for name, text in _settings(config):
                context.raise_for(context.call_here(self._lib.ksr_config_set, self._handle,
                                                    name.encode(), text))
        except BaseException:
            self.close()
            raise

    @property
    def pointer(self) -> int:
        """Of the struct, valid until close()."""
        return self._lib.ksr_config_get(self._handle)

    def close(self) -> None:
        self._lib.ksr_config_destroy(ctypes.byref(self._handle))
