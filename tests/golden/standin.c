// The program with encoders in hardware that need none: a stand-in for GPUs.
//
// Linked with --wrap around the functions of FFmpeg that open and run an encoder. One of another
// wrapper than "lib..." in STANDIN (nvenc, qsv or vaapi) gets its options from FFmpeg's own table,
// as the real one does, says what it was opened with in the file STANDIN_LOG, and encodes with
// libx264 or libx265. Frames of a VAAPI device are kept in memory: what was not uploaded is
// refused. STANDIN_GPU is what the GPU and its driver are called; without it, they are looked for
// in the folder STANDIN_ROOT.

#include "media/encode/hardware.h"

#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPEN 16

// Encoders that stand in, by the context that the program knows. Slots are taken on one thread at a
// time (--workers 1).
static struct pair {
    const AVCodecContext *outer;
    AVCodecContext *inner;
} pairs[MAX_OPEN];

int __real_avcodec_open2(AVCodecContext *c, const AVCodec *codec, AVDictionary **options);
int __real_avcodec_send_frame(AVCodecContext *c, const AVFrame *frame);
int __real_avcodec_receive_packet(AVCodecContext *c, AVPacket *packet);
void __real_avcodec_free_context(AVCodecContext **c);

static struct pair *find(const AVCodecContext *outer)
{
    for (int i = 0; i < MAX_OPEN; i++)
        if (pairs[i].outer == outer)
            return &pairs[i];
    return NULL;
}

static bool stands_in(const AVCodec *codec)
{
    const char *wrapper = getenv("STANDIN");
    return av_codec_is_encoder(codec) && wrapper && codec->wrapper_name &&
           strcmp(codec->wrapper_name, wrapper) == 0;
}

// As avcodec_open2() does, from the encoder's real table.
static int set_options(AVCodecContext *c, AVDictionary **options, FILE *log)
{
    const AVDictionaryEntry *e = NULL;
    while ((e = av_dict_get(*options, "", e, AV_DICT_IGNORE_SUFFIX))) {
        const int result = av_opt_set(c, e->key, e->value, AV_OPT_SEARCH_CHILDREN);
        fprintf(log, " %s=%s", e->key, e->value);
        if (result < 0) {
            fprintf(log, " refused\n");
            return result;
        }
    }
    av_dict_free(options);
    return 0;
}

static int quality_of(AVCodecContext *c)
{
    static const char *const names[] = {"cq", "qp"};
    double value = c->global_quality;
    for (int i = 0; i < 2; i++)
        if (av_opt_find(c->priv_data, names[i], NULL, 0, 0))
            av_opt_get_double(c->priv_data, names[i], 0, &value);
    return (int)value;
}

static int open_inner(AVCodecContext *c, AVCodecContext **out)
{
    const bool hevc = c->codec_id == AV_CODEC_ID_HEVC;
    const AVCodec *codec = avcodec_find_encoder_by_name(hevc ? "libx265" : "libx264");
    AVCodecContext *inner = *out = avcodec_alloc_context3(codec);
    const enum AVPixelFormat format = c->hw_frames_ctx ? c->sw_pix_fmt : c->pix_fmt;
    inner->width = c->width;
    inner->height = c->height;
    inner->pix_fmt = format == AV_PIX_FMT_NV12     ? AV_PIX_FMT_YUV420P
                     : format == AV_PIX_FMT_P010LE ? AV_PIX_FMT_YUV420P10LE
                                                   : format;
    inner->time_base = c->time_base;
    inner->framerate = c->framerate;
    inner->color_range = c->color_range;
    inner->colorspace = c->colorspace;
    inner->color_primaries = c->color_primaries;
    inner->color_trc = c->color_trc;
    inner->chroma_sample_location = c->chroma_sample_location;
    inner->sample_aspect_ratio = c->sample_aspect_ratio;
    inner->flags = c->flags & ~AV_CODEC_FLAG_QSCALE;
    inner->bit_rate = c->bit_rate;
    inner->thread_count = 1;
    av_opt_set(inner->priv_data, "preset", "ultrafast", 0);
    if (c->bit_rate == 0)
        av_opt_set_double(inner->priv_data, "crf", quality_of(c), 0);
    if (hevc)
        av_opt_set(inner->priv_data, "x265-params", "log-level=none", 0);
    return __real_avcodec_open2(inner, codec, NULL);
}

static const char *name_of(const AVBufferRef *device)
{
    return *(const char **)((const AVHWDeviceContext *)device->data)->hwctx;
}

