// Chroma at twice its size, guided by luma: ksr_upscale_rows(), and then what luma knows of edges.
//
// The first pass of 4:2:0 brings chroma to the samples of the source's luma, which has the edges
// that chroma has lost. Around every chroma sample, its 3x3 surroundings and the luma at their
// places (means over the luma that such a sample stands for), weighted 1 2 1 each way, say how
// chroma follows luma. In differences from the middle, l and c, in eighths of a code of 8 bits:
//
//     V = 16 * (sum of w l l) - (sum of w l)^2            of chroma: C; of both: K
//     a = K * 1024 / (V + 65536)                          towards 0: chroma in 1024ths of luma
//     r = K * a / (C + 16384)                             towards 0, in 1024ths: what that explains
//     slope = (a * r * r * strength + 2^27) >> 28         within -2048 .. 2048
//     rest  = soft(((sum of w c) * 1024 - a * (sum of w l) + 512) >> 10) up to `limit`: from the
//             sample to what luma says it is
//
// slope, rest and that luma are interpolated (bilinear, at the phases of upscale.h) to the samples
// that are made, and the luma at the place of each is known:
//
//     out = plain + ((slope * (luma - interpolated luma) + 512) >> 10) + rest
//
// limited to the smallest and largest of the 3x3 chroma samples around: no colour appears where
// there is none nearby. Where chroma does not follow luma, r is small and `plain` stays.

#ifndef KSR_STAGES_GUIDE_H
#define KSR_STAGES_GUIDE_H

#include "frame/frame.h"
#include "kizunasr/config.h"
#include "stages/upscale.h"

// Row y of dst is made of the rows y / 2 - 4 .. y / 2 + 4 of src, as of upscale.h, and of those of
// luma that lie at the places of these.
#define KSR_GUIDE_REACH KSR_UPSCALE_REACH

struct ksr_guide_params {
    struct ksr_upscale_params upscale;
    enum ksr_siting x, y;
    int strength; // 0 = off .. 256
    int limit;    // noise of this many of 32767 is removed, 0 .. 1024
};

// Returns whether a layout has chroma that luma can guide: 4:2:0.
bool ksr_guide_possible(const struct ksr_layout *layout);

// Returns the integer parameters of a configuration without KSR_AUTO for chroma of a layout.
struct ksr_guide_params ksr_guide_params_make(const struct ksr_pipeline_config *config,
                                              const struct ksr_layout *layout);

// Fills rows y0 .. y1-1 of dst, which is of the size of luma; src is half as large, rounded up.
void ksr_guided_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                     const struct ksr_plane *luma, const struct ksr_guide_params *params, int y0,
                     int y1);

#endif
