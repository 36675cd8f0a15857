// A program that was built without Vulkan: no_device.c in place of the GPU's files.

#include <stdio.h>
#include <string.h>

#include "pipeline/device.h"

static int passed, failed;

static void check(const char *what, bool ok)
{
    printf("%-30s%s\n", what, ok ? "ok" : "FAILED");
    *(ok ? &passed : &failed) += 1;
}

int main(void)
{
    struct ksr_device_info list[KSR_DEVICE_MOST];
    char reason[KSR_DEVICE_TEXT] = "";
    ksr_device *device = (ksr_device *)list;
    ksr_context *ctx = NULL;
    const bool made = ksr_context_create(&ctx, NULL) == KSR_OK;
    check("vulkan is a warning", made && ksr_device_open(ctx, "vulkan", &device) == KSR_OK &&
                                     !device && ksr_warning_count(ctx) == 1);
    check("cpu is none",
          ksr_device_open(ctx, "cpu", &device) == KSR_OK && !device && ksr_warning_count(ctx) == 1);
    check("others are refused", ksr_device_open(ctx, "gpu", &device) == KSR_E_PARAM);
    check("the list is empty", ksr_device_list(list, reason) == 0 && strstr(reason, "without"));
    ksr_context_destroy(&ctx);
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
