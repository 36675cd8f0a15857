// The VapourSynth plugin in a host of its own, as small as the plugin needs: clips of noise, maps,
// frames with counted references. What the plugin gives must be the frames of the library, in any
// order; nothing may be kept.
//
//   host PLUGIN.so

#include <VapourSynth4.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <kizunasr/kizunasr.h>

enum { FRAMES = 60, GAP = 32, ENTRIES = 24 };

// --- Objects of VapourSynth ---

// The table of functions is where version 4 has it, in its own header and in what stands in for it.
#define AT(place, member)                                                                          \
    _Static_assert(offsetof(struct VSAPI, member) == (place) * sizeof(void (*)(void)), #member)
AT(0, createVideoFilter);
AT(7, freeNode);
AT(10, getVideoInfo);
AT(12, newVideoFrame);
AT(16, freeFrame);
AT(19, getFramePropertiesRO);
AT(23, getWritePtr);
AT(36, getFrame);
AT(38, getFrameFilter);
AT(39, requestFrameFilter);
AT(42, setFilterError);
AT(51, mapSetError);
AT(59, mapGetInt);
AT(62, mapSetInt);
AT(64, mapGetFloat);
AT(69, mapGetData);
AT(73, mapGetNode);
AT(103, logMessage);

struct entry {
    char key[32];
    int64_t whole;
    double number;
    const char *text;
    VSNode *node;
};

struct VSMap {
    struct entry entry[ENTRIES];
    int count;
    char error[512];
};

struct VSFrame {
    int references;
    VSVideoFormat format;
    int width, height; // of the first plane
    ptrdiff_t stride[3];
    uint8_t *data[3];
    VSMap properties;
};

struct VSNode {
    VSVideoInfo info;
    VSFilterGetFrame get_frame; // NULL: a clip of noise
    VSFilterFree free;
    void *data;
    struct tags (*tag)(int n); // of noise
    bool fails;
};

struct tags {
    int range, matrix, location, field;
    bool h273; // the range also as _Range, and _ColorRange says the contrary
};

struct VSFrameContext {
    VSNode *node;
    const VSFrame *frame[FRAMES];
    char error[512];
};

static int frames_alive, frames_made, warnings;
static const VSAPI api;
static char arguments[4096];
static VSPublicFunction upscale_function;

static const struct entry *find(const VSMap *map, const char *key, int *error)
{
    for (int i = 0; i < map->count; i++)
        if (strcmp(map->entry[i].key, key) == 0)
            return &map->entry[i];
    assert_non_null(error); // VapourSynth ends the program
    *error = 1;
    return NULL;
}

static struct entry *add(VSMap *map, const char *key)
{
    int missing = 0;
    struct entry *e = (struct entry *)(uintptr_t)find(map, key, &missing);
    if (!e) {
        assert_true(map->count < ENTRIES);
        e = &map->entry[map->count++];
        snprintf(e->key, sizeof(e->key), "%s", key);
    }
    return e;
}

#define GETTER(name, type, member)                                                                 \
    static type name(const VSMap *map, const char *key, int index, int *error)                     \
    {                                                                                              \
        const struct entry *e = find(map, key, error);                                             \
        (void)index;                                                                               \
        if (e && error)                                                                            \
            *error = 0;                                                                            \
        return e ? e->member : (type)0;                                                            \
    }
GETTER(map_int, int64_t, whole)
GETTER(map_float, double, number)
GETTER(map_data, const char *, text)
GETTER(map_node, VSNode *, node)

static int map_set_int(VSMap *map, const char *key, int64_t value, int append)
{
    assert_int_equal(append, maReplace);
    add(map, key)->whole = value;
    return 0;
}

static void map_set_error(VSMap *map, const char *error)
{
    snprintf(map->error, sizeof(map->error), "%s", error);
}

static int plane_width(const VSFrame *f, int plane)
{
    const int shift = plane > 0 ? f->format.subSamplingW : 0;
    return f->width >> shift;
}

static int plane_height(const VSFrame *f, int plane)
{
    const int shift = plane > 0 ? f->format.subSamplingH : 0;
    return f->height >> shift;
}

static VSFrame *new_frame(const VSVideoFormat *format, int width, int height,
                          const VSFrame *properties, VSCore *core)
{
    VSFrame *f = calloc(1, sizeof(*f));
    (void)core;
    assert_non_null(f);
    f->references = 1;
    f->format = *format;
    f->width = width;
    f->height = height;
    if (properties)
        f->properties = properties->properties;
    for (int i = 0; i < format->numPlanes; i++) {
        f->stride[i] = (ptrdiff_t)plane_width(f, i) * format->bytesPerSample + GAP;
        f->data[i] = calloc((size_t)f->stride[i], (size_t)plane_height(f, i));
        assert_non_null(f->data[i]);
    }
    frames_alive++;
    frames_made++;
    return f;
}

static void free_frame(const VSFrame *frame)
{
    VSFrame *f = (VSFrame *)(uintptr_t)frame;
    assert_true(f->references > 0);
    if (--f->references > 0)
        return;
    for (int i = 0; i < f->format.numPlanes; i++)
        free(f->data[i]);
    free(f);
    frames_alive--;
}

static const VSMap *properties_ro(const VSFrame *f)
{
    return &f->properties;
}

static VSMap *properties_rw(VSFrame *f)
{
    return &f->properties;
}

static ptrdiff_t get_stride(const VSFrame *f, int plane)
{
    return f->stride[plane];
}

static const uint8_t *get_read(const VSFrame *f, int plane)
{
    return f->data[plane];
}

static uint8_t *get_write(VSFrame *f, int plane)
{
    assert_int_equal(f->references, 1);
    return f->data[plane];
}

static void set_tag(VSMap *map, const char *key, int value)
{
    if (value >= 0)
        map_set_int(map, key, value, maReplace);
}

// Frame n of a clip: noise that flickers around a gradient.
static const VSFrame *draw(const VSNode *node, int n)
{
    VSFrame *f = new_frame(&node->info.format, node->info.width, node->info.height, NULL, NULL);
    const struct tags tags = node->tag ? node->tag(n) : (struct tags){-1, -1, -1, -1, false};
    uint32_t seed = (uint32_t)n + 1;
    frames_made--;
    for (int p = 0; p < f->format.numPlanes; p++)
        for (int y = 0; y < plane_height(f, p); y++)
            for (int x = 0; x < plane_width(f, p); x++) {
                seed = seed * 1664525 + 1013904223;
                const int bits = f->format.bitsPerSample, scale = 1 << (bits - 8);
                const int v = (60 + 20 * p + 3 * x + 2 * y + (int)(seed >> 29)) * scale;
                uint8_t *row = f->data[p] + y * f->stride[p];
                if (f->format.bytesPerSample == 1)
                    row[x] = (uint8_t)v;
                else
                    ((uint16_t *)(void *)row)[x] = (uint16_t)v;
            }
    map_set_int(&f->properties, "_DurationNum", 1001, maReplace);
    set_tag(&f->properties, "_ColorRange", tags.h273 ? 1 - tags.range : tags.range);
    if (tags.h273)
        set_tag(&f->properties, "_Range", 1 - tags.range);
    set_tag(&f->properties, "_Matrix", tags.matrix);
    set_tag(&f->properties, "_ChromaLocation", tags.location);
    set_tag(&f->properties, "_FieldBased", tags.field);
    return f;
}

static void request(int n, VSNode *node, VSFrameContext *c)
{
    assert_true(n >= 0 && n < FRAMES);
    if (!c->frame[n])
        c->frame[n] = draw(node, n);
}

static const VSFrame *get_requested(int n, VSNode *node, VSFrameContext *c)
{
    assert_true(n >= 0 && n < FRAMES && node == c->node);
    assert_non_null(c->frame[n]); // it must have been requested
    ((VSFrame *)(uintptr_t)c->frame[n])->references++;
    return c->frame[n];
}

static void set_frame_error(const char *text, VSFrameContext *c)
{
    snprintf(c->error, sizeof(c->error), "%s", text);
}

static const VSFrame *get_first(int n, VSNode *node, char *error, int size)
{
    if (!node->fails)
        return draw(node, n);
    snprintf(error, (size_t)size, "the source fails");
    return NULL;
}

static void free_node(VSNode *node)
{
    (void)node; // clips belong to the tests
}

static const VSVideoInfo *video_info(VSNode *node)
{
    return &node->info;
}

static void create_filter(VSMap *out, const char *name, const VSVideoInfo *info,
                          VSFilterGetFrame get_frame, VSFilterFree free_filter, int mode,
                          const VSFilterDependency *sources, int count, void *data, VSCore *core)
{
    VSNode *node = calloc(1, sizeof(*node));
    (void)core;
    assert_non_null(node);
    assert_string_equal(name, "Upscale");
    assert_int_equal(mode, fmParallelRequests);
    assert_int_equal(count, 1);
    assert_non_null(sources[0].source);
    node->info = *info;
    node->get_frame = get_frame;
    node->free = free_filter;
    node->data = data;
    add(out, "clip")->node = node;
}

static void log_message(int kind, const char *message, VSCore *core)
{
    (void)core;
    (void)message;
    warnings += kind == mtWarning;
}

static const VSAPI api = {.createVideoFilter = create_filter,
                          .freeNode = free_node,
                          .getVideoInfo = video_info,
                          .newVideoFrame = new_frame,
                          .freeFrame = free_frame,
                          .getFramePropertiesRO = properties_ro,
                          .getFramePropertiesRW = properties_rw,
                          .getStride = get_stride,
                          .getReadPtr = get_read,
                          .getWritePtr = get_write,
                          .getFrame = get_first,
                          .getFrameFilter = get_requested,
                          .requestFrameFilter = request,
                          .setFilterError = set_frame_error,
                          .mapSetError = map_set_error,
                          .mapGetInt = map_int,
                          .mapSetInt = map_set_int,
                          .mapGetFloat = map_float,
                          .mapGetData = map_data,
                          .mapGetNode = map_node,
                          .logMessage = log_message};

static int config_plugin(const char *identifier, const char *space, const char *name, int version,
                         int wanted, int flags, VSPlugin *plugin)
{
    (void)identifier;
    (void)name;
    (void)flags;
    (void)plugin;
    assert_string_equal(space, "kizunasr");
    assert_int_equal(version, VS_MAKE_VERSION(KSR_VERSION_MAJOR, KSR_VERSION_MINOR));
    assert_int_equal(wanted, VAPOURSYNTH_API_VERSION);
    return 1;
}

static int register_function(const char *name, const char *text, const char *result,
                             VSPublicFunction function, void *data, VSPlugin *plugin)
{
    (void)data;
    (void)plugin;
    assert_string_equal(name, "Upscale");
    assert_string_equal(result, "clip:vnode;");
    snprintf(arguments, sizeof(arguments), "%s", text);
    upscale_function = function;
    return 1;
}

// --- What tests use ---

static VSNode clip_of(int family, int bits, int shift_x, int shift_y, int width, int height)
{
    const VSVideoFormat format = {.colorFamily = family,
                                  .bitsPerSample = bits,
                                  .bytesPerSample = bits > 8 ? 2 : 1,
                                  .subSamplingW = shift_x,
                                  .subSamplingH = shift_y,
                                  .numPlanes = family == cfGray ? 1 : 3};
    return (VSNode){.info = {.format = format,
                             .fpsNum = 24,
                             .fpsDen = 1,
                             .width = width,
                             .height = height,
                             .numFrames = FRAMES}};
}

static VSMap settings(VSNode *clip)
{
    VSMap map = {.count = 0};
    add(&map, "clip")->node = clip;
    add(&map, "threads")->whole = 1;
    add(&map, "device")->text = "cpu";
    return map;
}

static VSNode *open_filter(const VSMap *in)
{
    VSMap out = {.count = 0};
    upscale_function(in, &out, NULL, NULL, &api);
    assert_string_equal(out.error, "");
    return map_node(&out, "clip", 0, NULL);
}

static void free_frames(const VSFrame *const frames[FRAMES], int first)
{
    for (int n = first; n < FRAMES; n++)
        free_frame(frames[n]);
}

static void close_filter(VSNode *node)
{
    node->free(node->data, NULL, &api);
    free(node);
}

static void refuse(const VSMap *in, const char *error)
{
    VSMap out = {.count = 0};
    upscale_function(in, &out, NULL, NULL, &api);
    assert_string_equal(out.error, error);
    assert_int_equal(out.count, 0);
}

// Asks the filter for a frame as VapourSynth does.
static const VSFrame *frame_of(VSNode *node, VSNode *clip, int n, char error[512])
{
    VSFrameContext c = {.node = clip};
    void *frame_data = NULL;
    assert_null(node->get_frame(n, arInitial, node->data, &frame_data, &c, NULL, &api));
    const VSFrame *frame =
        node->get_frame(n, arAllFramesReady, node->data, &frame_data, &c, NULL, &api);
    for (int i = 0; i < FRAMES; i++)
        if (c.frame[i])
            free_frame(c.frame[i]);
    if (error)
        memcpy(error, c.error, sizeof(c.error));
    return frame;
}

static void assert_equal_frames(const VSFrame *a, const VSFrame *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int p = 0; p < a->format.numPlanes; p++)
        for (int y = 0; y < plane_height(a, p); y++)
            assert_memory_equal(a->data[p] + y * a->stride[p], b->data[p] + y * b->stride[p],
                                (size_t)(plane_width(a, p) * a->format.bytesPerSample));
}

