"""The decoder, under its earlier name."""

from kizunasr import Frame, VideoDecoder

__all__ = ["Frame", "VideoDecoder"]
