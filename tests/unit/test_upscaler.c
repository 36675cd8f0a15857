// Frames in, frames out: what is described, what is refused, order of calls, memory that is only as
// large as it must be, and the temporal stage entered anywhere. That the frames are those of a job
// is tests/golden/upscaler.py.

#include "unit.h"

#include <stdio.h>

#include "kizunasr/upscaler.h"
#include "pipeline/recipe.h"

static ksr_context *ctx;
static char last_error[256];
static int errors;

static void keep_error(void *opaque, ksr_log_level level, const char *message)
{
    (void)opaque;
    if (level != KSR_LOG_ERROR)
        return;
    snprintf(last_error, sizeof(last_error), "%s", message);
    errors++;
}

static int make_context(void **state)
{
    (void)state;
    const struct ksr_callbacks callbacks = {.log = keep_error};
    return ksr_context_create(&ctx, &callbacks);
}

static int drop_context(void **state)
{
    (void)state;
    ksr_context_destroy(&ctx);
    return 0;
}

static struct ksr_processor_config plain(void)
{
    struct ksr_processor_config config = ksr_processor_config_default();
    config.pipeline.denoise = 0;
    return config;
}

static struct ksr_frame_format format_of(int width, int height, const char *pixel_format)
{
    return (struct ksr_frame_format){
        .width = width, .height = height, .pixel_format = pixel_format};
}

static ksr_upscaler *open_with(const struct ksr_processor_config *config, int width, int height,
                               const char *pixel_format)
{
    const struct ksr_frame_format format = format_of(width, height, pixel_format);
    const struct ksr_run_options options = {.threads = 2, .device = "cpu"};
    ksr_upscaler *u = NULL;
    assert_int_equal(ksr_upscaler_create(&u, ctx, config, &format, &options), KSR_OK);
    assert_non_null(u);
    return u;
}

// --- Frames of exactly the memory that they must have ---

struct picture {
    struct ksr_frame_planes planes;
    size_t bytes[KSR_FRAME_PLANES];
    int rows[KSR_FRAME_PLANES], count;
    void *block[KSR_FRAME_PLANES];
};

// gap: bytes between rows. upside_down: the last row comes first.
static struct picture make_picture(int planes, const size_t *bytes, const int *rows, size_t gap,
                                   bool upside_down)
{
    struct picture p = {.count = planes};
    for (int i = 0; i < planes; i++) {
        const size_t stride = bytes[i] + gap, size = stride * (size_t)(rows[i] - 1) + bytes[i];
        uint8_t *block = malloc(size);
        assert_non_null(block);
        memset(block, 0xA5, size);
        p.block[i] = block;
        p.bytes[i] = bytes[i];
        p.rows[i] = rows[i];
        p.planes.plane[i] = upside_down ? block + stride * (size_t)(rows[i] - 1) : block;
        p.planes.stride[i] = upside_down ? -(ptrdiff_t)stride : (ptrdiff_t)stride;
    }
    return p;
}

static struct picture input_of(const ksr_upscaler *u)
{
    const struct ksr_upscaler_info *i = ksr_upscaler_info(u);
    return make_picture(i->input_planes, i->input_row_bytes, i->input_rows, 0, false);
}

static struct picture output_of(const ksr_upscaler *u)
{
    const struct ksr_upscaler_info *i = ksr_upscaler_info(u);
    return make_picture(i->output_planes, i->output_row_bytes, i->output_rows, 0, false);
}

static void drop_picture(struct picture *p)
{
    for (int i = 0; i < p->count; i++)
        free(p->block[i]);
}

static uint8_t *row_of(const struct picture *p, int plane, int y)
{
    return (uint8_t *)p->planes.plane[plane] + y * p->planes.stride[plane];
}

// The same random bytes for the same seed, whatever the strides; `mask` for samples of fewer bits.
static void fill(const struct picture *p, uint32_t seed, uint8_t odd_mask)
{
    for (int i = 0; i < p->count; i++)
        for (int y = 0; y < p->rows[i]; y++)
            for (size_t x = 0; x < p->bytes[i]; x++)
                row_of(p, i, y)[x] =
                    (uint8_t)(unit_random(&seed) >> 11) & (x % 2 == 1 ? odd_mask : 255);
}