// The frames of the library for a clip, from `first` to the last.
static void upscale_from(int first, const VSNode *clip, const struct ksr_processor_config *config,
                         const char *pixel_format, const char *range, const VSFrame *out[FRAMES])
{
    static const int rgb[3] = {1, 2, 0};
    const struct ksr_frame_format format = {.width = clip->info.width,
                                            .height = clip->info.height,
                                            .pixel_format = pixel_format,
                                            .range = range};
    ksr_upscaler *u = NULL;
    assert_int_equal(ksr_upscaler_create(&u, NULL, config, &format, NULL), KSR_OK);
    const struct ksr_upscaler_info *info = ksr_upscaler_info(u);
    for (int n = first; n < FRAMES; n++) {
        const VSFrame *source = draw(clip, n);
        VSFrame *made =
            new_frame(&clip->info.format, info->output.width, info->output.height, NULL, NULL);
        struct ksr_frame_planes from = {0}, to = {0};
        for (int i = 0; i < source->format.numPlanes; i++) {
            const int p = source->format.colorFamily == cfRGB ? rgb[i] : i;
            from.plane[i] = source->data[p];
            from.stride[i] = source->stride[p];
            to.plane[i] = made->data[p];
            to.stride[i] = made->stride[p];
        }
        assert_int_equal(ksr_upscaler_frame(u, n, &from, &to), KSR_OK);
        free_frame(source);
        out[n] = made;
    }
    ksr_upscaler_destroy(&u);
}

