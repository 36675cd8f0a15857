// Made by tools/generate-options from sources.toml.

#include "config/sources.h"

// clang-format off
const struct ksr_source ksr_sources[] = {
    {"dvd", "standard definition: MPEG-2, MPEG-4 part 2, DV, 480i, 576i",
     {{"ai_model_path", "anime-dvd"}, {"composite", "auto"}, {"deblock", "auto"}, {"dehalo", "auto"}, {"deband", "0.25"}, {"guided_chroma", "1"}}},
    {"web", "video of low rate, with coding noise that shows",
     {{"ai_model_path", "anime-web"}, {"dehalo", "auto"}, {"deband", "0.25"}, {"guided_chroma", "1"}}},
    {"bluray", "high definition that is clean",
     {{"descale", "auto"}, {"dehalo", "auto"}, {"guided_chroma", "1"}}},
};
// clang-format on
const size_t ksr_source_count = sizeof(ksr_sources) / sizeof(ksr_sources[0]);
