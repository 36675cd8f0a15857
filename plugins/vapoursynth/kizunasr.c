// VapourSynth: core.kizunasr.Upscale(clip, scale=2, model=None, sharpening=0.0, ...).
//
// A filter over the library's frame interface (kizunasr/upscaler.h), with public headers alone. Its
// arguments are made from the library's own list of settings, so a new stage parameter appears by
// itself.
//
// VapourSynth asks for frames in any order. Without the temporal stage each is made on its own.
// With it a frame depends on those before: they are requested along with it and shown to the stage
// first unless it has just seen them, so that frame n is always the one of a run from the start.
// Mostly, frames come nearly in order; those in between are then made for good and kept for who
// asks next.

#include <VapourSynth4.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kizunasr/kizunasr.h>

#define MOST_KEPT 8
#define PLANES    3
#define NEVER     (-2) // no frame is before any other

// What frames say of themselves; -1: nothing.
struct tags {
    int range, matrix, location;
};

struct kept {
    const VSFrame *frame; // NULL: free
    int number;
};

struct filter {
    const VSAPI *api;
    VSCore *core;
    VSNode *node;
    VSVideoInfo info; // of the output
    int warmup;
    // Below: used by one thread at a time, as fmParallelRequests has it.
    ksr_context *ctx;
    ksr_config *config;
    ksr_upscaler *upscaler;
    struct ksr_run_options options;
    char *texts[2]; // of the options, owned
    int input_width, input_height;
    char pixel_format[32];
    struct tags tags; // of the frames that the upscaler is for
    int last;         // number of the frame that it has seen last
    struct kept kept[MOST_KEPT];
    int next_kept;
    char error[512];
};

// --- Messages ---

static void take_message(void *opaque, ksr_log_level level, const char *message)
{
    struct filter *f = opaque;
    char line[600];
    if (level == KSR_LOG_ERROR)
        snprintf(f->error, sizeof(f->error), "Upscale: %s", message);
    if (level != KSR_LOG_WARNING)
        return;
    snprintf(line, sizeof(line), "kizunasr: %s", message);
    f->api->logMessage(mtWarning, line, f->core);
}

static bool fail(struct filter *f, const char *text)
{
    snprintf(f->error, sizeof(f->error), "Upscale: %s", text);
    return false;
}

static bool succeeds(struct filter *f, ksr_status status)
{
    if (status != KSR_OK && !f->error[0])
        fail(f, ksr_status_name(status));
    return status == KSR_OK;
}

// --- Formats ---

// Writes FFmpeg's name of a format. Returns whether there may be one.
static bool name_format(const VSVideoFormat *v, char *out, size_t size)
{
    static const char *const shapes[3][3] = {
        {"444", "440", NULL}, {"422", "420", NULL}, {"411", NULL, "410"}};
    char bits[8] = "";
    if (v->sampleType != stInteger || v->bitsPerSample < 8 || v->bitsPerSample > 16)
        return false;
    if (v->bitsPerSample > 8)
        snprintf(bits, sizeof(bits), "%d", v->bitsPerSample);
    if (v->colorFamily == cfGray)
        snprintf(out, size, "gray%s", bits);
    else if (v->colorFamily == cfRGB)
        snprintf(out, size, "gbrp%s", bits);
    else if (v->colorFamily == cfYUV && v->subSamplingW <= 2 && v->subSamplingH <= 2 &&
             shapes[v->subSamplingW][v->subSamplingH])
        snprintf(out, size, "yuv%sp%s", shapes[v->subSamplingW][v->subSamplingH], bits);
    else
        return false;
    return true;
}

static const char *const locations[] = {"left", "center", "topleft", "top", "bottomleft", "bottom"};

// FFmpeg's names of the numbers of ITU-T H.273.
static const char *const matrices[] = {"gbr",
                                       "bt709",
                                       NULL,
                                       NULL,
                                       "fcc",
                                       "bt470bg",
                                       "smpte170m",
                                       "smpte240m",
                                       "ycgco",
                                       "bt2020nc",
                                       "bt2020c",
                                       "smpte2085",
                                       "chroma-derived-nc",
                                       "chroma-derived-c",
                                       "ictcp"};

