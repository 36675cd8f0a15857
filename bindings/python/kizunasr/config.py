"""What a job does: three dataclasses with the names and defaults of the C library's structs.

Everything here can change the output's bytes; what cannot is in `RunOptions`. A name that does not
exist is an AttributeError (or a TypeError in a constructor); values are checked when the job starts
and raise a ValueError that names the field and its range.
"""

from __future__ import annotations

import ctypes
import json
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

    # generate-options: pipeline
    use_ai: bool = False
    """Stage 3: a network upscales instead of filters."""
    shader_scale: int = 2
    """Output size / input size per axis without AI (2 or 4)."""
    ai_model_path: Optional[Path] = None
    """A network that kizunasr models lists; auto: the best that is fast enough on this machine; or
    path of a .ksrnet or .onnx file (None: the default model)."""
    ai_variant: str = "auto"
    """Variant of a network that has some (kizunasr models NAME); auto: the one that suits the
    source, as measured; a clean one gets anime-best instead of anime-web and anime-dvd. A second
    doubling (4x) is by general."""
    ai_chroma: str = "auto"
    """Network that enlarges chroma of 4:2:0, sited left, instead of filters and guided_chroma: one
    that kizunasr models lists, or path of a .ksrnet file; auto: the one that goes with the network
    of luma, if there is one; off: none."""
    ai_temporal: str = "auto"
    """Auto: before a network for coded video (anime-web, anime-dvd), enable_temporal is on, with a
    motion_threshold of 0.05 unless another is given; off: only where it is asked for (auto or
    off)."""
    ai_scale: int = 2
    """Output size / input size per axis with AI (2 or 4)."""
    ai_tile_size: int = 512
    """Edge of the tiles of .onnx models, in input pixels (32 to 4096)."""
    ai_tile_overlap: int = 64
    """Overlap of neighbouring tiles, in input pixels (0 to 512)."""
    ai_engine: str = "auto"
    """Engine that runs the model; auto: ONNX Runtime for .onnx files, else the built-in engine
    (auto, native or onnxruntime)."""
    ai_color: str = "luma"
    """Input of an .onnx model (luma or rgb)."""
    ai_white: str = "auto"
    """Value of white in an .onnx model; auto: detected (auto, 1 or 255)."""
    ai_fallback: bool = False
    """If the model cannot be used, continue without AI and with a warning."""
    deinterlace: Union[bool, str] = False
    """Convert interlaced frames to progressive: frame (or true) one per frame, field one per field
    (false, true, frame or field)."""
    inverse_telecine: Union[bool, str] = False
    """Undo telecine: film (or true) makes 23.976 frames per second of 29.97, mixed does so only
    where there is telecine and keeps all other frames (false, true, film or mixed)."""
    crop: Optional[str] = None
    """Part of the input frames to process, as width:height:x:y (None: the whole frame)."""
    rotate: str = "keep"
    """Keep the rotation in the input's metadata, or rotate the frames (keep or apply)."""
    film_grain: str = "keep"
    """Film grain that the decoder synthesizes (AV1, H.264, HEVC); off: decode without it (keep or
    off)."""
    fit: Optional[str] = None
    """Largest size within this, such as 1920x1080, scaled down from the 2x or 4x result (None: as
    it comes)."""
    composite: Union[float, str] = 0.0
    """Remove dot crawl and rainbows, the faults of composite video, where frames are held; auto:
    0.2 where the input has dot crawl (of NTSC), 0 where it has none; 0: off; 0.2: usual (auto or 0
    to 1)."""
    descale: str = "off"
    """Undo the enlargement of a video that was drawn at a smaller size, and upscale from there;
    auto: as measured, off where nothing is clear; or size and kernel, such as 1280x720:bicubic."""
    chroma_shift_x: float = 0.0
    """Move chroma to the right by so many input pixels, in steps of 1/8 for 4:2:0; below 0: to the
    left (-8 to 8)."""
    chroma_shift_y: float = 0.0
    """Move chroma down by so many input pixels; below 0: up (-8 to 8)."""
    deblock: Union[float, str] = 0.0
    """Smooth the seams between the 8x8 blocks of MPEG-2, MPEG-4 and H.264; auto: 0.5, as DVDs need,
    where the input has such blocks, 0 where it has none; 0: off (auto or 0 to 1)."""
    dehalo: Union[float, str] = 0.0
    """Take off halos: bright and dark rims beside lines, which sharpening left; auto: 0.25 where
    the input has them, 0 where it has none; 0: off; 0.5: as sharpened discs need (auto or 0 to
    1)."""
    denoise: Union[float, str] = "auto"
    """Stage 1: removal of compression noise; auto: as strong as the input needs, 0 if it is clean
    (auto or 0 to 1)."""
    deband: float = 0.0
    """Smooth gradients instead of bands, on the input's frames; 0: off; 0.25: bands of one code of
    8 bits (0 to 1)."""
    structure_smoothing: float = 0.0
    """Stage 2: smoothing that preserves lines; 0: off (0 to 1)."""
    antialias: float = 0.0
    """Smooth the stairs of lines that were drawn, enlarged or doubled without anti-aliasing; 0:
    off; 1: in full (0 to 1)."""
    guided_chroma: float = 0.0
    """Stage 3: edges of 4:2:0 chroma are rebuilt as luma has them; 0: off; 1: in full (0 to 1)."""
    sharpening: float = 0.0
    """Stage 4: sharpening without halos; 0: off (0 to 2)."""
    line_darkening: float = 0.0
    """Stage 4: darkens thin lines; 0: off (0 to 1)."""
    contrast_boost: float = 1.0
    """Stage 4: factor on luma around mid grey; 1: unchanged (0 to 4)."""
    saturation_boost: float = 1.0
    """Stage 4: factor on chroma; 1: unchanged (0 to 4)."""
    enable_temporal: bool = False
    """Stage 5: reduce flicker in static areas."""
    temporal_weight: float = 0.97
    """Stage 5: share of the previous output frame in static areas (0 to 0.98)."""
    motion_threshold: float = 0.1
    """Stage 5: difference that counts as motion, as a fraction of full scale (0 to 1)."""
    grain: str = "keep"
    """Film grain of the input: keep; remove; or a number: taken out before upscaling and put back
    after it, so many times as strong as it was measured to be."""
    # generate-options: end

    @classmethod
    def for_source(cls, kind: str, **settings: Any) -> PipelineConfig:
        """The settings of a kind of source, with other settings on top of them.

        kind: 'dvd', 'web' or 'bluray'; `source_kind()` tells which one a file is. Raises ValueError
        (no such kind), MemoryError.
        """
        context = Context()
        try:
            own = NativeConfig(context, OfflineProcessorConfig("-", "-"))
            try:
                return cls(**{**own.set_source(context, kind), **settings})
            finally:
                own.close()
        finally:
            context.close()