static struct ksr_processor_config plain(void)
{
    struct ksr_processor_config config = ksr_processor_config_default();
    config.pipeline.denoise = 0;
    return config;
}

// --- Tests ---

static void settings_are_arguments(void **state)
{
    (void)state;
    assert_non_null(strstr(arguments, "clip:vnode;scale:int:opt;model:data:opt;"));
    assert_non_null(strstr(arguments, ";sharpening:float:opt;"));
    assert_non_null(strstr(arguments, ";enable_temporal:int:opt;"));
    assert_non_null(strstr(arguments, ";fit:data:opt;"));
    assert_non_null(strstr(arguments, ";threads:int:opt;device:data:opt;"));
    assert_null(strstr(arguments, "crop"));
    assert_null(strstr(arguments, "codec"));
    assert_null(strstr(arguments, "scale:int:opt;ai_"));
}

static void frames_are_those_of_the_library(void **state)
{
    static const struct {
        int family, bits, shift_x, shift_y;
        const char *name;
    } formats[] = {{cfYUV, 8, 1, 1, "yuv420p"},    {cfYUV, 10, 0, 0, "yuv444p10"},
                   {cfYUV, 16, 1, 0, "yuv422p16"}, {cfYUV, 8, 2, 2, "yuv410p"},
                   {cfYUV, 8, 0, 1, "yuv440p"},    {cfGray, 8, 0, 0, "gray"},
                   {cfGray, 16, 0, 0, "gray16"},   {cfRGB, 8, 0, 0, "gbrp"},
                   {cfRGB, 12, 0, 0, "gbrp12"}};
    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        VSNode clip = clip_of(formats[i].family, formats[i].bits, formats[i].shift_x,
                              formats[i].shift_y, 12, 8);
        struct ksr_processor_config config = plain();
        const VSFrame *wanted[FRAMES];
        VSMap in = settings(&clip);
        add(&in, "sharpening")->number = config.pipeline.sharpening = 0.5;
        add(&in, "scale")->whole = config.pipeline.shader_scale = 4;
        upscale_from(0, &clip, &config, formats[i].name, NULL, wanted);
        VSNode *filter = open_filter(&in);
        assert_int_equal(filter->info.width, 48);
        assert_int_equal(filter->info.height, 32);
        assert_int_equal(filter->info.numFrames, FRAMES);
        for (int n = 0; n < FRAMES; n += 7) {
            const VSFrame *f = frame_of(filter, &clip, n, NULL);
            assert_equal_frames(f, wanted[n]);
            assert_int_equal(map_int(&f->properties, "_DurationNum", 0, NULL), 1001);
            free_frame(f);
        }
        free_frames(wanted, 0);
        close_filter(filter);
    }
}

