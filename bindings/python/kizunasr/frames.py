"""Upscaling frames in memory: NumPy arrays in, NumPy arrays out, no files."""

from __future__ import annotations

import ctypes
from collections import deque
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Optional, Sequence, Union

import numpy as np

from . import _library as _c
from ._context import Context
from ._library import library as load_c
from .config import (EncoderConfig, NativeConfig, OfflineProcessorConfig, PipelineConfig, RunOptions)

Planes = Union[np.ndarray, Sequence[np.ndarray]]
"""A frame: an array, or one for each plane."""


@dataclass(frozen=True)
class FrameFormat:
    """What the frames of an `Upscaler` are."""

    width: int
    """In pixels."""
    height: int
    """In pixels."""
    pixel_format: str
    """FFmpeg's name, such as 'rgb24' or 'yuv420p10le'."""
    range: Optional[str]
    """'limited' or 'full'; None: unspecified."""
    matrix: Optional[str]
    """FFmpeg's name, such as 'bt709'; None: unspecified."""
    chroma_location: Optional[str]
    """FFmpeg's name, such as 'left'; None: unspecified."""
    dtype: np.dtype
    """uint8, or uint16 for more than 8 bits."""
    shapes: tuple[tuple[int, ...], ...]
    """Of the array of each plane: (rows, columns), or (rows, columns, components) of whole pixels."""