static void assert_same(const struct picture *a, const struct picture *b)
{
    for (int i = 0; i < a->count; i++)
        for (int y = 0; y < a->rows[i]; y++)
            assert_memory_equal(row_of(a, i, y), row_of(b, i, y), a->bytes[i]);
}

// --- Tests ---

static void frames_are_described(void **state)
{
    (void)state;
    struct ksr_processor_config config = plain();
    struct ksr_frame_format format = format_of(5, 3, "yuv420p10");
    ksr_upscaler *u = NULL;
    format.range = "full";
    format.matrix = "bt709";
    format.chroma_location = "topleft";
    assert_int_equal(ksr_upscaler_create(&u, ctx, &config, &format, NULL), KSR_OK);
    const struct ksr_upscaler_info *info = ksr_upscaler_info(u);
    assert_int_equal(info->input_planes, 3);
    assert_int_equal(info->input_row_bytes[0], 10);
    assert_int_equal(info->input_row_bytes[1], 6);
    assert_int_equal(info->input_rows[2], 2);
    assert_int_equal(info->input_sample_bytes, 2);
    assert_int_equal(info->output_sample_bytes, 2);
    assert_int_equal(info->output.width, 10);
    assert_int_equal(info->output.height, 6);
    assert_int_equal(info->output_row_bytes[1], 10);
    assert_int_equal(info->output_rows[1], 3);
    assert_string_equal(info->input.pixel_format, "yuv420p10");
    assert_string_equal(info->output.pixel_format, "yuv420p10le");
    assert_string_equal(info->output.range, "full");
    assert_string_equal(info->output.matrix, "bt709");
    assert_string_equal(info->output.chroma_location, "topleft");
    assert_string_equal(info->engine, "");
    assert_int_equal(info->warmup, 0);
    assert_non_null(ksr_upscaler_device(u));
    ksr_upscaler_destroy(&u);
    assert_null(u);
    ksr_upscaler_destroy(&u);
    ksr_upscaler_destroy(NULL);
    assert_null(ksr_upscaler_info(NULL));
}

static void output_can_have_another_format(void **state)
{
    (void)state;
    struct ksr_processor_config config = plain();
    config.encoder.pixel_format = "rgb48";
    config.pipeline.shader_scale = 4;
    config.pipeline.enable_temporal = true;
    config.pipeline.temporal_weight = 0.5;
    ksr_upscaler *u = open_with(&config, 4, 2, "yuv444p");
    const struct ksr_upscaler_info *info = ksr_upscaler_info(u);
    assert_int_equal(info->output_planes, 1);
    assert_int_equal(info->output_row_bytes[0], 16 * 6);
    assert_int_equal(info->output_rows[0], 8);
    assert_int_equal(info->input_sample_bytes, 1);
    assert_int_equal(info->output_sample_bytes, 2);
    assert_string_equal(info->output.pixel_format, "rgb48le");
    assert_string_equal(info->output.range, "full");
    assert_string_equal(info->output.matrix, "gbr");
    assert_null(info->input.range);
    assert_null(info->input.matrix);
    assert_int_equal(info->warmup, ksr_recipe_warmup(&config.pipeline));
    assert_in_range(info->warmup, 1, 40);
    ksr_upscaler_destroy(&u);
    config.pipeline.fit = "10x10";
    config.pipeline.enable_temporal = false;
    u = open_with(&config, 4, 2, "gray");
    assert_int_equal(ksr_upscaler_info(u)->output.width, 10);
    assert_int_equal(ksr_upscaler_info(u)->output.height, 5);
    ksr_upscaler_destroy(&u);
}

