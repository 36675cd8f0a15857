// What the quick check after a join says of an output's colours, on stdout: `sampled INPUT OUTPUT`,
// both with as many frames, of which the first and the one in the middle are looked at. An empty
// line where it has nothing to say.

#include <stdio.h>
#include <stdlib.h>

#include "check/check.h"
#include "check/judge.h"
#include "check/metrics.h"
#include "kizunasr/kizunasr.h"
#include "media/index/index.h"
#include "media/input/reader.h"

int main(int argc, char **argv)
{
    ksr_context *ctx;
    struct ksr_film input = {0}, output = {0};
    struct ksr_pictures pictures = {0};
    struct ksr_checks checks = {0};
    if (argc != 3 || ksr_context_create(&ctx, NULL) != KSR_OK)
        return 2;
    const struct ksr_picture_pair pair = {
        .input_path = argv[1], .output_path = argv[2], .input = &input, .output = &output};
    ksr_status status = ksr_film_index(ctx, argv[1], true, &input);
    if (status == KSR_OK)
        status = ksr_film_index(ctx, argv[2], true, &output);
    const size_t middle = input.frame_count / 2;
    struct ksr_picture_place places[2] = {{0}, {middle, middle, {0}}};
    if (status == KSR_OK)
        status = ksr_pictures_sample(ctx, &pair, places, 2, &pictures);
    if (status == KSR_OK && pictures.count != 2)
        status = KSR_E_PROCESS;
    if (status == KSR_OK)
        status = ksr_judge_sample(ctx, &checks, &pictures);
    const char *failed = ksr_checks_first_failure(&checks);
    if (status == KSR_OK)
        puts(failed ? failed : "");
    ksr_checks_free(&checks);
    ksr_pictures_free(&pictures);
    ksr_film_free(&input);
    ksr_film_free(&output);
    ksr_context_destroy(&ctx);
    return status != KSR_OK;
}