static void networks_run(void **state)
{
    (void)state;
    VSNode clip = clip_of(cfYUV, 8, 1, 1, 12, 8);
    struct ksr_processor_config config = plain();
    const VSFrame *wanted[FRAMES];
    config.pipeline.use_ai = true;
    config.pipeline.ai_model_path = "anime-fast";
    upscale_from(0, &clip, &config, "yuv420p", NULL, wanted);
    VSMap in = settings(&clip);
    add(&in, "model")->text = "anime-fast";
    VSNode *filter = open_filter(&in);
    const VSFrame *f = frame_of(filter, &clip, 5, NULL);
    assert_equal_frames(f, wanted[5]);
    free_frame(f);
    free_frames(wanted, 0);
    close_filter(filter);
}

// Orders in which frames are asked for, and how many frames may be made for it.
static void temporal_frames_do_not_depend_on_the_order(void **state)
{
    static const int orders[][12] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
                                     {1, 0, 3, 2, 6, 5, 4, 7, 9, 8, 11, 10},
                                     {59, 3, 30, 31, 29, 0, 12, 13, 58, 40, 41, 39}};
    static const int most_made[] = {12, 13, 12};
    (void)state;
    VSNode clip = clip_of(cfYUV, 10, 1, 1, 12, 8);
    struct ksr_processor_config config = plain();
    const VSFrame *wanted[FRAMES];
    VSMap in = settings(&clip);
    config.pipeline.enable_temporal = true;
    add(&in, "enable_temporal")->whole = 1;
    add(&in, "temporal_weight")->number = config.pipeline.temporal_weight = 0.5;
    add(&in, "motion_threshold")->number = config.pipeline.motion_threshold = 1;
    upscale_from(0, &clip, &config, "yuv420p10", NULL, wanted);
    for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); k++) {
        VSNode *filter = open_filter(&in);
        frames_made = 0;
        for (int i = 0; i < 12; i++) {
            const VSFrame *f = frame_of(filter, &clip, orders[k][i], NULL);
            assert_equal_frames(f, wanted[orders[k][i]]);
            free_frame(f);
        }
        assert_true(frames_made <= most_made[k]);

        close_filter(filter);
    }
    free_frames(wanted, 0);
}

