// GPUs that encode; see hardware.h.

#include "media/encode/hardware.h"

#include <dlfcn.h>
#include <libavutil/hwcontext.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

// --- Frames ---

// The pixel format that stands for frames of a device; AV_PIX_FMT_NONE: the encoder takes none.
static enum AVPixelFormat find_device_format(const AVCodec *codec, int device)
{
    const AVCodecHWConfig *config;
    for (int i = 0; (config = avcodec_get_hw_config(codec, i)); i++)
        if ((int)config->device_type == device &&
            (config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_FRAMES_CTX))
            return config->pix_fmt;
    return AV_PIX_FMT_NONE;
}

static int open_device(int type, AVBufferRef **device)
{
    ksr_ffmpeg_keep_more(true);
    const int result = av_hwdevice_ctx_create(device, (enum AVHWDeviceType)type, NULL, NULL, 0);
    ksr_ffmpeg_keep_more(false);
    return result;
}

int ksr_hardware_prepare(const struct ksr_codec *codec, AVCodecContext *c)
{
    AVBufferRef *device = NULL, *frames = NULL;
    const enum AVPixelFormat format = find_device_format(c->codec, codec->device);
    if (!codec->uploads)
        return 0;
    int result = open_device(codec->device, &device);
    if (result >= 0 && !(frames = av_hwframe_ctx_alloc(device)))
        result = AVERROR(ENOMEM);
    if (result >= 0) {
        AVHWFramesContext *pool = (AVHWFramesContext *)frames->data;
        pool->format = format;
        pool->sw_format = c->pix_fmt;
        pool->width = c->width;
        pool->height = c->height;
        result = av_hwframe_ctx_init(frames);
    }
    if (result >= 0) {
        c->sw_pix_fmt = c->pix_fmt;
        c->pix_fmt = format;
        c->hw_frames_ctx = frames;
        frames = NULL;
    }
    av_buffer_unref(&frames);
    av_buffer_unref(&device);
    return result;
}

enum AVPixelFormat ksr_hardware_format(const AVCodecContext *c)
{
    return c->hw_frames_ctx ? c->sw_pix_fmt : c->pix_fmt;
}

int ksr_hardware_upload(const AVCodecContext *c, const AVFrame *frame, AVFrame **out)
{
    *out = av_frame_alloc();
    int result = *out ? av_hwframe_get_buffer(c->hw_frames_ctx, *out, 0) : AVERROR(ENOMEM);
    if (result >= 0)
        result = av_hwframe_transfer_data(*out, frame, 0);
    if (result >= 0)
        result = av_frame_copy_props(*out, frame);
    if (result < 0)
        av_frame_free(out);
    return result;
}

// --- Identity ---

// The first line of a file of the system; empty where there is none.
static void read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    line[0] = 0;
    if (file && !fgets(line, (int)size, file))
        line[0] = 0;
    if (file)
        fclose(file);
    line[strcspn(line, "\r\n")] = 0;
}

// The PCI numbers of the first GPU, which FFmpeg tries first.
static void read_pci(char out[32])
{
    char vendor[12], device[12], path[64];
    out[0] = 0;
    for (int i = 128; i < 192 && !out[0]; i++) {
        snprintf(path, sizeof(path), "/sys/class/drm/renderD%d/device/vendor", i);
        read_line(path, vendor, sizeof(vendor));
        snprintf(path, sizeof(path), "/sys/class/drm/renderD%d/device/device", i);
        read_line(path, device, sizeof(device));
        if (strlen(vendor) > 2 && strlen(device) > 2)
            snprintf(out, 32, "%s:%s", vendor + 2, device + 2);
    }
}

// *function: of a library that is there wherever its GPU can be used. Its handle is kept: such
// libraries are not made for being closed.
static bool find_function(const char *library, const char *name, void *function)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void *found = handle ? dlsym(handle, name) : NULL;
    memcpy(function, &found, sizeof(found)); // ISO C has no cast from one to the other
    return found != NULL;
}

static void name_nvidia(const char *gpu, char *out, size_t size)
{
    static const char library[] = "libcuda.so.1";
    int (*init)(unsigned), (*get)(int *, int), (*name)(char *, int, int), (*version)(int *);
    char text[128] = "", driver[64];
    int device, number = 0;
    if (!find_function(library, "cuInit", &init) || !find_function(library, "cuDeviceGet", &get) ||
        !find_function(library, "cuDeviceGetName", &name) ||
        !find_function(library, "cuDriverGetVersion", &version) || init(0) != 0 ||
        get(&device, gpu && atoi(gpu) > 0 ? atoi(gpu) : 0) != 0 ||
        name(text, sizeof(text), device) != 0)
        return;
    read_line("/sys/module/nvidia/version", driver, sizeof(driver));
    if (!driver[0] && version(&number) == 0) // as in WSL
        snprintf(driver, sizeof(driver), "for CUDA %d.%d", number / 1000, number % 1000 / 10);
    snprintf(out, size, "%s, driver %s", text, driver[0] ? driver : "unknown");
}

static void name_vaapi(char *out, size_t size)
{
    const char *(*vendor)(void *);
    AVBufferRef *device = NULL;
    char pci[32];
    if (open_device(AV_HWDEVICE_TYPE_VAAPI, &device) < 0)
        return;
    // The first member of AVVAAPIDeviceContext, whose header needs that of libva.
    void *display = *(void **)((AVHWDeviceContext *)device->data)->hwctx;
    const char *text =
        find_function("libva.so.2", "vaQueryVendorString", &vendor) ? vendor(display) : NULL;
    read_pci(pci);
    snprintf(out, size, "%s (%s)", text ? text : "unknown driver", pci[0] ? pci : "unknown GPU");
    av_buffer_unref(&device);
}

static void name_amd(char *out, size_t size)
{
    int (*version)(uint64_t *);
    uint64_t number;
    char pci[32];
    if (!find_function("libamfrt64.so.1", "AMFQueryVersion", &version) || version(&number) != 0)
        return;
    read_pci(pci);
    snprintf(out, size, "AMF %d.%d.%d.%d (%s)", (int)(number >> 48), (int)(number >> 32 & 0xffff),
             (int)(number >> 16 & 0xffff), (int)(number & 0xffff), pci[0] ? pci : "unknown GPU");
}

// Where chip and driver come with the operating system.
static void name_system(char *out, size_t size)
{
    struct utsname system;
    if (uname(&system) == 0)
        snprintf(out, size, "%s %s, %s", system.sysname, system.release, system.machine);
}

void ksr_hardware_identity(const struct ksr_codec *codec, const char *gpu, char *out, size_t size)
{
    out[0] = 0;
    if (!codec->hardware)
        return;
    snprintf(out, size, "unknown");
    switch (codec->driver) {
    case KSR_DRIVER_NVIDIA: name_nvidia(gpu, out, size); break;
    case KSR_DRIVER_VAAPI: name_vaapi(out, size); break;
    case KSR_DRIVER_AMD: name_amd(out, size); break;
    case KSR_DRIVER_SYSTEM: name_system(out, size); break;
    }
}
