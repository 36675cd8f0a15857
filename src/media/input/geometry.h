// Which part of the source's frames is processed, and how they are turned: --crop and --rotate.

#ifndef KSR_MEDIA_INPUT_GEOMETRY_H
#define KSR_MEDIA_INPUT_GEOMETRY_H

#include "kizunasr/config.h"
#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Sets film->geometry, and makes film->format and film->extras what comes out of it.
// Returns KSR_OK, KSR_E_PARAM (no crop, or none of the source's frames; logged).
ksr_status ksr_geometry_plan(ksr_context *ctx, const struct ksr_pipeline_config *config,
                             struct ksr_film *film);

// Returns what a display matrix asks of a player, NULL: nothing but a shift.
const char *ksr_display_name(const int matrix[9]);

// Crops and turns a picture of RGB24. Returns false when out of memory.
bool ksr_geometry_turn_rgb(const struct ksr_geometry *geometry, AVFrame *picture);

#endif