static struct tags full(int n)
{
    (void)n;
    return (struct tags){.range = 0, .matrix = 1, .location = 2, .field = 0};
}

static struct tags full_h273(int n)
{
    struct tags tags = full(n);
    tags.h273 = true;
    return tags;
}

static struct tags changing(int n)
{
    return (struct tags){.range = n < 20, .matrix = 1, .location = 0, .field = -1};
}

static struct tags interlaced(int n)
{
    return (struct tags){-1, -1, -1, n == 4 ? 2 : 0, false};
}

static void tags_are_read_and_written(void **state)
{
    (void)state;
    VSNode clip = clip_of(cfYUV, 8, 1, 1, 12, 8);
    struct ksr_processor_config config = plain();
    const VSFrame *limited[FRAMES], *wide[FRAMES];
    VSMap in = settings(&clip);
    add(&in, "contrast_boost")->number = config.pipeline.contrast_boost = 1.5;
    upscale_from(0, &clip, &config, "yuv420p", "limited", limited);
    clip.tag = full;
    upscale_from(0, &clip, &config, "yuv420p", "full", wide);
    for (int h273 = 0; h273 < 2; h273++) {
        clip.tag = h273 ? full_h273 : full;
        VSNode *filter = open_filter(&in);
        const VSFrame *f = frame_of(filter, &clip, 1, NULL);
        assert_int_equal(map_int(&f->properties, "_ColorRange", 0, NULL), h273);
        assert_int_equal(map_int(&f->properties, "_Matrix", 0, NULL), 1);
        assert_int_equal(map_int(&f->properties, "_ChromaLocation", 0, NULL), 2);
        assert_memory_equal(f->data[0], wide[1]->data[0], 24);
        assert_memory_not_equal(f->data[0], limited[1]->data[0], 24);
        free_frame(f);
        close_filter(filter);
    }
    free_frames(limited, 0);
    free_frames(wide, 0);
}