static void networks_run(void **state)
{
    (void)state;
    struct ksr_processor_config config = plain();
    config.pipeline.use_ai = true;
    ksr_upscaler *u = open_with(&config, 9, 7, "yuv420p");
    assert_string_equal(ksr_upscaler_info(u)->engine, "native");
    assert_string_equal(ksr_upscaler_device(u), "cpu");
    struct picture in = input_of(u), out = output_of(u);
    fill(&in, 3, 255);
    assert_int_equal(ksr_upscaler_frame(u, 0, &in.planes, &out.planes), KSR_OK);
    drop_picture(&in);
    drop_picture(&out);
    ksr_upscaler_destroy(&u);
    config.pipeline.ai_model_path = "nothing-like-it";
    const struct ksr_frame_format format = format_of(9, 7, "yuv420p");
    assert_int_equal(ksr_upscaler_create(&u, ctx, &config, &format, NULL), KSR_E_MODEL);
    assert_null(u);
}

// Of every format and small size: frames by push and pull, by frame(), with gaps between rows and
// upside down are the same, and nothing beyond the rows is touched (which sanitizers see).
static void every_layout_of_memory_gives_the_same(void **state)
{
    static const char *const names[] = {"gray",    "gray10",  "gray16",     "ya8",   "yuv420p",
                                        "yuv422p", "yuv444p", "yuv410p",    "nv12",  "yuv420p10",
                                        "p010",    "yuyv422", "yuva444p16", "gbrp",  "gbrp12",
                                        "gbrap",   "rgb24",   "bgra",       "rgb48", "rgba64"};
    static const int sizes[][2] = {{1, 1}, {2, 1}, {1, 5}, {33, 18}};
    (void)state;
    struct ksr_processor_config config = plain();
    config.pipeline.sharpening = 0.5;
    for (size_t f = 0; f < sizeof(names) / sizeof(names[0]); f++)
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            const struct ksr_frame_format format = format_of(sizes[s][0], sizes[s][1], names[f]);
            ksr_upscaler *u = NULL;
            assert_int_equal(ksr_upscaler_create(&u, ctx, &config, &format, NULL), KSR_OK);
            const struct ksr_upscaler_info *i = ksr_upscaler_info(u);
            struct picture in = input_of(u), out = output_of(u), again = output_of(u);
            struct picture in2 =
                make_picture(i->input_planes, i->input_row_bytes, i->input_rows, 6, true);
            struct picture out2 =
                make_picture(i->output_planes, i->output_row_bytes, i->output_rows, 10, true);
            const uint8_t mask = strstr(names[f], "10") ? 3 : strstr(names[f], "12") ? 15 : 255;
            int64_t number = -1;
            fill(&in, 7, strcmp(names[f], "p010") == 0 ? 255 : mask);
            fill(&in2, 7, strcmp(names[f], "p010") == 0 ? 255 : mask);
            assert_int_equal(ksr_upscaler_frame(u, 4, &in.planes, &out.planes), KSR_OK);
            assert_int_equal(ksr_upscaler_push(u, 9, &in2.planes), KSR_OK);
            fill(&in2, 8, 1); // it was borrowed
            assert_int_equal(ksr_upscaler_pull(u, &out2.planes, &number), KSR_OK);
            assert_int_equal(number, 9);
            assert_same(&out, &out2);
            assert_int_equal(ksr_upscaler_frame(u, 5, &in.planes, &again.planes), KSR_OK);
            assert_same(&out, &again);
            uint8_t gap[10];
            memset(gap, 0xA5, sizeof(gap));
            for (int p = 0; p < out2.count; p++)
                for (int y = 1; y < out2.rows[p]; y++) // the first row is the last in memory
                    assert_memory_equal(row_of(&out2, p, y) + out2.bytes[p], gap, sizeof(gap));
            drop_picture(&in);
            drop_picture(&in2);
            drop_picture(&out);
            drop_picture(&out2);
            drop_picture(&again);
            ksr_upscaler_destroy(&u);
        }
}

