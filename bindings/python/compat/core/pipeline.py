"""The settings of the stages, under their earlier name."""

from kizunasr import PipelineConfig

__all__ = ["PipelineConfig"]