static int find_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; name && i < count; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int read_property(const struct filter *f, const VSMap *map, const char *name, int most)
{
    int error = 0;
    const int64_t value = f->api->mapGetInt(map, name, 0, &error);
    return error || value < 0 || value > most ? -1 : (int)value;
}

// 0: full, 1: limited, as _ColorRange has it. _Range, which comes in its place since 2026, has
// H.273's numbers.
static int read_range(const struct filter *f, const VSMap *map)
{
    const int full = read_property(f, map, "_Range", 1);
    return full < 0 ? read_property(f, map, "_ColorRange", 1) : 1 - full;
}

static struct tags read_tags(const struct filter *f, const VSFrame *frame)
{
    const VSMap *map = f->api->getFramePropertiesRO(frame);
    struct tags tags = {.range = read_range(f, map),
                        .matrix = read_property(f, map, "_Matrix", (int)COUNT(matrices) - 1),
                        .location =
                            read_property(f, map, "_ChromaLocation", (int)COUNT(locations) - 1)};
    if (tags.matrix >= 0 && !matrices[tags.matrix])
        tags.matrix = -1;
    if (f->info.format.colorFamily != cfYUV)
        tags.matrix = tags.location = -1;
    if (f->info.format.colorFamily == cfRGB)
        tags.range = -1;
    return tags;
}

static bool same_tags(struct tags a, struct tags b)
{
    return a.range == b.range && a.matrix == b.matrix && a.location == b.location;
}

// Makes the upscaler for frames with these tags.
static bool open_upscaler(struct filter *f, struct tags tags)
{
    const struct ksr_frame_format format = {
        .width = f->input_width,
        .height = f->input_height,
        .pixel_format = f->pixel_format,
        .range = tags.range < 0    ? NULL
                 : tags.range == 0 ? "full"
                                   : "limited",
        .matrix = tags.matrix < 0 ? NULL : matrices[tags.matrix],
        .chroma_location = tags.location < 0 ? NULL : locations[tags.location]};
    ksr_upscaler_destroy(&f->upscaler);
    f->tags = tags;
    f->last = NEVER;
    return succeeds(f, ksr_upscaler_create(&f->upscaler, f->ctx, ksr_config_get(f->config), &format,
                                           &f->options));
}

// --- Frames ---

static struct ksr_frame_planes planes_of(const struct filter *f, const VSFrame *read,
                                         VSFrame *write)
{
    static const int order[2][PLANES] = {{0, 1, 2}, {1, 2, 0}}; // RGB is G, B, R in FFmpeg
    const VSVideoFormat *format = &f->info.format;
    struct ksr_frame_planes out = {0};
    for (int i = 0; i < format->numPlanes; i++) {
        const int plane = order[format->colorFamily == cfRGB][i];
        // The library only reads those that come in.
        out.plane[i] = write ? f->api->getWritePtr(write, plane)
                             : (void *)(uintptr_t)f->api->getReadPtr(read, plane);
        out.stride[i] = f->api->getStride(write ? write : read, plane);
    }
    return out;
}

// Tags that the output has and the input had not: players would guess the matrix by the size.
static void write_tags(const struct filter *f, VSFrame *frame)
{
    const struct ksr_frame_format *output = &ksr_upscaler_info(f->upscaler)->output;
    const int matrix = find_name(matrices, COUNT(matrices), output->matrix);
    if (f->tags.matrix < 0 && matrix >= 0 && f->info.format.colorFamily == cfYUV)
        f->api->mapSetInt(f->api->getFramePropertiesRW(frame), "_Matrix", matrix, maReplace);
}

