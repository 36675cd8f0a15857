// Upscales raw frames from standard input to standard output, without a file between.
//
//     cc -o upscale_frames upscale_frames.c $(pkg-config --cflags --libs kizunasr)
//     ffmpeg -i in.mkv -f rawvideo -pix_fmt yuv420p - |
//         ./upscale_frames 640 480 yuv420p sharpening=0.3 |
//         ffmpeg -f rawvideo -pix_fmt yuv420p -s 1280x960 -r 24 -i - out.mkv

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kizunasr/kizunasr.h>

static void show_message(void *opaque, ksr_log_level level, const char *message)
{
    (void)opaque;
    if (level <= KSR_LOG_WARNING)
        fprintf(stderr, "%s\n", message);
}

// One block of memory for a frame. Its planes lie in it one after the other, without gaps.
static void *allocate(int planes, const size_t row_bytes[], const int rows[], size_t *size,
                      struct ksr_frame_planes *out)
{
    *size = 0;
    for (int i = 0; i < planes; i++)
        *size += row_bytes[i] * (size_t)rows[i];
    unsigned char *data = malloc(*size);
    size_t offset = 0;
    for (int i = 0; i < planes && data; i++) {
        out->plane[i] = data + offset;
        out->stride[i] = (ptrdiff_t)row_bytes[i];
        offset += row_bytes[i] * (size_t)rows[i];
    }
    return data;
}

static ksr_status write_oldest(ksr_upscaler *upscaler, const struct ksr_frame_planes *out,
                               size_t size)
{
    const ksr_status status = ksr_upscaler_pull(upscaler, out, NULL);
    if (status == KSR_OK && fwrite(out->plane[0], 1, size, stdout) != size)
        return KSR_E_OUTPUT;
    return status;
}

static ksr_status run(ksr_upscaler *upscaler)
{
    const struct ksr_upscaler_info *info = ksr_upscaler_info(upscaler);
    struct ksr_frame_planes in, out;
    size_t in_size, out_size;
    void *from =
        allocate(info->input_planes, info->input_row_bytes, info->input_rows, &in_size, &in);
    void *to =
        allocate(info->output_planes, info->output_row_bytes, info->output_rows, &out_size, &out);
    ksr_status status = from && to ? KSR_OK : KSR_E_NOMEM;
    for (int i = 0; status == KSR_OK && fread(from, 1, in_size, stdin) == in_size; i++) {
        status = ksr_upscaler_push(upscaler, i, &in);
        if (status == KSR_OK && ksr_upscaler_held(upscaler) > info->delay)
            status = write_oldest(upscaler, &out, out_size);
    }
    while (status == KSR_OK && ksr_upscaler_held(upscaler) > 0)
        status = write_oldest(upscaler, &out, out_size);
    free(from);
    free(to);
    return status;
}

// Sets "name=value": a setting, or one of the run's options, or a tag of the frames.
static ksr_status set(ksr_config *config, struct ksr_run_options *options,
                      struct ksr_frame_format *format, const char *argument)
{
    const size_t length = strcspn(argument, "=");
    const char *value = argument + length + (argument[length] == '=');
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)length, argument);
    if (strcmp(name, "threads") == 0)
        options->threads = atoi(value);
    else if (strcmp(name, "device") == 0)
        options->device = value;
    else if (strcmp(name, "simd") == 0)
        return ksr_cpu_limit(value);
    else if (strcmp(name, "range") == 0)
        format->range = value;
    else if (strcmp(name, "matrix") == 0)
        format->matrix = value;
    else if (strcmp(name, "chroma_location") == 0)
        format->chroma_location = value;
    else
        return ksr_config_set(config, name, value);
    return KSR_OK;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "Usage: %s WIDTH HEIGHT PIXEL_FORMAT [NAME=VALUE]...\n", argv[0]);
        return 2;
    }
    const struct ksr_callbacks callbacks = {.log = show_message};
    struct ksr_frame_format format = {
        .width = atoi(argv[1]), .height = atoi(argv[2]), .pixel_format = argv[3]};
    struct ksr_run_options options = {0};
    ksr_upscaler *upscaler = NULL;
    ksr_config *config = NULL;
    ksr_context *ctx = NULL;
    ksr_status status = ksr_context_create(&ctx, &callbacks);
    if (status == KSR_OK)
        status = ksr_config_create(&config, ctx);
    if (status == KSR_OK)
        status = ksr_config_set(config, "denoise", "0"); // auto would need the whole video
    for (int i = 4; status == KSR_OK && i < argc; i++)
        status = set(config, &options, &format, argv[i]);
    if (status == KSR_OK)
        status = ksr_upscaler_create(&upscaler, ctx, ksr_config_get(config), &format, &options);
    if (status == KSR_OK)
        status = run(upscaler);
    ksr_upscaler_destroy(&upscaler);
    ksr_config_destroy(&config);
    ksr_context_destroy(&ctx);
    return status == KSR_OK ? 0 : 1;
}