// The frames of an unbroken run, asked for in another order after as many frames of warm-up as
// info->warmup says: also across the places where the stage begins anew. One frame less is seen.
static void temporal_frames_do_not_depend_on_the_order(void **state)
{
    enum { FRAMES = 90 };
    static const int order[] = {89, 3, 40, 41, 17, 18, 0, 64, 88};
    (void)state;
    struct ksr_processor_config config = plain();
    config.pipeline.enable_temporal = true;
    config.pipeline.temporal_weight = 0.5;
    config.pipeline.motion_threshold = 1;
    ksr_upscaler *u = open_with(&config, 6, 4, "gray16");
    const int warmup = ksr_upscaler_info(u)->warmup;
    struct picture in[FRAMES], linear[FRAMES], out = output_of(u);
    for (int i = 0; i < FRAMES; i++) {
        in[i] = input_of(u);
        linear[i] = output_of(u);
        fill(&in[i], (uint32_t)i + 1, 3); // noise of few codes: neither motion nor a scene cut
        assert_int_equal(ksr_upscaler_frame(u, i, &in[i].planes, &linear[i].planes), KSR_OK);
    }
    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
        const int n = order[k], first = n > warmup ? n - warmup : 0;
        ksr_upscaler_reset(u);
        for (int i = first; i < n; i++)
            assert_int_equal(ksr_upscaler_warm_up(u, i, &in[i].planes), KSR_OK);
        assert_int_equal(ksr_upscaler_frame(u, n, &in[n].planes, &out.planes), KSR_OK);
        assert_same(&linear[n], &out);
    }
    assert_int_equal(ksr_upscaler_frame(u, 50, &in[50].planes, &out.planes), KSR_OK);
    assert_int_not_equal(memcmp(linear[50].block[0], out.block[0], linear[50].bytes[0]), 0);
    for (int i = 0; i < FRAMES; i++) {
        drop_picture(&in[i]);
        drop_picture(&linear[i]);
    }
    drop_picture(&out);
    ksr_upscaler_destroy(&u);
}

static void refuse(const struct ksr_processor_config *config, const struct ksr_frame_format *format,
                   const struct ksr_run_options *options, const char *message)
{
    ksr_upscaler *u = (ksr_upscaler *)&ctx; // must become NULL
    errors = 0;
    assert_int_equal(ksr_upscaler_create(&u, ctx, config, format, options), KSR_E_PARAM);
    assert_null(u);
    assert_string_equal(last_error, message);
    assert_int_equal(errors, 1);
}

static void refuse_format(const struct ksr_frame_format *format, const char *message)
{
    const struct ksr_processor_config config = plain();
    refuse(&config, format, NULL, message);
}

static void wrong_formats_are_refused(void **state)
{
    (void)state;
    struct ksr_frame_format f = format_of(0, 4, "gray");
    refuse_format(&f, "0x4 is not a valid size (1 to 65535)");
    f = format_of(65536, 4, "gray");
    refuse_format(&f, "65536x4 is not a valid size (1 to 65535)");
    f = format_of(4, 65536, "gray");
    refuse_format(&f, "4x65536 is not a valid size (1 to 65535)");
    f = format_of(40000, 1, "gray");
    refuse_format(&f, "40000x1 is too large to scale by 2");
    f = format_of(4, 4, NULL);
    refuse_format(&f, "pixel_format: '' is not a pixel format");
    f = format_of(4, 4, "yuv");
    refuse_format(&f, "pixel_format: 'yuv' is not a pixel format");
    f = format_of(4, 4, "grayf32le");
    refuse_format(&f, "pixel_format: 'grayf32le' cannot be processed");
    f = format_of(4, 4, "pal8");
    refuse_format(&f, "pixel_format: 'pal8' cannot be processed");
    f = format_of(4, 4, "vaapi");
    refuse_format(&f, "pixel_format: 'vaapi' cannot be processed");
    f = format_of(4, 4, "yuv420p");
    f.range = "tv";
    refuse_format(&f, "range: 'tv' is not valid (limited or full)");
    f.range = NULL;
    f.matrix = "bt.709";
    refuse_format(&f, "matrix: 'bt.709' is not known");
    f.matrix = NULL;
    f.chroma_location = "middle";
    refuse_format(&f, "chroma_location: 'middle' is not known");
}