int __wrap_avcodec_open2(AVCodecContext *c, const AVCodec *codec, AVDictionary **options)
{
    struct pair *p = find(NULL);
    if (!codec || !stands_in(codec) || !p)
        return __real_avcodec_open2(c, codec, options);
    const AVHWFramesContext *frames =
        c->hw_frames_ctx ? (AVHWFramesContext *)c->hw_frames_ctx->data : NULL;
    FILE *log = fopen(getenv("STANDIN_LOG"), "a");
    if (getenv("STANDIN_ROOT") && (c->hw_device_ctx || frames))
        fprintf(log, "%s: ", name_of(c->hw_device_ctx ? c->hw_device_ctx : frames->device_ref));
    fprintf(log, "%s %s %s %dx%d:", codec->name, av_get_pix_fmt_name(c->pix_fmt),
            frames ? av_get_pix_fmt_name(frames->sw_format) : "-", c->width, c->height);
    int result = set_options(c, options, log);
    if (result >= 0) {
        fprintf(log, " global_quality=%d b=%d\n", c->global_quality, (int)c->bit_rate);
        result = open_inner(c, &p->inner);
    }
    fclose(log);
    if (result < 0) {
        __real_avcodec_free_context(&p->inner);
        return result;
    }
    p->outer = c;
    c->has_b_frames = p->inner->has_b_frames;
    c->extradata_size = p->inner->extradata_size;
    c->extradata = av_mallocz((size_t)c->extradata_size + AV_INPUT_BUFFER_PADDING_SIZE);
    memcpy(c->extradata, p->inner->extradata, (size_t)c->extradata_size);
    return 0;
}

// --- Frames ---

static void copy_plane(const AVFrame *from, int plane, int step, int first, int bytes, int shift,
                       AVFrame *to, int to_plane)
{
    const int sub = plane > 0;
    const int width = (from->width + sub) >> sub, height = (from->height + sub) >> sub;
    for (int y = 0; y < height; y++) {
        const uint8_t *in = from->data[plane] + y * from->linesize[plane];
        uint8_t *out = to->data[to_plane] + y * to->linesize[to_plane];
        for (int x = 0; x < width; x++) {
            if (bytes == 1)
                out[x] = in[x * step + first];
            else
                ((uint16_t *)(void *)out)[x] =
                    ((const uint16_t *)(const void *)in)[x * step + first] >> shift;
        }
    }
}

// nv12 and p010le as planes.
static AVFrame *unpack(const AVFrame *from, enum AVPixelFormat format)
{
    const int bytes = from->format == AV_PIX_FMT_P010LE ? 2 : 1;
    AVFrame *to = av_frame_alloc();
    if ((enum AVPixelFormat)from->format == format) {
        av_frame_ref(to, from);
        return to;
    }
    to->format = format;
    to->width = from->width;
    to->height = from->height;
    av_frame_get_buffer(to, 0);
    av_frame_copy_props(to, from);
    copy_plane(from, 0, 1, 0, bytes, 6, to, 0);
    copy_plane(from, 1, 2, 0, bytes, 6, to, 1);
    copy_plane(from, 1, 2, 1, bytes, 6, to, 2);
    return to;
}

int __wrap_avcodec_send_frame(AVCodecContext *c, const AVFrame *frame)
{
    const struct pair *p = find(c);
    if (!p || !frame)
        return __real_avcodec_send_frame(p ? p->inner : c, frame);
    if (frame->format != c->pix_fmt || (c->hw_frames_ctx && !frame->hw_frames_ctx))
        return AVERROR(EINVAL);
    AVFrame *planes = unpack(c->hw_frames_ctx ? (const AVFrame *)(void *)frame->data[3] : frame,
                             p->inner->pix_fmt);
    planes->pts = frame->pts;
    const int result = __real_avcodec_send_frame(p->inner, planes);
    av_frame_free(&planes);
    return result;
}

int __wrap_avcodec_receive_packet(AVCodecContext *c, AVPacket *packet)
{
    const struct pair *p = find(c);
    return __real_avcodec_receive_packet(p ? p->inner : c, packet);
}

void __wrap_avcodec_free_context(AVCodecContext **c)
{
    struct pair *p = c && *c ? find(*c) : NULL;
    if (p) {
        __real_avcodec_free_context(&p->inner);
        p->outer = NULL;
    }
    __real_avcodec_free_context(c);
}

// --- A machine ---

// In the folder STANDIN_ROOT, `dev/dri/renderD*` has the name of the node's driver, or is empty
// where that does not start, and `cuda` the names of NVIDIA's GPUs, one a line.
static const char *in_root(const char *path, char out[256])
{
    const char *root = getenv("STANDIN_ROOT");
    if (!root || (strncmp(path, "/dev/dri/", 9) != 0 && strncmp(path, "/sys/", 5) != 0 &&
                  strncmp(path, "/proc/sys/", 10) != 0))
        return path;
    snprintf(out, 256, "%s%s", root, path);
    return out;
}

int __real_access(const char *path, int mode);
FILE *__real_fopen(const char *path, const char *mode);
void *__real_dlopen(const char *name, int flags);
void *__real_dlsym(void *library, const char *name);

int __wrap_access(const char *path, int mode)
{
    char text[256];
    return __real_access(in_root(path, text), mode);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    char text[256];
    return __real_fopen(in_root(path, text), mode);
}

FILE *__wrap_fopen64(const char *path, const char *mode) // its name with _FILE_OFFSET_BITS
{
    return __wrap_fopen(path, mode);
}

