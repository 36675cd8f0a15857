// Global matters of the FFmpeg libraries; see ffmpeg.h. Also ksr_library_versions().

#include "media/av/ffmpeg.h"

#include <libavfilter/avfilter.h>
#include <libavutil/cpu.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/cpu.h"
#include "core/mem.h"

static _Thread_local char last_message[256];
static _Thread_local int kept_level = AV_LOG_ERROR;

// FFmpeg's log is one function for the whole process. Its lines are kept for our own error
// messages and printed nowhere.
static void keep_message(void *source, int level, const char *format, va_list args)
{
    (void)source;
    if (level > kept_level)
        return;
    vsnprintf(last_message, sizeof(last_message), format, args);
    last_message[strcspn(last_message, "\r\n")] = 0;
}

static void init_once(void)
{
    av_log_set_callback(keep_message);
}

void ksr_ffmpeg_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_once);
}

// The lowest SIMD level, and what FFmpeg uses beyond it, as far as its version knows of that.
#if defined(__aarch64__)
#define LOWEST_LEVEL KSR_CPU_NEON
#if defined(AV_CPU_FLAG_DOTPROD) && defined(AV_CPU_FLAG_I8MM)
#define BEYOND_LOWEST AV_CPU_FLAG_DOTPROD | AV_CPU_FLAG_I8MM
#else
#define BEYOND_LOWEST 0
#endif
#else
#define LOWEST_LEVEL KSR_CPU_AVX2
#if defined(AV_CPU_FLAG_AVX512ICL)
#define BEYOND_LOWEST AV_CPU_FLAG_AVX512 | AV_CPU_FLAG_AVX512ICL
#else
#define BEYOND_LOWEST AV_CPU_FLAG_AVX512
#endif
#endif

ksr_status ksr_cpu_limit(const char *level)
{
    if (!ksr_cpu_set_limit(level))
        return KSR_E_PARAM;
    if (ksr_cpu_get_limit() == KSR_CPU_C)
        av_force_cpu_flags(0);
    else if (ksr_cpu_get_limit() == LOWEST_LEVEL)
        av_force_cpu_flags(av_get_cpu_flags() & ~(BEYOND_LOWEST));
    return KSR_OK;
}

void ksr_ffmpeg_keep_more(bool more)
{
    kept_level = more ? AV_LOG_VERBOSE : AV_LOG_ERROR;
}

const char *ksr_ffmpeg_message(void)
{
    return last_message;
}

void ksr_ffmpeg_clear_message(void)
{
    last_message[0] = 0;
    ksr_memory_watch();
}

bool ksr_ffmpeg_starved(int code)
{
    return code == AVERROR(ENOMEM) || (code < 0 && ksr_memory_ran_out());
}

const char *ksr_ffmpeg_error(int code, char out[256])
{
    if (last_message[0])
        snprintf(out, 256, "%s", last_message);
    else
        av_strerror(code, out, 256);
    return out;
}

char *ksr_ffmpeg_url(const char *path)
{
    return ksr_format("file:%s", path);
}

static int interrupted(void *opaque)
{
    return ksr_check_cancel(opaque) != KSR_OK;
}

AVIOInterruptCB ksr_ffmpeg_interrupt(ksr_context *ctx)
{
    return (AVIOInterruptCB){interrupted, ctx};
}

static char versions[256];

static void format_versions(void)
{
    const struct {
        const char *name;
        unsigned version;
    } libs[] = {{"libavutil", avutil_version()},     {"libavcodec", avcodec_version()},
                {"libavformat", avformat_version()}, {"libavfilter", avfilter_version()},
                {"libswscale", swscale_version()},   {"libswresample", swresample_version()}};
    size_t used = 0;
    for (size_t i = 0; i < sizeof(libs) / sizeof(libs[0]); i++)
        used +=
            (size_t)snprintf(versions + used, sizeof(versions) - used, "%s%s %u.%u.%u",
                             i ? ", " : "", libs[i].name, AV_VERSION_MAJOR(libs[i].version),
                             AV_VERSION_MINOR(libs[i].version), AV_VERSION_MICRO(libs[i].version));
}

const char *ksr_library_versions(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, format_versions);
    return versions;
}

bool ksr_stream_is_cover(const AVStream *stream)
{
    return (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

bool ksr_stream_is_attached(const AVStream *s)
{
    return ksr_stream_is_cover(s) || s->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT;
}
