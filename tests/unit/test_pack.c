// Code values and working samples: exact ways there and back, scaling, dither.

#include "unit.h"

#include "frame/pack.h"

#define MAX_SIDE 256

// A plane of code values that owns its memory.
struct codes {
    struct ksr_code_plane plane;
    uint16_t memory[MAX_SIDE * MAX_SIDE];
};

static struct codes *make_codes(int bits, int width)
{
    struct codes *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    c->plane.data = (uint8_t *)c->memory;
    c->plane.stride = width * (bits > 8 ? 2 : 1);
    c->plane.bits = bits;
    return c;
}

static void set_code(struct codes *c, int x, int y, int value)
{
    uint8_t *row = c->plane.data + y * c->plane.stride;
    if (c->plane.bits == 8)
        row[x] = (uint8_t)value;
    else
        ((uint16_t *)row)[x] = (uint16_t)value;
}

static int get_code(const struct codes *c, int x, int y)
{
    const uint8_t *row = c->plane.data + y * c->plane.stride;
    return c->plane.bits == 8 ? row[x] : ((const uint16_t *)row)[x];
}

// Every code of every depth, there and back, in all ways of packing.
static void every_code_comes_back(void **state)
{
    (void)state;
    struct ksr_frame f = unit_grey(MAX_SIDE, MAX_SIDE);
    for (int bits = 8; bits <= 16; bits++)
        for (int mode = 0; mode < 8; mode++) {
            struct codes *in = make_codes(bits, MAX_SIDE), *out = make_codes(bits, MAX_SIDE);
            const int last = (1 << bits) - 1;
            for (int i = 0; i < MAX_SIDE * MAX_SIDE; i++)
                set_code(in, i % MAX_SIDE, i / MAX_SIDE, i & last);
            const struct ksr_pack_params params = {
                .source_bits = bits, .scale = mode & 1, .chroma = mode & 2, .dither = mode & 4};
            ksr_unpack_rows(&f.plane[0], &in->plane, 0, MAX_SIDE);
            ksr_pack_rows(&out->plane, &f.plane[0], &params, 0, MAX_SIDE);
            for (int i = 0; i < MAX_SIDE * MAX_SIDE; i++) {
                const int want = i & last, got = get_code(out, i % MAX_SIDE, i / MAX_SIDE);
                if (bits == 16 ? abs(got - want) > 1 : got != want)
                    fail_msg("%d bits, mode %d: %d became %d", bits, mode, want, got);
            }
            free(in);
            free(out);
        }
    ksr_frame_free(&f);
}

static void samples_stand_where_the_format_says(void **state)
{
    (void)state;
    struct ksr_frame f = unit_grey(1, 1);
    for (int bits = 8; bits <= 16; bits++) {
        struct codes *c = make_codes(bits, 1);
        const int centre = 1 << (bits - 1), peak = (1 << bits) - 1;
        set_code(c, 0, 0, centre);
        ksr_unpack_rows(&f.plane[0], &c->plane, 0, 1);
        assert_int_equal(*unit_at(&f.plane[0], 0, 0), KSR_CHROMA_ZERO);
        set_code(c, 0, 0, peak);
        ksr_unpack_rows(&f.plane[0], &c->plane, 0, 1);
        assert_int_equal(*unit_at(&f.plane[0], 0, 0), bits == 16 ? 32767 : peak << (15 - bits));
        if (bits > 8 && bits < 16) { // rubbish above the low bits stays in range
            set_code(c, 0, 0, 65535);
            ksr_unpack_rows(&f.plane[0], &c->plane, 0, 1);
            assert_int_equal(*unit_at(&f.plane[0], 0, 0), peak << (15 - bits));
        }
        free(c);
    }
    ksr_frame_free(&f);
}

static int pack_one(int sample, int bits, const struct ksr_pack_params *params)
{
    struct ksr_frame f = unit_grey(1, 1);
    struct codes *c = make_codes(bits, 1);
    *unit_at(&f.plane[0], 0, 0) = (uint16_t)sample;
    ksr_pack_rows(&c->plane, &f.plane[0], params, 0, 1);
    const int code = get_code(c, 0, 0);
    free(c);
    ksr_frame_free(&f);
    return code;
}

static void full_range_keeps_its_ends(void **state)
{
    (void)state;
    for (int from = 8; from <= 16; from++)
        for (int to = 8; to <= 16; to++) {
            const int peak = from == 16 ? 32767 : ((1 << from) - 1) << (15 - from);
            struct ksr_pack_params params = {.source_bits = from, .scale = true};
            assert_int_equal(pack_one(0, to, &params), 0);
            assert_int_equal(pack_one(peak, to, &params), (1 << to) - 1);
            params.chroma = true;
            assert_int_equal(pack_one(KSR_CHROMA_ZERO, to, &params), 1 << (to - 1));
            params.chroma = false;
            params.scale = false; // limited range shifts: black stays 16 of 8 bits
            assert_int_equal(pack_one(16 << 7, to, &params), 16 << (to - 8));
            assert_int_equal(pack_one(235 << 7, to, &params), 235 << (to - 8));
        }
}

