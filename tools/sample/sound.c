// See sound.h.

#include "sound.h"

#include <math.h>
#include <stdlib.h>

#define TURN 6.28318530717958647692

enum { NOTE_SAMPLES = SOUND_RATE / 4, PATTERN = 12 };

double sound_at(int track, int channel, int scene, int64_t since_cut)
{
    // Steps of a major scale without its fourth and seventh: any two of them sound well.
    static const int steps[] = {0, 2, 4, 7, 9, 12, 14, 16};
    static const char tunes[2][2][PATTERN + 1] = {
        {"024342357542", "0.0.2.0.3.1."}, // by day: melody left, bass right
        {"750642531420", "2...1...0.3."}, // at dusk
    };
    const char note = tunes[scene & 1][channel & 1][since_cut / NOTE_SAMPLES % PATTERN];
    const double base =
        (scene & 1 ? 220.0 : 261.6256) * (channel & 1 ? 0.5 : 1.0) * pow(2.0, track * 5 / 12.0);
    const double seconds = (double)(since_cut % NOTE_SAMPLES) / SOUND_RATE;

    if (note == '.')
        return 0;
    const double pitch = base * pow(2.0, steps[note - '0'] / 12.0);
    const double attack = seconds < 0.004 ? seconds / 0.004 : 1;
    const double level = 0.28 * attack * exp(-9 * seconds);
    return level * (sin(TURN * pitch * seconds) + 0.4 * sin(2 * TURN * pitch * seconds) +
                    0.15 * sin(3 * TURN * pitch * seconds));
}
