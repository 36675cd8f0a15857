// Lists the frames of a video: number, time, and the mean of red, green and blue.
//
//     cc -o frames frames.c $(pkg-config --cflags --libs kizunasr)
//     ./frames FILE

#include <inttypes.h>
#include <stdio.h>

#include <kizunasr/kizunasr.h>

static void show_message(void *opaque, ksr_log_level level, const char *message)
{
    (void)opaque;
    if (level <= KSR_LOG_WARNING)
        fprintf(stderr, "%s\n", message);
}

static void print_frame(const struct ksr_decoder_info *info, const struct ksr_picture *picture)
{
    double sum[3] = {0};
    for (int y = 0; y < picture->height; y++) {
        const unsigned char *row = (const unsigned char *)picture->data + y * picture->stride;
        for (int x = 0; x < 3 * picture->width; x++)
            sum[x % 3] += row[x];
    }
    const double pixels = (double)picture->width * picture->height;
    printf("%" PRId64 " %.3f %.1f %.1f %.1f\n", picture->frame_index,
           (double)picture->pts * info->time_base_num / info->time_base_den, sum[0] / pixels,
           sum[1] / pixels, sum[2] / pixels);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: %s FILE\n", argv[0]);
        return 2;
    }
    const struct ksr_callbacks callbacks = {.log = show_message};
    const struct ksr_picture *picture = NULL;
    ksr_decoder *decoder = NULL;
    ksr_context *ctx = NULL;
    ksr_status status = ksr_context_create(&ctx, &callbacks);
    if (status == KSR_OK)
        status = ksr_decoder_open(&decoder, ctx, argv[1], NULL);
    while (status == KSR_OK) {
        status = ksr_decoder_next(decoder, &picture);
        if (status != KSR_OK || !picture)
            break;
        print_frame(ksr_decoder_info(decoder), picture);
    }
    ksr_decoder_destroy(&decoder);
    ksr_context_destroy(&ctx);
    return status == KSR_OK ? 0 : 1;
}
