# A program of someone who used the earlier processor, as packaging/test runs it: earlier.py INPUT
import sys

from core.pipeline import PipelineConfig
from tools.offline_processor import EncoderConfig, OfflineProcessorConfig, OfflineVideoProcessor

pipeline_config = PipelineConfig()
pipeline_config.use_ai = False
pipeline_config.shader_scale = 2

encoder_config = EncoderConfig()
encoder_config.crf = 16

config = OfflineProcessorConfig(input_path=sys.argv[1], output_path="earlier.mkv",
                                pipeline_config=pipeline_config, encoder_config=encoder_config)
OfflineVideoProcessor(config).process()