class Upscaler:
    """Upscales frames of one format, in memory.

    The frames are those that `OfflineVideoProcessor` hands to its encoder with the same settings, byte
    for byte::

        with Upscaler(640, 480, "rgb24", sharpening=0.3) as upscaler:
            for frame in frames:                   # arrays of shape (480, 640, 3)
                show(upscaler.upscale(frame))      # (960, 1280, 3)

    A frame is an array of shape (height, width) for grey, (height, width, 3) for 'rgb24' and 'rgb48',
    (height, width, 4) for 'rgba' and 'rgba64', or a sequence of planes, such as Y, Cb and Cr of
    'yuv420p'. Arrays are used where they are, without a copy, if the samples of each row lie one after
    the other; the distance of rows does not matter.

    Args:
        width, height: of the frames that come in.
        pixel_format: of those, an FFmpeg name; 'gray16', 'yuv420p10' are of the machine's byte order.
        pipeline_config: settings of the stages, all of them; or settings one by one as keywords, where
            denoise is 0 by default: 'auto' is measured over a whole video and refused here.
        output_format: pixel format of the frames that come out; None: that of the input.
        dither: ordered dither when reducing to 8 bits.
        range, matrix, chroma_location: of the frames, as in `FrameFormat`.
        options: threads, device and onnxruntime_library are used.

    Raises:
        ValueError: a setting or format that is wrong, or that frames cannot have (such as crop).
        ModelError: the AI model is missing or cannot be used.
        MemoryError: out of memory.

    Thread-safety: one thread at a time; upscalers are independent of each other.
    """

    def __init__(self, width: int, height: int, pixel_format: str = "rgb24",
                 pipeline_config: Optional[PipelineConfig] = None, *,
                 output_format: Optional[str] = None, dither: bool = True,
                 range: Optional[str] = None, matrix: Optional[str] = None,
                 chroma_location: Optional[str] = None, options: Optional[RunOptions] = None,
                 **settings: Any) -> None:
        if pipeline_config is not None and settings:
            raise TypeError("either pipeline_config or single settings, not both")
        self._lib = load_c()
        self._handle = ctypes.c_void_p()
        self._next = 0
        self._numbers: deque[int] = deque()
        self._context: Optional[Context] = Context()
        config = pipeline_config or PipelineConfig(**{"denoise": 0.0, **settings})
        encoder = EncoderConfig(dither=dither)
        if output_format is not None:
            encoder.pixel_format = output_format
        names = [None if name is None else _c.encode(name)
                 for name in (pixel_format, range, matrix, chroma_location)]
        given = _c.FrameFormatWithRoom(width=width, height=height, pixel_format=names[0],
                                       range=names[1], matrix=names[2], chroma_location=names[3])
        try:
            native = NativeConfig(self._context,
                                  OfflineProcessorConfig("-", "-", config, encoder))
            try:
                run = (options or RunOptions())._c_struct()
                self._context.raise_for(self._context.call_here(
                    self._lib.ksr_upscaler_create, ctypes.byref(self._handle), self._context.handle,
                    native.pointer, ctypes.byref(given), ctypes.byref(run)))
            finally:
                native.close()
        except BaseException:
            self.close()
            raise
        info = self._lib.ksr_upscaler_info(self._handle).contents
        self.input = _format(info.input, info.input_planes, info.input_sample_bytes,
                             info.input_row_bytes, info.input_rows)
        """The format of the frames that come in."""
        self.output = _format(info.output, info.output_planes, info.output_sample_bytes,
                              info.output_row_bytes, info.output_rows)
        """The format of the frames that come out."""
        self.delay: int = info.delay
        """Frames that may be held before one must be pulled: on the processor 0, or 2 with composite."""
        self.warmup: int = info.warmup
        """Frames before a frame that it depends on: 0 without enable_temporal and composite."""
        self.engine: str = info.engine.decode()
        """What runs the model: 'native', 'ONNX Runtime ...'; '' without AI."""

    @property
    def device(self) -> str:
        """What runs the stages, such as 'cpu'."""
        self._open_context()
        return self._lib.ksr_upscaler_device(self._handle).decode()

    @property
    def held(self) -> int:
        """Frames pushed and not pulled."""
        self._open_context()
        return self._lib.ksr_upscaler_held(self._handle)

    def upscale(self, frame: Planes, number: Optional[int] = None, out: Optional[Planes] = None
                ) -> Planes:
        """Returns a frame upscaled: an array, or a tuple of planes.

        number: of the frame; None: the one after the last. enable_temporal depends on it: any other
        number than the next begins anew. out: where to put the frame instead of into new arrays.

        Raises ValueError (an array of another shape or type, a frame is held), ProcessingError,
        MemoryError.
        """
        context = self._open_context()
        number = self._next if number is None else number
        source, kept = self._planes(frame, self.input, False)
        result, target = self._target(out)
        context.raise_for(context.call_here(self._lib.ksr_upscaler_frame, self._handle, number,
                                            ctypes.byref(source), ctypes.byref(target)))
        del kept
        self._next = number + 1
        return result

    def push(self, frame: Planes, number: Optional[int] = None) -> None:
        """Hands in a frame; it is copied. No more than `delay` + 1 frames may be held."""
        context = self._open_context()
        number = self._next if number is None else number
        source, kept = self._planes(frame, self.input, False)
        context.raise_for(context.call_here(self._lib.ksr_upscaler_push, self._handle, number,
                                            ctypes.byref(source)))
        del kept
        self._next = number + 1

    def pull(self, out: Optional[Planes] = None) -> Planes:
        """Returns the oldest frame that is held. With `delay` or fewer held, no frame may be pushed
        until all are pulled."""
        context = self._open_context()
        result, target = self._target(out)
        context.raise_for(context.call_here(self._lib.ksr_upscaler_pull, self._handle,
                                            ctypes.byref(target), None))
        return result

    def warm_up(self, frame: Planes, number: Optional[int] = None) -> None:
        """Shows the temporal stage a frame that does not come out, before those that follow it; composite
        also those after the last that is held."""
        context = self._open_context()
        number = self._next if number is None else number
        source, kept = self._planes(frame, self.input, False)
        context.raise_for(context.call_here(self._lib.ksr_upscaler_warm_up, self._handle, number,
                                            ctypes.byref(source)))
        del kept
        self._next = number + 1

    def upscale_all(self, frames: Iterable[Planes]) -> Iterator[Planes]:
        """Yields frames upscaled, in their order; a GPU works on several at once."""
        for frame in frames:
            self.push(frame)
            if self.held > self.delay:
                yield self.pull()
        while self.held:
            yield self.pull()

    def reset(self) -> None:
        """Drops frames that are held, and what the temporal stage remembers."""
        self._open_context()
        self._lib.ksr_upscaler_reset(self._handle)

    def close(self) -> None:
        """Frees the upscaler; it cannot be used after that."""
        if self._context is not None:
            self._lib.ksr_upscaler_destroy(ctypes.byref(self._handle))
            self._context.close()
            self._context = None

    def __enter__(self) -> Upscaler:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_context", None) is not None:
            self.close()

    def _open_context(self) -> Context:
        if self._context is None:
            raise ValueError("the upscaler is closed")
        return self._context

    def _target(self, out: Optional[Planes]) -> tuple[Planes, _c.FramePlanes]:
        """The arrays of a frame that comes out, and their addresses."""
        if out is None:
            arrays = tuple(np.empty(shape, self.output.dtype) for shape in self.output.shapes)
            out = arrays[0] if len(arrays) == 1 else arrays
        planes, _ = self._planes(out, self.output, True)
        return out, planes

    @staticmethod
    def _planes(frame: Planes, form: FrameFormat, written: bool
                ) -> tuple[_c.FramePlanes, list[np.ndarray]]:
        """Addresses and strides of a frame, and the arrays that they are of."""
        arrays = [frame] if isinstance(frame, np.ndarray) else list(frame)
        if len(arrays) != len(form.shapes):
            raise ValueError(f"{len(arrays)} planes instead of {len(form.shapes)} ({form.pixel_format})")
        planes, kept = _c.FramePlanes(), []
        for i, (array, shape) in enumerate(zip(arrays, form.shapes)):
            if not isinstance(array, np.ndarray):
                raise TypeError(f"expected numpy.ndarray, got {type(array).__name__}")
            if array.shape != shape or array.dtype != form.dtype:
                raise ValueError(f"an array of shape {array.shape} and type {array.dtype} instead of "
                                 f"{shape} and {form.dtype} ({form.pixel_format})")
            if not array[:1].flags.c_contiguous:
                if written:
                    raise ValueError("the samples of a row of `out` do not lie one after the other")
                array = np.ascontiguousarray(array)
            if written and not array.flags.writeable:
                raise ValueError("an array of `out` is read-only")
            planes.plane[i] = array.ctypes.data
            # NumPy gives a single row any distance to the next.
            planes.stride[i] = array.strides[0] if shape[0] > 1 else array[:1].nbytes
            kept.append(array)
        return planes, kept