// Makes frame `number`. Returns NULL after a failure.
static const VSFrame *make_frame(struct filter *f, int number, const VSFrame *source)
{
    VSFrame *made =
        f->api->newVideoFrame(&f->info.format, f->info.width, f->info.height, source, f->core);
    const struct ksr_frame_planes in = planes_of(f, source, NULL), out = planes_of(f, NULL, made);
    f->last = NEVER;
    if (!succeeds(f, ksr_upscaler_frame(f->upscaler, number, &in, &out))) {
        f->api->freeFrame(made);
        return NULL;
    }
    f->last = number;
    write_tags(f, made);
    return made;
}

static bool warm_up(struct filter *f, int number, const VSFrame *source)
{
    const struct ksr_frame_planes in = planes_of(f, source, NULL);
    f->last = NEVER;
    if (!succeeds(f, ksr_upscaler_warm_up(f->upscaler, number, &in)))
        return false;
    f->last = number;
    return true;
}

static void keep(struct filter *f, int number, const VSFrame *frame)
{
    struct kept *k = &f->kept[f->next_kept];
    f->next_kept = (f->next_kept + 1) % MOST_KEPT;
    if (k->frame)
        f->api->freeFrame(k->frame);
    *k = (struct kept){frame, number};
}

static const VSFrame *take_kept(struct filter *f, int number)
{
    for (int i = 0; i < MOST_KEPT; i++)
        if (f->kept[i].frame && f->kept[i].number == number) {
            const VSFrame *frame = f->kept[i].frame;
            f->kept[i].frame = NULL;
            return frame;
        }
    return NULL;
}

// Whether frames `first` to `number` have the tags of the upscaler, and of those before from where.
static int first_alike(const struct filter *f, int number, int first, VSFrameContext *frames)
{
    int alike = number;
    for (int i = number - 1; i >= first && alike == i + 1; i--) {
        const VSFrame *source = f->api->getFrameFilter(i, f->node, frames);
        if (same_tags(read_tags(f, source), f->tags))
            alike = i;
        f->api->freeFrame(source);
    }
    return alike;
}

// Brings the temporal stage to where frame `number` is next.
static bool catch_up(struct filter *f, int number, VSFrameContext *frames)
{
    const int wanted = number > f->warmup ? number - f->warmup : 0;
    const int first = first_alike(f, number, wanted, frames);
    // What was left out by who asks nearly in order.
    const bool near = f->last >= first - 1 && f->last < number && number - f->last <= MOST_KEPT;
    bool ok = true;
    for (int i = near ? f->last + 1 : first; ok && i < number; i++) {
        const VSFrame *source = f->api->getFrameFilter(i, f->node, frames);
        if (near) {
            const VSFrame *made = make_frame(f, i, source);
            ok = made != NULL;
            if (made)
                keep(f, i, made);
        } else {
            ok = warm_up(f, i, source);
        }
        f->api->freeFrame(source);
    }
    return ok;
}

static bool is_interlaced(const struct filter *f, const VSFrame *source)
{
    return read_property(f, f->api->getFramePropertiesRO(source), "_FieldBased", 2) > 0;
}

static const VSFrame *upscale(struct filter *f, int number, const VSFrame *source,
                              VSFrameContext *frames)
{
    const struct tags tags = read_tags(f, source);
    f->error[0] = '\0';
    if (is_interlaced(f, source)) {
        fail(f, "a frame is interlaced (deinterlace before, or std.SetFieldBased(0))");
        return NULL;
    }
    if ((!f->upscaler || !same_tags(tags, f->tags)) && !open_upscaler(f, tags))
        return NULL;
    if (f->warmup > 0 && f->last != number - 1 && !catch_up(f, number, frames))
        return NULL;
    return make_frame(f, number, source);
}

static const VSFrame *VS_CC get_frame(int n, int reason, void *data, void **frame_data,
                                      VSFrameContext *frames, VSCore *core, const VSAPI *api)
{
    struct filter *f = data;
    (void)frame_data;
    (void)core;
    if (reason == arInitial)
        for (int i = n > f->warmup ? n - f->warmup : 0; i <= n; i++)
            api->requestFrameFilter(i, f->node, frames);
    if (reason != arAllFramesReady)
        return NULL;
    const VSFrame *made = take_kept(f, n);
    if (made)
        return made;
    const VSFrame *source = api->getFrameFilter(n, f->node, frames);
    made = upscale(f, n, source, frames);
    api->freeFrame(source);
    if (!made)
        api->setFilterError(f->error, frames);
    return made;
}