// Line `number` of a file of the machine; empty where there is none.
static void read_root(const char *path, int number, char line[128])
{
    char text[256];
    snprintf(text, sizeof(text), "%s%s", getenv("STANDIN_ROOT"), path);
    FILE *file = __real_fopen(text, "r");
    line[0] = 0;
    for (int i = 0; file && i <= number; i++)
        if (!fgets(line, 128, file))
            line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    if (file)
        fclose(file);
}

static int cuda_init(unsigned flags)
{
    return (int)flags;
}

static int cuda_get(int *device, int number)
{
    char line[128];
    read_root("/cuda", *device = number, line);
    return line[0] ? 0 : 101;
}

static int cuda_name(char *out, int size, int device)
{
    char line[128];
    read_root("/cuda", device, line);
    snprintf(out, (size_t)size, "%s", line);
    return 0;
}

static int cuda_version(int *version)
{
    *version = 12040;
    return 0;
}

static int amf_version(uint64_t *version)
{
    *version = (uint64_t)1 << 48 | (uint64_t)4 << 32;
    return 0;
}

// The display of a stand-in is its driver's name.
static const char *va_vendor(void *display)
{
    return display;
}

static char driver[128];

void *__wrap_dlopen(const char *name, int flags)
{
    return getenv("STANDIN_ROOT") ? driver : __real_dlopen(name, flags);
}

void *__wrap_dlsym(void *library, const char *name)
{
    void *found = NULL;
    static const struct {
        const char *name;
        void (*function)(void);
    } all[] = {{"cuInit", (void (*)(void))cuda_init},
               {"cuDeviceGet", (void (*)(void))cuda_get},
               {"cuDeviceGetName", (void (*)(void))cuda_name},
               {"cuDriverGetVersion", (void (*)(void))cuda_version},
               {"AMFQueryVersion", (void (*)(void))amf_version},
               {"vaQueryVendorString", (void (*)(void))va_vendor}};
    if (library != driver)
        return __real_dlsym(library, name);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (strcmp(all[i].name, name) == 0)
            memcpy(&found, &all[i].function, sizeof(found));
    return found;
}

int __real_av_hwdevice_ctx_create(AVBufferRef **out, enum AVHWDeviceType type, const char *name,
                                  AVDictionary *options, int flags);

int __wrap_av_hwdevice_ctx_create(AVBufferRef **out, enum AVHWDeviceType type, const char *name,
                                  AVDictionary *options, int flags)
{
    const AVDictionaryEntry *child = av_dict_get(options, "child_device", NULL, 0);
    if (!getenv("STANDIN"))
        return __real_av_hwdevice_ctx_create(out, type, name, options, flags);
    if (getenv("STANDIN_ROOT")) {
        name = child ? child->value : name;
        read_root(name ? name : "/display", 0, driver);
        if (!driver[0])
            return AVERROR(EIO);
    }
    *out = av_hwdevice_ctx_alloc(type);
    if (*out)
        *(void **)((AVHWDeviceContext *)(*out)->data)->hwctx = driver;
    return *out ? 0 : AVERROR(ENOMEM);
}

int __wrap_av_hwframe_ctx_init(AVBufferRef *frames)
{
    const AVHWFramesContext *pool = (const AVHWFramesContext *)frames->data;
    const bool taken = pool->sw_format == AV_PIX_FMT_NV12 || pool->sw_format == AV_PIX_FMT_P010LE;
    return pool->format == AV_PIX_FMT_VAAPI && taken ? 0 : AVERROR(ENOSYS);
}

static void free_surface(void *opaque, uint8_t *data)
{
    AVFrame *surface = (AVFrame *)(void *)data;
    (void)opaque;
    av_frame_free(&surface);
}

int __wrap_av_hwframe_get_buffer(AVBufferRef *frames, AVFrame *frame, int flags)
{
    const AVHWFramesContext *pool = (const AVHWFramesContext *)frames->data;
    AVFrame *surface = av_frame_alloc();
    (void)flags;
    surface->format = pool->sw_format;
    surface->width = frame->width = pool->width;
    surface->height = frame->height = pool->height;
    av_frame_get_buffer(surface, 0);
    frame->format = pool->format;
    frame->data[3] = (uint8_t *)surface;
    frame->buf[0] = av_buffer_create((uint8_t *)surface, sizeof(*surface), free_surface, NULL, 0);
    frame->hw_frames_ctx = av_buffer_ref(frames);
    return 0;
}

int __wrap_av_hwframe_transfer_data(AVFrame *to, const AVFrame *from, int flags)
{
    (void)flags;
    return to->hw_frames_ctx ? av_frame_copy((AVFrame *)(void *)to->data[3], from)
                             : AVERROR(EINVAL);
}

void __real_ksr_hardware_identity(const struct ksr_codec *codec, const char *gpu, char *out,
                                  size_t size);

void __wrap_ksr_hardware_identity(const struct ksr_codec *codec, const char *gpu, char *out,
                                  size_t size)
{
    const char *name = codec->hardware ? getenv("STANDIN_GPU") : NULL;
    if (name)
        snprintf(out, size, "%s", name);
    else
        __real_ksr_hardware_identity(codec, gpu, out, size);
}
