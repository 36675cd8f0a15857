// Upscales a video and shows its progress; Ctrl-C stops it, the same command resumes later.
//
//     cc -o upscale upscale.c $(pkg-config --cflags --libs kizunasr)
//     ./upscale INPUT OUTPUT [SCALE]

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include <kizunasr/kizunasr.h>

static ksr_context *ctx;

static void on_interrupt(int number)
{
    (void)number;
    ksr_context_cancel(ctx); // the one call that a signal handler may make
}

static void show_message(void *opaque, ksr_log_level level, const char *message)
{
    (void)opaque;
    if (level <= KSR_LOG_INFO)
        fprintf(stderr, "%s%s\n", level == KSR_LOG_ERROR ? "error: " : "", message);
}

static void show_progress(void *opaque, const struct ksr_progress *p)
{
    int *shown = opaque;
    const int percent = p->total > 0 ? (int)(100 * p->done / p->total) : 0;
    if (p->phase == KSR_PHASE_WORK && percent >= *shown + 10) {
        *shown = percent - percent % 10;
        fprintf(stderr, "%d %%\n", *shown);
    }
}

// The configuration owns the strings it is given, checks names and ranges, and says what is wrong.
static ksr_status upscale(ksr_config *config, char **argv, const char *scale,
                          struct ksr_result *result)
{
    ksr_status status = ksr_config_set(config, "input_path", argv[1]);
    if (status == KSR_OK)
        status = ksr_config_set(config, "output_path", argv[2]);
    if (status == KSR_OK)
        status = ksr_config_set(config, "shader_scale", scale);
    if (status == KSR_OK)
        status = ksr_upscale(ctx, ksr_config_get(config), NULL, result);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "Usage: %s INPUT OUTPUT [SCALE]\n", argv[0]);
        return 2;
    }
    int shown = 0;
    const struct ksr_callbacks callbacks = {
        .log = show_message, .progress = show_progress, .opaque = &shown};
    struct ksr_result result;
    ksr_config *config = NULL;
    ksr_status status = ksr_context_create(&ctx, &callbacks);
    if (status == KSR_OK)
        status = ksr_config_create(&config, ctx);
    if (status == KSR_OK) {
        signal(SIGINT, on_interrupt);
        status = upscale(config, argv, argc > 3 ? argv[3] : "2", &result);
        signal(SIGINT, SIG_DFL);
    }
    if (status == KSR_OK)
        printf("%s: %" PRId64 " frames, %dx%d\n", argv[2], result.frames, result.width,
               result.height);
    ksr_config_destroy(&config);
    ksr_context_destroy(&ctx);
    return status == KSR_OK ? 0 : status == KSR_E_CANCELLED ? 130 : 1;
}
