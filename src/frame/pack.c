// Code values to working samples and back; see pack.h.
//
// Both ways are exact for every code value of the depth a frame came with. Rounding and clipping
// are spelled out here because the output's bytes depend on them.

#include "frame/pack.h"

#define WORK_BITS    15
#define DITHER_SIZE  16 // edge of the dither matrix: 256 ranks, twice the 128 steps to 8 bits
#define DITHER_STEPS 128
#define RATIO_BITS   32 // fraction bits of the ratio of two maxima

static uint8_t *code_row(const struct ksr_code_plane *plane, int y)
{
    return plane->data + y * plane->stride;
}

void ksr_unpack_rows(const struct ksr_plane *dst, const struct ksr_code_plane *src, int y0, int y1)
{
    const int width = dst->width, bits = src->bits;
    for (int y = y0; y < y1; y++) {
        uint16_t *restrict d = dst->data + y * dst->stride;
        if (bits == 8) {
            const uint8_t *restrict s = code_row(src, y);
            for (int x = 0; x < width; x++)
                d[x] = (uint16_t)(s[x] << (WORK_BITS - 8));
        } else if (bits == 16) {
            const uint16_t *restrict s = (const uint16_t *)code_row(src, y);
            for (int x = 0; x < width; x++)
                d[x] = s[x] >> 1;
        } else {
            // A decoder that leaves something above the low bits must not leave the range.
            const uint16_t *restrict s = (const uint16_t *)code_row(src, y);
            const uint16_t max = (uint16_t)((1 << bits) - 1);
            for (int x = 0; x < width; x++)
                d[x] = (uint16_t)((s[x] < max ? s[x] : max) << (WORK_BITS - bits));
        }
    }
}

// Returns the rank (0..255) of a place in the 16x16 Bayer matrix: the bits of x ^ y and y,
// interleaved from the lowest, which counts most.
static int bayer_rank(int x, int y)
{
    int rank = 0;
    for (int bit = 0; bit < 4; bit++) {
        rank = rank << 1 | (((x ^ y) >> bit) & 1);
        rank = rank << 1 | ((y >> bit) & 1);
    }
    return rank;
}

// Fills what is added before the fraction is cut off, in 1/128 of a code, for one row. Every value
// 0..127 stands in the matrix exactly twice, so a sample with fraction f/128 is rounded up at f of
// 128 places, and one with no fraction nowhere.
static void row_offsets(int offsets[DITHER_SIZE], bool dither, int y)
{
    for (int x = 0; x < DITHER_SIZE; x++)
        offsets[x] = dither ? bayer_rank(x, y % DITHER_SIZE) >> 1 : DITHER_STEPS / 2;
}

static int clip(int value, int max)
{
    return value < 0 ? 0 : value > max ? max : value;
}

// Drops to 8 bits: (w + offset) >> 7.
static void shift_row_8(uint8_t *restrict d, const uint16_t *restrict s, int width,
                        const int offsets[DITHER_SIZE])
{
    int x = 0;
    for (; x + DITHER_SIZE <= width; x += DITHER_SIZE)
        for (int i = 0; i < DITHER_SIZE; i++) {
            const int v = (s[x + i] + offsets[i]) >> (WORK_BITS - 8);
            d[x + i] = (uint8_t)(v > 255 ? 255 : v);
        }
    for (; x < width; x++)
        d[x] = (uint8_t)clip((s[x] + offsets[x % DITHER_SIZE]) >> (WORK_BITS - 8), 255);
}

// Drops to 9..15 bits, halves up, or rises to 16.
static void shift_row_16(uint16_t *restrict d, const uint16_t *restrict s, int width, int bits)
{
    if (bits == 16) {
        for (int x = 0; x < width; x++)
            d[x] = (uint16_t)(s[x] << 1);
        return;
    }
    const int shift = WORK_BITS - bits, half = (1 << shift) >> 1, max = (1 << bits) - 1;
    for (int x = 0; x < width; x++) {
        const int v = (s[x] + half) >> shift;
        d[x] = (uint16_t)(v > max ? max : v);
    }
}

struct ksr_pack_ratio ksr_pack_ratio_make(const struct ksr_pack_params *params, int bits)
{
    const int source_bits = params->source_bits;
    // At equal depth the ratio is a plain shift, but for 16 bits, whose peak lost a bit.
    if (!params->scale || (source_bits == bits && bits != 16))
        return (struct ksr_pack_ratio){0};
    const int64_t peak =
        source_bits == 16 ? KSR_SAMPLE_MAX : ((1 << source_bits) - 1) << (WORK_BITS - source_bits);
    const int max = (1 << bits) - 1;
    return (struct ksr_pack_ratio){
        // Rounded up: the product is then too large by less than 2^-17 of a code, while a value
        // that is no exact half lies at least 1/(2 * peak) > 2^-17 away from one. So halves go
        // away from zero, whole values keep their floor, and everything else is rounded truly.
        .factor = (((uint64_t)max << RATIO_BITS) / (uint64_t)peak) + 1,
        .zero = params->chroma ? KSR_CHROMA_ZERO : 0,
        .centre = params->chroma ? 1 << (bits - 1) : 0,
        .max = max,
    };
}

// offset: in 1/128 of a code, 64 = round to nearest. Both sides of the centre are treated alike.
static int scale_sample(int sample, const struct ksr_pack_ratio *r, int offset)
{
    const int distance = sample - r->zero;
    const uint64_t size = (uint64_t)(distance < 0 ? -distance : distance);
    const int code =
        (int)((size * r->factor + ((uint64_t)offset << (RATIO_BITS - 7))) >> RATIO_BITS);
    return clip(distance < 0 ? r->centre - code : r->centre + code, r->max);
}

static void scale_row(const struct ksr_code_plane *dst, int y, const uint16_t *s, int width,
                      const struct ksr_pack_ratio *ratio, const int offsets[DITHER_SIZE])
{
    uint8_t *d8 = code_row(dst, y);
    uint16_t *d16 = (uint16_t *)d8;
    for (int x = 0; x < width; x++) {
        const int code = scale_sample(s[x], ratio, offsets[x % DITHER_SIZE]);
        if (dst->bits == 8)
            d8[x] = (uint8_t)code;
        else
            d16[x] = (uint16_t)code;
    }
}

void ksr_pack_rows(const struct ksr_code_plane *dst, const struct ksr_plane *src,
                   const struct ksr_pack_params *params, int y0, int y1)
{
    const struct ksr_pack_ratio ratio = ksr_pack_ratio_make(params, dst->bits);
    for (int y = y0; y < y1; y++) {
        const uint16_t *s = src->data + y * src->stride;
        int offsets[DITHER_SIZE];
        row_offsets(offsets, params->dither && dst->bits <= 8, y);
        if (ratio.factor != 0)
            scale_row(dst, y, s, src->width, &ratio, offsets);
        else if (dst->bits == 8)
            shift_row_8(code_row(dst, y), s, src->width, offsets);
        else
            shift_row_16((uint16_t *)code_row(dst, y), s, src->width, dst->bits);
    }
}