static void settings_that_frames_cannot_have_are_refused(void **state)
{
    (void)state;
    const struct ksr_frame_format f = format_of(4, 4, "yuv420p");
    struct ksr_processor_config c = ksr_processor_config_default();
    refuse(&c, &f, NULL,
           "denoise: 'auto' is measured over a whole video (set a number, such as 0)");
    c = plain();
    c.pipeline.crop = "2:2:0:0";
    refuse(&c, &f, NULL, "crop: is for files (let the planes begin at the first pixel wanted)");
    c = plain();
    c.pipeline.deinterlace = KSR_DEINTERLACE_FIELD;
    refuse(&c, &f, NULL, "deinterlace: frames must be progressive");
    c = plain();
    c.pipeline.inverse_telecine = true;
    refuse(&c, &f, NULL, "inverse_telecine: frames must be progressive");
    c = plain();
    c.pipeline.rotate = "apply";
    refuse(&c, &f, NULL, "rotate: is for files");
    c = plain();
    c.pipeline.film_grain = "off";
    refuse(&c, &f, NULL, "film_grain: is for files");
    c = plain();
    c.pipeline.ai_fallback = true;
    refuse(&c, &f, NULL, "ai_fallback: is for files");
    c = plain();
    c.pipeline.use_ai = true;
    c.pipeline.ai_model_path = "auto";
    refuse(&c, &f, NULL, "ai_model_path: 'auto' is for files (name a network)");
    c = plain();
    c.pipeline.shader_scale = 3;
    refuse(&c, &f, NULL, "shader_scale: '3' is not valid (2 or 4)");
    c = plain();
    c.encoder.pixel_format = "grayf32le";
    refuse(&c, &f, NULL, "pixel_format: 'grayf32le' cannot be written");
    c.encoder.pixel_format = "yuv";
    refuse(&c, &f, NULL, "pixel_format: 'yuv' is not a pixel format");
    c = plain();
    refuse(&c, &f, &(struct ksr_run_options){.threads = 65},
           "threads: '65' is not valid (1 to 64)");
    refuse(&c, &f, &(struct ksr_run_options){.device = "cpu,vulkan"},
           "device: 'cpu,vulkan' names several devices (name one)");
    refuse(&c, &f, &(struct ksr_run_options){.device = "toaster"},
           "device: 'toaster' is not one of auto, all, cpu, vulkan, vulkan:N");
    refuse(NULL, &f, NULL, "config is NULL");
    refuse(&c, NULL, NULL, "format is NULL");
    assert_int_equal(ksr_upscaler_create(NULL, ctx, &c, &f, NULL), KSR_E_PARAM);
    assert_string_equal(last_error, "out is NULL");
}

static void what_is_about_files_is_ignored(void **state)
{
    (void)state;
    const struct ksr_processor_config config = {.pipeline = plain().pipeline};
    ksr_upscaler *u = open_with(&config, 4, 4, "yuv420p"); // no codec, no paths
    ksr_upscaler_destroy(&u);
}

