// GPUs that encode; see hardware.h.

#include "media/encode/hardware.h"

#include <dlfcn.h>
#include <libavutil/hwcontext.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/hash.h"

// Of render nodes, in the order in which they are tried.
#define FIRST_NODE 128
#define END_NODE   192

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

static int open_device(int type, const char *node, AVBufferRef **device)
{
    AVDictionary *options = NULL;
    int result = 0;
    if (node && type == AV_HWDEVICE_TYPE_QSV) { // it has a VAAPI device of its own
        result = av_dict_set(&options, "child_device_type", "vaapi", 0);
        if (result >= 0)
            result = av_dict_set(&options, "child_device", node, 0);
        node = NULL;
    }
    ksr_ffmpeg_keep_more(true);
    if (result >= 0)
        result = av_hwdevice_ctx_create(device, (enum AVHWDeviceType)type, node, options, 0);
    ksr_ffmpeg_keep_more(false);
    av_dict_free(&options);
    return result;
}

static void node_path(int number, char path[32])
{
    snprintf(path, 32, "/dev/dri/renderD%d", number);
}

// The first render node that opens, rather than the first there is: encoder and identity have the
// same one. *number: 0 = none does, and FFmpeg looks elsewhere (X11), or says why not.
static int open_first(int type, int *number, AVBufferRef **device)
{
    char path[32];
    for (*number = FIRST_NODE; *number < END_NODE; (*number)++) {
        node_path(*number, path);
        if (access(path, R_OK | W_OK) == 0 && open_device(type, path, device) >= 0)
            return 0;
    }
    *number = 0;
    return open_device(type, NULL, device);
}