// A player takes BT.601 for 640x360 and BT.709 for 1280x720.
static void a_matrix_that_is_guessed_by_size_is_written(void **state)
{
    (void)state;
    VSNode clip = clip_of(cfYUV, 8, 1, 1, 640, 360);
    const VSMap in = settings(&clip);
    VSNode *filter = open_filter(&in);
    const VSFrame *f = frame_of(filter, &clip, 0, NULL);
    assert_int_equal(map_int(&f->properties, "_Matrix", 0, NULL), 6);
    free_frame(f);
    close_filter(filter);
}

// Limited before frame 20, full from there on.
static void tags_that_change_begin_anew(void **state)
{
    static const int orders[][6] = {{17, 18, 19, 20, 21, 22}, {22, 21, 18, 20, 17, 19}};
    (void)state;
    VSNode clip = clip_of(cfYUV, 8, 1, 1, 12, 8);
    struct ksr_processor_config config = plain();
    const VSFrame *before[FRAMES], *after[FRAMES];
    VSMap in = settings(&clip);
    config.pipeline.enable_temporal = true;
    add(&in, "enable_temporal")->whole = 1;
    add(&in, "motion_threshold")->number = config.pipeline.motion_threshold = 1;
    add(&in, "temporal_weight")->number = config.pipeline.temporal_weight = 0.5;
    add(&in, "contrast_boost")->number = config.pipeline.contrast_boost = 1.5;
    upscale_from(0, &clip, &config, "yuv420p", "limited", before);
    upscale_from(20, &clip, &config, "yuv420p", "full", after);
    clip.tag = changing;
    for (int k = 0; k < 2; k++) {
        VSNode *filter = open_filter(&in);
        for (int i = 0; i < 6; i++) {
            const int n = orders[k][i];
            const VSFrame *f = frame_of(filter, &clip, n, NULL);
            assert_equal_frames(f, n < 20 ? before[n] : after[n]);
            free_frame(f);
        }
        close_filter(filter);
    }
    free_frames(before, 0);
    free_frames(after, 20);
}

