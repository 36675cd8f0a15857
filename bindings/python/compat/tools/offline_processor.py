"""The processor and its configuration, under their earlier name."""

from kizunasr import (EncoderConfig, OfflineProcessorConfig, OfflineVideoProcessor,
                      PipelineConfig)

__all__ = ["EncoderConfig", "OfflineProcessorConfig", "OfflineVideoProcessor", "PipelineConfig"]
