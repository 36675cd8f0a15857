// BT.709 between G, B, R and Y, Cb, Cr; see rgb.h.
//
// Y  = (13933 R + 46871 G + 4732 B + 32768) >> 16
// Cb = 16384 + (B - Y) / 1.8556, Cr = 16384 + (R - Y) / 1.5748, rounded in 16 bits of fraction.
//
// The way back starts from the rounded Y that Cb and Cr were made with, so B is off by at most
// 1.8556 / 2, R by 1.5748 / 2 and G by 1.04: after rounding, by 1 of 32767 at most. Values that
// close to a multiple of 8, which is where all codes of up to 12 bits stand, are put on it.

#include "frame/rgb.h"

#define FRACTION 16
#define HALF     (1 << (FRACTION - 1))

enum {
    Y_R = 13933,   // 0.2126
    Y_G = 46871,   // 0.7152, so that the three add up to 65536
    Y_B = 4732,    // 0.0722
    CB_B = 35318,  // 1 / 1.8556
    CR_R = 41615,  // 1 / 1.5748
    B_CB = 121609, // 1.8556
    R_CR = 103206, // 1.5748
    G_CB = 12276,  // 0.0722 * 1.8556 / 0.7152
    G_CR = 30679,  // 0.2126 * 1.5748 / 0.7152
};

static uint16_t clamp_sample(int v)
{
    return (uint16_t)(v < 0 ? 0 : v > KSR_SAMPLE_MAX ? KSR_SAMPLE_MAX : v);
}

static uint16_t snap(int v)
{
    const int code = (v + 4) & ~7;
    const int distance = v - code;
    return clamp_sample(distance >= -1 && distance <= 1 ? code : v);
}

void ksr_rgb_to_ycc_rows(const struct ksr_frame *frame, int y0, int y1)
{
    for (int row = y0; row < y1; row++) {
        uint16_t *restrict p0 = frame->plane[0].data + row * frame->plane[0].stride;
        uint16_t *restrict p1 = frame->plane[1].data + row * frame->plane[1].stride;
        uint16_t *restrict p2 = frame->plane[2].data + row * frame->plane[2].stride;
        for (int x = 0; x < frame->plane[0].width; x++) {
            const int g = p0[x], b = p1[x], r = p2[x];
            const int y = (Y_R * r + Y_G * g + Y_B * b + HALF) >> FRACTION;
            p0[x] = (uint16_t)y;
            p1[x] = clamp_sample(KSR_CHROMA_ZERO + ((CB_B * (b - y) + HALF) >> FRACTION));
            p2[x] = clamp_sample(KSR_CHROMA_ZERO + ((CR_R * (r - y) + HALF) >> FRACTION));
        }
    }
}

void ksr_rgb_from_ycc_rows(const struct ksr_frame *frame, int y0, int y1)
{
    for (int row = y0; row < y1; row++) {
        uint16_t *restrict p0 = frame->plane[0].data + row * frame->plane[0].stride;
        uint16_t *restrict p1 = frame->plane[1].data + row * frame->plane[1].stride;
        uint16_t *restrict p2 = frame->plane[2].data + row * frame->plane[2].stride;
        for (int x = 0; x < frame->plane[0].width; x++) {
            const int y = p0[x], cb = p1[x] - KSR_CHROMA_ZERO, cr = p2[x] - KSR_CHROMA_ZERO;
            p0[x] = snap(y - ((G_CB * cb + G_CR * cr + HALF) >> FRACTION));
            p1[x] = snap(y + ((B_CB * cb + HALF) >> FRACTION));
            p2[x] = snap(y + ((R_CR * cr + HALF) >> FRACTION));
        }
    }
}
