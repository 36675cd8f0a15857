// Colours of a video that does not say them: players go by its size.

#ifndef KSR_MEDIA_INDEX_UNTAGGED_H
#define KSR_MEDIA_INDEX_UNTAGGED_H

#include "media/av/film.h"

// Gives the film's format the tags that its decoded size stands for, where players would take
// others at the size of the output. The matrix is always set then; primaries and transfer, unless
// `matrix_alone`, where the size tells them too. What is said already stays. Returns the name of
// the matrix, NULL: nothing was set.
const char *ksr_untagged_settle(struct ksr_film *film, int width, int height, bool matrix_alone);

#endif