// The rounded ratio, worked out another way.
static void scaling_rounds_exactly(void **state)
{
    (void)state;
    for (int from = 8; from <= 16; from += 2)
        for (int to = 8; to <= 16; to++) {
            if (from == to && to != 16)
                continue;
            const int64_t peak = from == 16 ? 32767 : ((1 << from) - 1) << (15 - from);
            const int64_t max = (1 << to) - 1;
            for (int64_t w = 0; w <= 32767; w += 7) {
                struct ksr_pack_params params = {.source_bits = from, .scale = true};
                int64_t want = (2 * w * max + peak) / (2 * peak);
                assert_int_equal(pack_one((int)w, to, &params), want > max ? max : want);
                params.chroma = true;
                const int64_t d = w < 16384 ? 16384 - w : w - 16384;
                const int64_t size = (2 * d * max + peak) / (2 * peak), zero = 1 << (to - 1);
                want = w < 16384 ? zero - size : zero + size;
                want = want < 0 ? 0 : want > max ? max : want;
                assert_int_equal(pack_one((int)w, to, &params), want);
            }
        }
}

// 128x128 samples of one value: the mean of the codes is the value, and all lie next to it.
static void dither_has_the_right_mean(void **state)
{
    (void)state;
    enum { SIDE = 128 };
    struct ksr_frame f = unit_grey(SIDE, SIDE);
    struct codes *c = make_codes(8, SIDE);
    const struct ksr_pack_params params = {.source_bits = 8, .dither = true};
    for (int value = 16 << 7; value <= 18 << 7; value++) {
        unit_fill(&f.plane[0], (uint16_t)value);
        ksr_pack_rows(&c->plane, &f.plane[0], &params, 0, SIDE);
        int64_t sum = 0;
        for (int i = 0; i < SIDE * SIDE; i++) {
            const int code = get_code(c, i % SIDE, i / SIDE);
            assert_true(code == value >> 7 || code == (value + 127) >> 7);
            sum += code;
        }
        assert_int_equal(sum * 128, (int64_t)value * SIDE * SIDE);
    }
    free(c);
    ksr_frame_free(&f);
}

// 10 bits to 8: dithered codes of a flat area are its two neighbours in the right mixture, and
// peak and zero stay flat.
static void dither_of_scaled_samples_has_the_right_mean(void **state)
{
    (void)state;
    enum { SIDE = 64 };
    struct ksr_frame f = unit_grey(SIDE, SIDE);
    struct codes *c = make_codes(8, SIDE);
    for (int chroma = 0; chroma < 2; chroma++) {
        const struct ksr_pack_params params = {
            .source_bits = 10, .scale = true, .dither = true, .chroma = chroma};
        for (int code10 = 0; code10 < 1024; code10 += code10 % 3 + 1) {
            unit_fill(&f.plane[0], (uint16_t)(code10 << 5));
            ksr_pack_rows(&c->plane, &f.plane[0], &params, 0, SIDE);
            double exact = chroma ? 128 + (code10 - 512) * 255.0 / 1023 : code10 * 255.0 / 1023;
            exact = exact < 0 ? 0 : exact > 255 ? 255 : exact;
            double sum = 0;
            for (int i = 0; i < SIDE * SIDE; i++)
                sum += get_code(c, i % SIDE, i / SIDE);
            const double off = sum / (SIDE * SIDE) - exact;
            assert_true(off > -1.0 / 128 && off < 1.0 / 128);
        }
    }
    free(c);
    ksr_frame_free(&f);
}

static void upside_down_planes_work(void **state)
{
    (void)state;
    struct ksr_frame f = unit_grey(3, 4);
    struct codes *c = make_codes(8, 3);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 3; x++)
            set_code(c, x, y, 10 * y + x);
    struct ksr_code_plane flipped = c->plane;
    flipped.data += 3 * flipped.stride;
    flipped.stride = -flipped.stride;
    ksr_unpack_rows(&f.plane[0], &flipped, 0, 4);
    assert_int_equal(*unit_at(&f.plane[0], 1, 0), 31 << 7);
    assert_int_equal(*unit_at(&f.plane[0], 2, 3), 2 << 7);
    free(c);
    ksr_frame_free(&f);
}

static void only_the_named_rows_are_written(void **state)
{
    (void)state;
    struct ksr_frame f = unit_grey(5, 4);
    struct codes *c = make_codes(8, 5);
    memset(c->memory, 99, 5 * 4);
    unit_fill(&f.plane[0], 77 << 7);
    const struct ksr_pack_params params = {.source_bits = 8};
    ksr_pack_rows(&c->plane, &f.plane[0], &params, 1, 3);
    for (int i = 0; i < 20; i++)
        assert_int_equal(get_code(c, i % 5, i / 5), i >= 5 && i < 15 ? 77 : 99);
    free(c);
    ksr_frame_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_comes_back),
        cmocka_unit_test(samples_stand_where_the_format_says),
        cmocka_unit_test(full_range_keeps_its_ends),
        cmocka_unit_test(scaling_rounds_exactly),
        cmocka_unit_test(dither_has_the_right_mean),
        cmocka_unit_test(dither_of_scaled_samples_has_the_right_mean),
        cmocka_unit_test(upside_down_planes_work),
        cmocka_unit_test(only_the_named_rows_are_written),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