static void wrong_planes_are_refused(void **state)
{
    (void)state;
    const struct ksr_processor_config config = plain();
    ksr_upscaler *u = open_with(&config, 5, 3, "yuv420p10");
    struct picture in = input_of(u), out = output_of(u);
    struct ksr_frame_planes bad = in.planes;
    fill(&in, 1, 3);
    bad.plane[2] = NULL;
    assert_int_equal(ksr_upscaler_push(u, 0, &bad), KSR_E_PARAM);
    assert_string_equal(last_error, "plane 2 is NULL");
    bad = in.planes;
    bad.stride[1] = 4;
    assert_int_equal(ksr_upscaler_frame(u, 0, &bad, &out.planes), KSR_E_PARAM);
    assert_string_equal(last_error, "plane 1: a stride of 4 bytes is not valid (rows have 6)");
    bad.stride[1] = PTRDIFF_MIN;
    assert_int_equal(ksr_upscaler_warm_up(u, 0, &bad), KSR_E_PARAM);
    bad.stride[1] = (ptrdiff_t)INT32_MAX + 1;
    assert_int_equal(ksr_upscaler_push(u, 0, &bad), KSR_E_PARAM);
    bad = in.planes;
    bad.stride[0] = 11;
    assert_int_equal(ksr_upscaler_push(u, 0, &bad), KSR_E_PARAM);
    assert_string_equal(last_error, "plane 0: 16-bit samples are not at multiples of 2 bytes");
    bad = in.planes;
    bad.plane[0] = (char *)bad.plane[0] + 1;
    assert_int_equal(ksr_upscaler_push(u, 0, &bad), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_push(u, -1, &in.planes), KSR_E_PARAM);
    assert_string_equal(last_error, "number: '-1' is not valid (from 0)");
    assert_int_equal(ksr_upscaler_push(u, INT64_MAX, &in.planes), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_held(u), 0);
    bad = out.planes;
    bad.stride[2] = 9;
    assert_int_equal(ksr_upscaler_frame(u, 0, &in.planes, &bad), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_held(u), 0);
    assert_int_equal(ksr_upscaler_push(u, INT64_MAX - 1, &in.planes), KSR_OK);
    assert_int_equal(ksr_upscaler_pull(u, &bad, NULL), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_held(u), 1);
    assert_int_equal(ksr_upscaler_pull(u, &out.planes, NULL), KSR_OK);
    drop_picture(&in);
    drop_picture(&out);
    ksr_upscaler_destroy(&u);
}

static void wrong_order_is_refused(void **state)
{
    (void)state;
    const struct ksr_processor_config config = plain();
    ksr_upscaler *u = open_with(&config, 4, 4, "rgb24");
    struct picture in = input_of(u), out = output_of(u);
    fill(&in, 1, 255);
    assert_int_equal(ksr_upscaler_pull(u, &out.planes, NULL), KSR_E_PARAM);
    assert_string_equal(last_error, "no frame is held");
    assert_int_equal(ksr_upscaler_push(u, 0, &in.planes), KSR_OK);
    assert_int_equal(ksr_upscaler_held(u), 1);
    assert_int_equal(ksr_upscaler_push(u, 1, &in.planes), KSR_E_PARAM);
    assert_string_equal(last_error, "1 frame is held: pull before the next one");
    assert_int_equal(ksr_upscaler_frame(u, 1, &in.planes, &out.planes), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_warm_up(u, 1, &in.planes), KSR_E_PARAM);
    ksr_upscaler_reset(u);
    assert_int_equal(ksr_upscaler_held(u), 0);
    assert_int_equal(ksr_upscaler_frame(u, 1, &in.planes, &out.planes), KSR_OK);
    assert_int_equal(ksr_upscaler_frame(u, 1, NULL, &out.planes), KSR_E_PARAM);
    assert_string_equal(last_error, "in is NULL");
    assert_int_equal(ksr_upscaler_frame(u, 1, &in.planes, NULL), KSR_E_PARAM);
    assert_string_equal(last_error, "out is NULL");
    assert_int_equal(ksr_upscaler_pull(u, NULL, NULL), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_frame(NULL, 1, &in.planes, &out.planes), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_push(NULL, 1, &in.planes), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_warm_up(NULL, 1, &in.planes), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_pull(NULL, &out.planes, NULL), KSR_E_PARAM);
    assert_int_equal(ksr_upscaler_held(NULL), 0);
    assert_string_equal(ksr_upscaler_device(NULL), "cpu");
    ksr_upscaler_reset(NULL);
    drop_picture(&in);
    drop_picture(&out);
    ksr_upscaler_destroy(&u);
}

