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

// Drops to 8 bits: (w + offset) >> 7. A working sample and an offset fit 16 bits together.
static void shift_row_8(uint8_t *restrict d, const uint16_t *restrict s, int width,
                        const int offsets[DITHER_SIZE])
{
    uint16_t add[DITHER_SIZE];
    int x = 0;
    for (int i = 0; i < DITHER_SIZE; i++)
        add[i] = (uint16_t)offsets[i];
    for (; x + DITHER_SIZE <= width; x += DITHER_SIZE)
        for (int i = 0; i < DITHER_SIZE; i++) {
            const uint16_t v = (uint16_t)(s[x + i] + add[i]) >> (WORK_BITS - 8);
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

// The same ratio in two parts, so that products with a sample fit 32 bits: factor = high * 2^17 +
// low, where high is less than 2^17, as the ratio is less than 4.
#define LOW_BITS 17
struct ratio_parts {
    uint32_t high, low;
    int zero, centre, max;
};

static struct ratio_parts split_ratio(const struct ksr_pack_ratio *r)
{
    return (struct ratio_parts){(uint32_t)(r->factor >> LOW_BITS),
                                (uint32_t)(r->factor & ((1 << LOW_BITS) - 1)), r->zero, r->centre,
                                r->max};
}

// Returns floor(distance * factor + offset) with its sign, from the centre on. offset: in 1/128 of
// a code, 64 = round to nearest. Both sides of the centre are treated alike.
static inline int scale_sample(int sample, struct ratio_parts r, int offset)
{
    const int distance = sample - r.zero, sign = -(distance < 0);
    const uint32_t size = (uint32_t)((distance ^ sign) - sign);
    const uint32_t fraction_bits = RATIO_BITS - LOW_BITS;
    const uint32_t sum =
        size * r.high + (size * r.low >> LOW_BITS) + ((uint32_t)offset << (fraction_bits - 7));
    const int code = (int)(sum >> fraction_bits);
    return clip(r.centre + ((code ^ sign) - sign), r.max);
}

static void scale_row(uint16_t *restrict d, const uint16_t *restrict s, int width,
                      struct ratio_parts r, const int offsets[DITHER_SIZE])
{
    int x = 0;
    for (; x + DITHER_SIZE <= width; x += DITHER_SIZE)
        for (int i = 0; i < DITHER_SIZE; i++)
            d[x + i] = (uint16_t)scale_sample(s[x + i], r, offsets[i]);
    for (; x < width; x++)
        d[x] = (uint16_t)scale_sample(s[x], r, offsets[x % DITHER_SIZE]);
}

static void scale_row_8(uint8_t *restrict d, const uint16_t *s, int width, struct ratio_parts r,
                        const int offsets[DITHER_SIZE])
{
    uint16_t codes[256]; // a multiple of DITHER_SIZE
    for (int x = 0; x < width; x += 256) {
        const int count = width - x < 256 ? width - x : 256;
        scale_row(codes, s + x, count, r, offsets);
        for (int i = 0; i < count; i++)
            d[x + i] = (uint8_t)codes[i];
    }
}

void ksr_pack_rows(const struct ksr_code_plane *dst, const struct ksr_plane *src,
                   const struct ksr_pack_params *params, int y0, int y1)
{
    const struct ksr_pack_ratio ratio = ksr_pack_ratio_make(params, dst->bits);
    const struct ratio_parts parts = split_ratio(&ratio);
    for (int y = y0; y < y1; y++) {
        const uint16_t *s = src->data + y * src->stride;
        int offsets[DITHER_SIZE];
        row_offsets(offsets, params->dither && dst->bits <= 8, y);
        if (ratio.factor != 0 && dst->bits == 8)
            scale_row_8(code_row(dst, y), s, src->width, parts, offsets);
        else if (ratio.factor != 0)
            scale_row((uint16_t *)code_row(dst, y), s, src->width, parts, offsets);
        else if (dst->bits == 8)
            shift_row_8(code_row(dst, y), s, src->width, offsets);
        else
            shift_row_16((uint16_t *)code_row(dst, y), s, src->width, dst->bits);
    }
}