@dataclass(slots=True)
class EncoderConfig:
    """The encoder and the container."""

    # generate-options: encoder
    codec: str = Auto("libx264")
    """Video encoder; auto: libx264, for images, GIF, APNG, MPEG-PS and raw streams by extension."""
    pixel_format: str = Auto("yuv420p")
    """Pixel format of the output; auto: that of the input, or the nearest that the encoder
    supports."""
    crf: int = 18
    """Constant quality: 0 is lossless, higher is worse and smaller; up to 51 for x264 and x265 (0
    to 63)."""
    preset: str = "medium"
    """Encoding speed against file size."""
    bitrate: Optional[str] = None
    """Average video bit rate over the whole output, in bits per second, such as 5M; overrides crf
    (None: crf decides)."""
    audio_codec: str = Auto("aac")
    """Encoder for re-encoded audio; auto: aac, a lossless encoder for lossless audio that cannot be
    copied, or another one if the container does not support AAC."""
    audio_bitrate: str = "192k"
    """For re-encoded audio, in bits per second."""
    format: str = Auto("mp4")
    """Container; auto: by the extension of the output, else mp4."""
    dither: bool = True
    """Ordered dither when reducing to 8 bits."""
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    """Passed to the encoder unchanged."""
    # generate-options: end


@dataclass(slots=True)
class OfflineProcessorConfig:
    """A whole job."""

    # generate-options: processor: input_path output_path
    input_path: Path
    """File to read, or an image sequence such as in%05d.png."""
    output_path: Path
    """File to write; appears when it is complete and checked."""
    # generate-options: end
    pipeline_config: PipelineConfig = field(default_factory=PipelineConfig)
    """What happens to the picture."""
    encoder_config: EncoderConfig = field(default_factory=EncoderConfig)
    """How it is encoded."""
    # generate-options: processor: audio_passthrough preserve_metadata
    audio_passthrough: bool = True
    """Copy audio; false: re-encode every track."""
    preserve_metadata: bool = True
    """Copy the tags of file and streams."""
    # generate-options: end
    # generate-options: processor, not: input_path output_path audio_passthrough preserve_metadata
    framerate: Optional[str] = None
    """Frame rate of an input image sequence (None: 24)."""
    cfr: bool = False
    """Exact timestamps of a constant frame rate that the container rounded."""
    start: Optional[str] = None
    """Start at the first frame at or after this time, counted from the first frame of the input
    (seconds, mm:ss or hh:mm:ss; None: at the first frame)."""
    duration: Optional[str] = None
    """Length of the range (seconds, mm:ss or hh:mm:ss; None: at the end of the input)."""
    on_frame_error: str = "abort"
    """If a frame cannot be decoded: stop, repeat the last good frame, or leave a gap (abort, repeat
    or skip)."""
    video: int = 0
    """Video stream to upscale, from 1; 0: the default one, else the first (0 to 255)."""
    audio: str = "all"
    """Audio tracks to keep: all, none, or numbers from 1 and languages."""
    subs: str = "all"
    """Subtitle tracks to keep, as for audio."""
    sub: Optional[str] = None
    """Subtitle files to add, one a line, as FILE or FILE:LANGUAGE (None: none)."""
    # generate-options: end