static void what_cannot_be_is_refused(void **state)
{
    char error[512];
    (void)state;
    VSNode clip = clip_of(cfYUV, 8, 1, 1, 12, 8);
    VSMap in = settings(&clip);
    add(&in, "scale")->whole = 3;
    refuse(&in, "Upscale: scale must be 2 or 4");
    in = settings(&clip);
    add(&in, "threads")->whole = 0;
    refuse(&in, "Upscale: threads must be 1 to 64");
    in = settings(&clip);
    add(&in, "sharpening")->number = 2.5;
    refuse(&in, "Upscale: sharpening: '2.500000000' is not valid (0 to 2)");
    in = settings(&clip);
    add(&in, "model")->text = "auto";
    refuse(&in, "Upscale: ai_model_path: 'auto' is for files (name a network)");
    in = settings(&clip);
    add(&in, "model")->text = "nothing-like-it";
    refuse(&in, "Upscale: model not found: nothing-like-it");
    clip.fails = true;
    in = settings(&clip);
    refuse(&in, "Upscale: the source fails");
    clip = clip_of(cfYUV, 8, 1, 1, 12, 8);
    clip.info.format.sampleType = stFloat;
    refuse(&in, "Upscale: the clip must have one size and one format of 8 to 16 bit integers");
    clip = clip_of(cfGray, 32, 0, 0, 12, 8);
    refuse(&in, "Upscale: the clip must have one size and one format of 8 to 16 bit integers");
    clip = clip_of(cfGray, 8, 0, 0, 0, 0);
    refuse(&in, "Upscale: the clip must have one size and one format of 8 to 16 bit integers");
    clip = clip_of(cfYUV, 11, 1, 1, 12, 8);
    refuse(&in, "Upscale: pixel_format: 'yuv420p11' is not a pixel format");
    clip = clip_of(cfGray, 8, 0, 0, 12, 8);
    clip.tag = interlaced;
    VSNode *filter = open_filter(&in);
    assert_null(frame_of(filter, &clip, 4, error));
    assert_string_equal(
        error, "Upscale: a frame is interlaced (deinterlace before, or std.SetFieldBased(0))");
    const VSFrame *f = frame_of(filter, &clip, 5, NULL);
    assert_non_null(f);
    free_frame(f);
    close_filter(filter);
}

static int check_nothing_kept(void **state)
{
    (void)state;
    return frames_alive;
}

#define TEST(test) cmocka_unit_test_teardown(test, check_nothing_kept)

int main(int argc, char **argv)
{
    static const VSPLUGINAPI plugin_api = {.configPlugin = config_plugin,
                                           .registerFunction = register_function};
    const struct CMUnitTest tests[] = {
        TEST(settings_are_arguments),
        TEST(frames_are_those_of_the_library),
        TEST(networks_run),
        TEST(temporal_frames_do_not_depend_on_the_order),
        TEST(tags_are_read_and_written),
        TEST(a_matrix_that_is_guessed_by_size_is_written),
        TEST(tags_that_change_begin_anew),
        TEST(what_cannot_be_is_refused),
    };
    union {
        void *symbol;
        void (*function)(VSPlugin *plugin, const VSPLUGINAPI *api);
    } start;
    void *plugin = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    start.symbol = plugin ? dlsym(plugin, "VapourSynthPluginInit2") : NULL;
    if (!start.symbol) {
        fprintf(stderr, "usage: host PLUGIN.so (%s)\n", argc == 2 ? dlerror() : "no argument");
        return 2;
    }
    start.function(NULL, &plugin_api);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
