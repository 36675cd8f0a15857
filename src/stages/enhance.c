// Stage 4, plain C: the definition. See enhance.h.

#include "stages/enhance.h"

#include "frame/tile.h"

#define CODE   128 // one code of 8 bits
#define ONE    4096
#define ROWS   9
#define MIDDLE 4

struct ksr_enhance_params ksr_enhance_params_make(const struct ksr_pipeline_config *config,
                                                  bool full_range)
{
    struct ksr_enhance_params p = {
        .sharpening = (int)(config->sharpening * 256 + 0.5),
        .line_darkening = (int)(config->line_darkening * 256 + 0.5),
        .contrast = (int)(config->contrast_boost * ONE + 0.5),
        .saturation = (int)(config->saturation_boost * ONE + 0.5),
        .black = full_range ? 0 : 16 * CODE,
        .white = full_range ? KSR_SAMPLE_MAX : 235 * CODE,
        .mid = full_range ? 128 * CODE : (16 + 235) * CODE / 2,
        .chroma_low = full_range ? 0 : 16 * CODE,
        .chroma_high = full_range ? KSR_SAMPLE_MAX : 240 * CODE,
    };
    return p;
}

bool ksr_enhance_luma_active(const struct ksr_enhance_params *params)
{
    return params->sharpening != 0 || params->line_darkening != 0 || params->contrast != ONE;
}

bool ksr_enhance_chroma_active(const struct ksr_enhance_params *params)
{
    return params->saturation != ONE;
}

// Adds the sharpening to out[]. The blur is kept in 256ths, so a ramp has no difference at all.
static void sharpen_tile(int32_t *restrict out, uint16_t t[ROWS][KSR_TILE_ALL], int count,
                         int strength)
{
    int32_t column[KSR_TILE_ALL];
    for (int i = 0; i < KSR_TILE_ALL; i++)
        column[i] = t[MIDDLE - 2][i] + 4 * t[MIDDLE - 1][i] + 6 * t[MIDDLE][i] +
                    4 * t[MIDDLE + 1][i] + t[MIDDLE + 2][i];
    for (int i = 0; i < count; i++) {
        const int x = KSR_TILE_PAD + i, c = t[MIDDLE][x];
        int low = c, high = c;
        for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++) {
                low = ksr_min(low, t[MIDDLE + dy][x + dx]);
                high = ksr_max(high, t[MIDDLE + dy][x + dx]);
            }
        const int32_t *s = column + x;
        const int detail = 256 * c - (s[-2] + 4 * s[-1] + 6 * s[0] + 4 * s[1] + s[2]);
        // Cut to 16ths first: 2^19 * 2^9 fits.
        const int v = c + ((((detail + 8) >> 4) * strength + 2048) >> 12);
        const int beyond = ((high - low) * strength) >> 12;
        out[i] += ksr_clamp(v, low - beyond, high + beyond) - c;
    }
}

// Returns how much darker sample x of the tile is than both ends of the pair at (dx, dy).
static int valley(uint16_t t[ROWS][KSR_TILE_ALL], int x, int dx, int dy)
{
    return ksr_min(t[MIDDLE + dy][x + dx], t[MIDDLE - dy][x - dx]) - t[MIDDLE][x];
}

static void darken_tile(int32_t *restrict out, uint16_t t[ROWS][KSR_TILE_ALL], int count,
                        const struct ksr_enhance_params *p)
{
    for (int i = 0; i < count; i++) {
        const int x = KSR_TILE_PAD + i;
        int depth = 0;
        for (int step = 2; step <= 4; step += 2) {
            const int diagonal = step == 2 ? 2 : 3;
            depth = ksr_max(depth, valley(t, x, step, 0));
            depth = ksr_max(depth, valley(t, x, 0, step));
            depth = ksr_max(depth, valley(t, x, diagonal, diagonal));
            depth = ksr_max(depth, valley(t, x, diagonal, -diagonal));
        }
        depth = ksr_max(0, depth - CODE);
        out[i] -= (depth * p->line_darkening + 256) >> 9;
    }
}

static void finish_tile(uint16_t *restrict dst, const int32_t *restrict v,
                        const uint16_t *restrict before, int count,
                        const struct ksr_enhance_params *p)
{
    for (int i = 0; i < count; i++) {
        // |v - mid| < 2^16 (sharpening may leave the range), so cut it before multiplying.
        const int distance = ksr_clamp(v[i], 0, KSR_SAMPLE_MAX) - p->mid;
        const int out = p->mid + ((distance * p->contrast + ONE / 2) >> 12);
        dst[i] =
            (uint16_t)ksr_clamp(out, ksr_min(before[i], p->black), ksr_max(before[i], p->white));
    }
}

void ksr_enhance_luma_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                           const struct ksr_enhance_params *params, int y0, int y1)
{
    uint16_t t[ROWS][KSR_TILE_ALL];
    int32_t v[KSR_TILE];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            const int count = ksr_min(KSR_TILE, src->width - x0);
            for (int r = 0; r < ROWS; r++)
                ksr_tile_load(t[r], src, x0, y - MIDDLE + r);
            for (int i = 0; i < count; i++)
                v[i] = t[MIDDLE][KSR_TILE_PAD + i];
            if (params->sharpening != 0)
                sharpen_tile(v, t, count, params->sharpening);
            if (params->line_darkening != 0)
                darken_tile(v, t, count, params);
            finish_tile(dst->data + y * dst->stride + x0, v, t[MIDDLE] + KSR_TILE_PAD, count,
                        params);
        }
}

void ksr_enhance_chroma_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                             const struct ksr_enhance_params *params, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        const uint16_t *s = src->data + y * src->stride;
        uint16_t *d = dst->data + y * dst->stride;
        for (int x = 0; x < src->width; x++) {
            const int c = s[x], distance = c - KSR_CHROMA_ZERO;
            const int v = KSR_CHROMA_ZERO + ((distance * params->saturation + ONE / 2) >> 12);
            d[x] = (uint16_t)ksr_clamp(v, ksr_min(c, params->chroma_low),
                                       ksr_max(c, params->chroma_high));
        }
    }
}
