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
    int index;
    check("vulkan passes", made && ksr_device_check(ctx, "vulkan", false) == KSR_OK &&
                               ksr_device_index("vulkan:3", &index) && index == 3);
    ksr_device_open(ctx, "vulkan", &device);
    check("vulkan is a warning", !device && ksr_warning_count(ctx) == 1);
    check("cpu is none", ksr_device_check(ctx, "cpu", false) == KSR_OK &&
                             !ksr_device_is_gpu("cpu") && !ksr_device_index("cpu", &index));
    check("others are refused", ksr_device_check(ctx, "gpu", false) == KSR_E_PARAM &&
                                    ksr_device_check(ctx, "vulkan:x", true) == KSR_E_PARAM);
    check("but with ONNX Runtime", ksr_device_check(ctx, "cuda", true) == KSR_OK);
    check("the list is empty", ksr_device_list(list, reason) == 0 && strstr(reason, "without"));
    ksr_context_destroy(&ctx);
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