// --- Arguments ---

// Settings that are arguments under their own names; `scale`, `model` and what is about files are
// not.
static bool is_argument(const struct ksr_config_field *field)
{
    static const char *const others[] = {"shader_scale", "ai_scale",    "ai_model_path",
                                         "ai_fallback",  "deinterlace", "inverse_telecine",
                                         "crop",         "rotate",      "film_grain"};
    for (size_t i = 0; i < COUNT(others); i++)
        if (strcmp(others[i], field->name) == 0)
            return false;
    return strcmp(field->object, "pipeline") == 0;
}

static const char *type_of(const struct ksr_config_field *field)
{
    const bool whole = strcmp(field->type, "bool") == 0 || strcmp(field->type, "int") == 0;
    return whole ? "int" : strcmp(field->type, "number") == 0 ? "float" : "data";
}

static bool set_field(struct filter *f, const VSMap *in, const struct ksr_config_field *field)
{
    int missing = 0;
    char text[64];
    const char *value = text, *type = type_of(field);
    if (type[0] == 'i')
        snprintf(text, sizeof(text), "%lld",
                 (long long)f->api->mapGetInt(in, field->name, 0, &missing));
    else if (type[0] == 'f')
        snprintf(text, sizeof(text), "%.9f", f->api->mapGetFloat(in, field->name, 0, &missing));
    else
        value = f->api->mapGetData(in, field->name, 0, &missing);
    if (missing)
        return true;
    for (char *c = text; value == text && *c; c++) // whatever the locale is
        *c = *c == ',' ? '.' : *c;
    return succeeds(f, ksr_config_set(f->config, field->name, value));
}

static bool set(struct filter *f, const char *name, const char *value)
{
    return succeeds(f, ksr_config_set(f->config, name, value));
}

static bool read_settings(struct filter *f, const VSMap *in)
{
    size_t count;
    int no_scale, no_model;
    char scale[32];
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    const int64_t wanted = f->api->mapGetInt(in, "scale", 0, &no_scale);
    const char *model = f->api->mapGetData(in, "model", 0, &no_model);
    snprintf(scale, sizeof(scale), "%lld", no_scale ? 2 : (long long)wanted);
    if (strcmp(scale, "2") != 0 && strcmp(scale, "4") != 0)
        return fail(f, "scale must be 2 or 4");
    // denoise: its default is measured over a whole video.
    bool ok = set(f, "shader_scale", scale) && set(f, "ai_scale", scale) && set(f, "denoise", "0");
    if (ok && !no_model)
        ok = set(f, "use_ai", "true") && set(f, "ai_model_path", model);
    for (size_t i = 0; ok && i < count; i++)
        if (is_argument(&fields[i]))
            ok = set_field(f, in, &fields[i]);
    return ok;
}

static char *copy_text(const struct filter *f, const VSMap *in, const char *name)
{
    int missing;
    const char *text = f->api->mapGetData(in, name, 0, &missing);
    return missing ? NULL : strdup(text);
}

static bool read_options(struct filter *f, const VSMap *in)
{
    int missing;
    const int64_t threads = f->api->mapGetInt(in, "threads", 0, &missing);
    if (!missing && (threads < 1 || threads > 64))
        return fail(f, "threads must be 1 to 64");
    f->options.threads = missing ? 0 : (int)threads;
    f->options.device = f->texts[0] = copy_text(f, in, "device");
    f->options.onnxruntime_library = f->texts[1] = copy_text(f, in, "onnxruntime_library");
    return true;
}