int ksr_hardware_prepare(const struct ksr_codec *codec, AVCodecContext *c)
{
    AVBufferRef *device = NULL, *frames = NULL;
    const enum AVPixelFormat format = find_device_format(c->codec, codec->device);
    int number, result;
    if (!codec->device)
        return 0;
    result = open_first(codec->device, &number, &device);
    if (!codec->uploads) {
        c->hw_device_ctx = device; // NULL: the encoder looks for one, or says why not
        return 0;
    }
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

// The PCI numbers of a render node's GPU; empty where it has none. They name its model: where it is
// plugged in does not matter to the bytes.
static void read_pci(int number, char out[32])
{
    char vendor[12], device[12], path[64];
    snprintf(path, sizeof(path), "/sys/class/drm/renderD%d/device/vendor", number);
    read_line(path, vendor, sizeof(vendor));
    snprintf(path, sizeof(path), "/sys/class/drm/renderD%d/device/device", number);
    read_line(path, device, sizeof(device));
    out[0] = 0;
    if (strlen(vendor) > 2 && strlen(device) > 2)
        snprintf(out, 32, "%s:%s", vendor + 2, device + 2);
}

// Adds the next GPU's name, with a '+' between, unless it is that of the one before.
static void add_name(const char *name, char *names, size_t size)
{
    const size_t used = strlen(names);
    const char *last = strrchr(names, '+');
    if (strcmp(last ? last + 1 : names, name) != 0)
        snprintf(names + used, size - used, "%s%s", used ? "+" : "", name);
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

// gpu: NULL or negative: NVENC takes the first GPU that can do it, so all are named.
static void name_nvidia(const char *gpu, char *out, size_t size)
{
    static const char library[] = "libcuda.so.1";
    int (*init)(unsigned), (*get)(int *, int), (*name)(char *, int, int), (*version)(int *);
    char text[128], names[128] = "", driver[64];
    char *end = NULL;
    const long asked = gpu ? strtol(gpu, &end, 10) : -1;
    const int wanted = gpu && end != gpu && !*end ? (int)asked : -1; // "any", too
    int device, number = 0;
    if (!find_function(library, "cuInit", &init) || !find_function(library, "cuDeviceGet", &get) ||
        !find_function(library, "cuDeviceGetName", &name) ||
        !find_function(library, "cuDriverGetVersion", &version) || init(0) != 0)
        return;
    for (int i = wanted < 0 ? 0 : wanted; get(&device, i) == 0 && (wanted < 0 || i == wanted); i++)
        if (name(text, sizeof(text), device) == 0)
            add_name(text, names, sizeof(names));
    read_line("/sys/module/nvidia/version", driver, sizeof(driver));
    if (!driver[0] && version(&number) == 0) // as in WSL
        snprintf(driver, sizeof(driver), "for CUDA %d.%d", number / 1000, number % 1000 / 10);
    snprintf(out, size, "%s, driver %s", names[0] ? names : "unknown GPU",
             driver[0] ? driver : "unknown");
}

// Of the node that `type` opens.
static void name_vaapi(int type, char *out, size_t size)
{
    const char *(*vendor)(void *);
    AVBufferRef *device = NULL;
    char pci[32], path[32];
    int number;
    int result = open_first(type, &number, &device);
    if (result >= 0 && type != AV_HWDEVICE_TYPE_VAAPI) {
        av_buffer_unref(&device);
        node_path(number, path);
        result = open_device(AV_HWDEVICE_TYPE_VAAPI, number ? path : NULL, &device);
    }
    if (result < 0)
        return;
    // The first member of AVVAAPIDeviceContext, whose header needs that of libva.
    void *display = *(void **)((AVHWDeviceContext *)device->data)->hwctx;
    const char *text =
        find_function("libva.so.2", "vaQueryVendorString", &vendor) ? vendor(display) : NULL;
    read_pci(number, pci);
    snprintf(out, size, "%s, %s", pci[0] ? pci : "unknown GPU", text ? text : "unknown driver");
    av_buffer_unref(&device);
}

// Which of several GPUs AMF takes cannot be found out: all of AMD's are named.
static void name_amd(char *out, size_t size)
{
    int (*version)(uint64_t *);
    uint64_t number;
    char pci[32], names[64] = "";
    if (!find_function("libamfrt64.so.1", "AMFQueryVersion", &version) || version(&number) != 0)
        return;
    for (int i = FIRST_NODE; i < END_NODE; i++) {
        read_pci(i, pci);
        if (strncmp(pci, "1002:", 5) == 0)
            add_name(pci, names, sizeof(names));
    }
    snprintf(out, size, "%s, AMF %d.%d.%d.%d", names[0] ? names : "unknown GPU",
             (int)(number >> 48), (int)(number >> 32 & 0xffff), (int)(number >> 16 & 0xffff),
             (int)(number & 0xffff));
}

// Where chip and driver come with the operating system.
static void name_system(char *out, size_t size)
{
    struct utsname system;
    if (uname(&system) == 0)
        snprintf(out, size, "%s %s, %s", system.sysname, system.release, system.machine);
}

// What is unknown may be another one on another machine, and after the next start of this one.
static void bind_to_boot(char *out, size_t size)
{
    char boot[64] = "", id[KSR_HASH_TEXT], text[32];
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
    if (!boot[0])
        gethostname(boot, sizeof(boot) - 1);
    ksr_hash_text(boot, strlen(boot), id);
    const int length = snprintf(text, sizeof(text), " (boot %.12s)", id);
    const size_t end = strlen(out), last = size - 1 - (size_t)length;
    snprintf(out + (end < last ? end : last), (size_t)length + 1, "%s", text);
}

void ksr_hardware_identity(const struct ksr_codec *codec, const char *gpu, char *out, size_t size)
{
    out[0] = 0;
    if (!codec->hardware)
        return;
    snprintf(out, size, "unknown");
    switch (codec->driver) {
    case KSR_DRIVER_NVIDIA: name_nvidia(gpu, out, size); break;
    case KSR_DRIVER_VAAPI: name_vaapi(codec->device, out, size); break;
    case KSR_DRIVER_AMD: name_amd(out, size); break;
    case KSR_DRIVER_SYSTEM: name_system(out, size); break;
    }
    if (strstr(out, "unknown"))
        bind_to_boot(out, size);
}