@dataclass(slots=True)
class RunOptions:
    """How to run a job. Nothing here changes the output's bytes, except with ONNX Runtime."""

    threads: int = 0
    """Threads per worker, 1 to 64; 0: automatic."""
    workers: int = 0
    """Segments processed at once, 1 to 64; 0: by cores and memory."""
    device: Optional[str] = None
    """Devices that run the stages: 'auto', 'all', or 'cpu', 'vulkan' (the fastest GPU) and 'vulkan:N'
    with commas between; with ONNX Runtime its name for one. The output is the same with any of the
    first; None: 'auto'."""
    work_dir: Optional[Path] = None
    """Work folder; None: the output's path plus '.kizunasr'."""
    keep_work: bool = False
    """Keep the work folder after success."""
    fresh: bool = False
    """Delete what an earlier run left and start over."""
    overwrite: bool = False
    """Replace an existing output."""
    provenance: Optional[Path] = None
    """File for the provenance record; None: none."""
    onnxruntime_library: Optional[Path] = None
    """ONNX Runtime's shared library, which runs .onnx models; None: searched for."""
    stage_times: Optional[Path] = None
    """File for the time that each stage took, for `report()`; None: none."""
    accept: bool = False
    """Put the output in place even if its verification fails; a warning says what failed."""
    keep_date: bool = False
    """Give the output the modification time of the input."""
    spool_limit: int = 0
    """Maximum bytes of a piped input; 0: the free space of the work folder's disk, less a twentieth."""

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


def telecine_mode(value: Union[bool, str]) -> int:
    """The value of ksr_inverse_telecine for what `PipelineConfig.inverse_telecine` takes."""
    modes = {False: 0, True: 1, "film": 1, "mixed": 2}
    if value not in modes:
        raise ValueError(f"inverse_telecine: {value!r} is not valid (False, True, 'film' or 'mixed')")
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

    def set_source(self, context: Context, kind: str) -> dict[str, Any]:
        """Sets what a kind of source needs, and returns all settings of the pipeline."""
        text = ctypes.c_void_p()
        context.raise_for(context.call_here(self._lib.ksr_config_source, self._handle, kind.encode()))
        context.raise_for(self._lib.ksr_config_json(self.pointer, ctypes.byref(text)))
        try:
            return json.loads(ctypes.string_at(text.value))["pipeline"]
        finally:
            self._lib.ksr_free(text)

    def close(self) -> None:
        self._lib.ksr_config_destroy(ctypes.byref(self._handle))