// Makes the upscaler for the tags of the first frame, which most clips have throughout.
static bool open_first(struct filter *f)
{
    char reason[256] = "";
    const VSFrame *frame = f->api->getFrame(0, f->node, reason, sizeof(reason));
    if (!frame)
        return fail(f, reason);
    const struct tags tags = read_tags(f, frame);
    f->api->freeFrame(frame);
    if (!open_upscaler(f, tags))
        return false;
    if (ksr_config_get(f->config)->pipeline.composite > 0)
        return fail(f, "composite: needs the frames after each, which the plugin does not have");
    const struct ksr_upscaler_info *info = ksr_upscaler_info(f->upscaler);
    f->info.width = info->output.width;
    f->info.height = info->output.height;
    f->warmup = info->warmup;
    return true;
}

// --- Life ---

static void drop(struct filter *f)
{
    for (int i = 0; i < MOST_KEPT; i++)
        if (f->kept[i].frame)
            f->api->freeFrame(f->kept[i].frame);
    ksr_upscaler_destroy(&f->upscaler);
    ksr_config_destroy(&f->config);
    ksr_context_destroy(&f->ctx);
    f->api->freeNode(f->node);
    free(f->texts[0]);
    free(f->texts[1]);
    free(f);
}

static void VS_CC free_filter(void *data, VSCore *core, const VSAPI *api)
{
    (void)core;
    (void)api;
    drop(data);
}

static bool open_filter(struct filter *f, const VSMap *in)
{
    const struct ksr_callbacks callbacks = {.log = take_message, .opaque = f};
    f->info = *f->api->getVideoInfo(f->node);
    f->input_width = f->info.width;
    f->input_height = f->info.height;
    if (f->info.width <= 0 || f->info.height <= 0 ||
        !name_format(&f->info.format, f->pixel_format, sizeof(f->pixel_format)))
        return fail(f, "the clip must have one size and one format of 8 to 16 bit integers");
    if (!succeeds(f, ksr_context_create(&f->ctx, &callbacks)))
        return false;
    ksr_context_name_options(f->ctx, KSR_OPTIONS_AS_KEYWORDS);
    return succeeds(f, ksr_config_create(&f->config, f->ctx)) && read_settings(f, in) &&
           read_options(f, in) && open_first(f);
}

static void VS_CC create(const VSMap *in, VSMap *out, void *data, VSCore *core, const VSAPI *api)
{
    struct filter *f = calloc(1, sizeof(*f));
    (void)data;
    if (!f) {
        api->mapSetError(out, "Upscale: out of memory");
        return;
    }
    f->api = api;
    f->core = core;
    f->last = NEVER;
    f->node = api->mapGetNode(in, "clip", 0, NULL);
    if (!open_filter(f, in)) {
        api->mapSetError(out, f->error);
        drop(f);
        return;
    }
    const VSFilterDependency source = {f->node, f->warmup > 0 ? rpGeneral : rpStrictSpatial};
    api->createVideoFilter(out, "Upscale", &f->info, get_frame, free_filter, fmParallelRequests,
                           &source, 1, f, core);
}

VS_EXTERNAL_API(void) VapourSynthPluginInit2(VSPlugin *plugin, const VSPLUGINAPI *api);

VS_EXTERNAL_API(void) VapourSynthPluginInit2(VSPlugin *plugin, const VSPLUGINAPI *api)
{
    char arguments[4096] = "clip:vnode;scale:int:opt;model:data:opt;";
    size_t count;
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(arguments);
        if (is_argument(&fields[i]))
            snprintf(arguments + length, sizeof(arguments) - length, "%s:%s:opt;", fields[i].name,
                     type_of(&fields[i]));
    }
    strncat(arguments, "threads:int:opt;device:data:opt;onnxruntime_library:data:opt;",
            sizeof(arguments) - strlen(arguments) - 1);
    api->configPlugin("kizunasr.upscale", "kizunasr", "KizunaSR: deterministic upscaling of anime",
                      VS_MAKE_VERSION(KSR_VERSION_MAJOR, KSR_VERSION_MINOR),
                      VAPOURSYNTH_API_VERSION, 0, plugin);
    api->registerFunction("Upscale", arguments, "clip:vnode;", create, NULL, plugin);
}