def _format(f: Any, planes: int, sample_bytes: int, row_bytes: Any, rows: Any) -> FrameFormat:
    def text(value: Optional[bytes]) -> Optional[str]:
        return None if value is None else value.decode()

    samples = [row_bytes[i] // sample_bytes for i in range(planes)]
    shapes = [(rows[i], samples[i]) for i in range(planes)]
    components = samples[0] // f.width
    if planes == 1 and components > 1 and samples[0] == components * f.width:
        shapes = [(rows[0], f.width, components)]
    return FrameFormat(f.width, f.height, f.pixel_format.decode(), text(f.range), text(f.matrix),
                       text(f.chroma_location), np.dtype(np.uint16 if sample_bytes == 2 else np.uint8),
                       tuple(shapes))


_SUBSAMPLING = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (4, 1): "411", (4, 4): "410", (1, 2): "440"}


def _guess_format(frame: Planes) -> str:
    """The pixel format of arrays whose shape and type tell it."""
    arrays = [frame] if isinstance(frame, np.ndarray) else list(frame)
    first = arrays[0]
    names = {(2,): ("gray", "gray16"), (3, 3): ("rgb24", "rgb48"), (3, 4): ("rgba", "rgba64")}
    if len(arrays) == 1 and first.dtype in (np.uint8, np.uint16):
        key = (first.ndim,) + ((first.shape[2],) if first.ndim == 3 else ())
        if key in names:
            return names[key][first.dtype == np.uint16]
    if len(arrays) in (3, 4) and first.ndim == 2 and first.dtype == np.uint8:
        height, width = first.shape
        for (x, y), name in _SUBSAMPLING.items():
            if arrays[1].shape == (-(-height // y), -(-width // x)):
                return ("yuva" if len(arrays) == 4 else "yuv") + name + "p"
    raise ValueError("the pixel format cannot be told from the arrays: name it with pixel_format=")


def upscale_frame(frame: Planes, pipeline_config: Optional[PipelineConfig] = None, *,
                  pixel_format: Optional[str] = None, **arguments: Any) -> Planes:
    """Returns one frame upscaled.

    Arrays of uint8 and uint16 of shape (height, width), (height, width, 3) and (height, width, 4) are
    grey, RGB and RGBA; three or four planes of uint8 are YCbCr, subsampled as their shapes are. Others
    need pixel_format. The other arguments are those of `Upscaler`, which is faster for many frames::

        large = upscale_frame(image, use_ai=True, sharpening=0.2)
    """
    name = pixel_format or _guess_format(frame)
    first = frame if isinstance(frame, np.ndarray) else frame[0]
    if first.ndim < 2:
        raise ValueError(f"an array of shape {first.shape} is not a frame")
    with Upscaler(first.shape[1], first.shape[0], name, pipeline_config, **arguments) as upscaler:
        return upscaler.upscale(frame)
