// What the sample film plays: plucked notes, others left than right, on every track, in every
// scene.

#ifndef SAMPLE_SOUND_H
#define SAMPLE_SOUND_H

#include <stdint.h>

enum { SOUND_RATE = 48000 };

// The sound of one channel, -1..1. since_cut: samples since the scene began, so a tune starts with
// its scene on the very sample.
double sound_at(int track, int channel, int scene, int64_t since_cut);

#endif