// Where there is a GPU, if only Mesa's software one, frames are held.
static void frames_are_held_by_a_gpu(void **state)
{
    (void)state;
    const struct ksr_processor_config config = plain();
    const struct ksr_frame_format format = format_of(8, 6, "gray");
    const struct ksr_run_options options = {.threads = 1, .device = "vulkan:0"};
    ksr_upscaler *u = NULL;
    int64_t number = -1;
    assert_int_equal(ksr_upscaler_create(&u, ctx, &config, &format, &options), KSR_OK);
    const int delay = ksr_upscaler_info(u)->delay;
    if (delay == 0) {
        ksr_upscaler_destroy(&u);
        skip();
    }
    struct picture in = input_of(u), out = output_of(u), cpu = output_of(u);
    fill(&in, 1, 255);
    for (int i = 0; i <= delay; i++)
        assert_int_equal(ksr_upscaler_push(u, 10 + i, &in.planes), KSR_OK);
    assert_int_equal(ksr_upscaler_push(u, 99, &in.planes), KSR_E_PARAM);
    assert_non_null(strstr(last_error, "frames are held: pull before the next one"));
    assert_int_equal(ksr_upscaler_pull(u, &out.planes, &number), KSR_OK);
    assert_int_equal(number, 10);
    assert_int_equal(ksr_upscaler_push(u, 20, &in.planes), KSR_OK);
    for (int held = delay + 1; held > 0; held--) {
        assert_int_equal(ksr_upscaler_held(u), held);
        assert_int_equal(ksr_upscaler_pull(u, &out.planes, &number), KSR_OK);
        assert_int_equal(number, held > 1 ? 10 + delay + 2 - held : 20);
        if (held > 1 && held <= delay) // it was said that none follows
            assert_int_equal(ksr_upscaler_push(u, 30, &in.planes), KSR_E_PARAM);
    }
    assert_int_equal(ksr_upscaler_push(u, 30, &in.planes), KSR_OK);
    ksr_upscaler_reset(u);
    assert_int_equal(ksr_upscaler_held(u), 0);
    ksr_upscaler_destroy(&u);
    u = open_with(&config, 8, 6, "gray");
    assert_int_equal(ksr_upscaler_frame(u, 0, &in.planes, &cpu.planes), KSR_OK);
    assert_same(&cpu, &out);
    drop_picture(&in);
    drop_picture(&out);
    drop_picture(&cpu);
    ksr_upscaler_destroy(&u);
}

static void cancelling_drops_what_is_held(void **state)
{
    (void)state;
    const struct ksr_processor_config config = plain();
    const struct ksr_frame_format format = format_of(4, 4, "gray");
    ksr_context *other = NULL;
    ksr_upscaler *u = NULL;
    assert_int_equal(ksr_context_create(&other, NULL), KSR_OK);
    assert_int_equal(ksr_upscaler_create(&u, other, &config, &format, NULL), KSR_OK);
    struct picture in = input_of(u), out = output_of(u);
    assert_int_equal(ksr_upscaler_push(u, 0, &in.planes), KSR_OK);
    ksr_context_cancel(other);
    assert_int_equal(ksr_upscaler_pull(u, &out.planes, NULL), KSR_E_CANCELLED);
    assert_int_equal(ksr_upscaler_held(u), 0);
    assert_int_equal(ksr_upscaler_push(u, 0, &in.planes), KSR_E_CANCELLED);
    drop_picture(&in);
    drop_picture(&out);
    ksr_upscaler_destroy(&u);
    ksr_context_destroy(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_described),
        cmocka_unit_test(output_can_have_another_format),
        cmocka_unit_test(networks_run),
        cmocka_unit_test(every_layout_of_memory_gives_the_same),
        cmocka_unit_test(temporal_frames_do_not_depend_on_the_order),
        cmocka_unit_test(wrong_formats_are_refused),
        cmocka_unit_test(settings_that_frames_cannot_have_are_refused),
        cmocka_unit_test(what_is_about_files_is_ignored),
        cmocka_unit_test(wrong_planes_are_refused),
        cmocka_unit_test(wrong_order_is_refused),
        cmocka_unit_test(frames_are_held_by_a_gpu),
        cmocka_unit_test(cancelling_drops_what_is_held),
    };
    return cmocka_run_group_tests(tests, make_context, drop_context);
}
