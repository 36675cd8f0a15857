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
    ksr_context *ctx = NULL;
    const bool made = ksr_context_create(&ctx, NULL) == KSR_OK;
    struct ksr_device_choice c;
    check("vulkan passes", made && ksr_device_choose(ctx, "vulkan", false, &c) == KSR_OK &&
                               c.gpus == 1 && c.gpu[0] == KSR_DEVICE_FASTEST && !c.cpu);
    check("several", ksr_device_choose(ctx, "vulkan:3,cpu,vulkan:12", false, &c) == KSR_OK &&
                         c.gpus == 2 && c.gpu[0] == 3 && c.gpu[1] == 12 && c.cpu && !c.all);
    check("auto", ksr_device_choose(ctx, NULL, false, &c) == KSR_OK && c.automatic && !c.cpu &&
                      ksr_device_choose(ctx, "auto", true, &c) == KSR_OK && c.automatic);
    check("all", ksr_device_choose(ctx, "all", false, &c) == KSR_OK && c.all && c.cpu);
    check("no GPU opens", !ksr_device_open(0, reason) && strstr(reason, "without"));
    check("none is looked for", !ksr_device_may_exist() && ksr_device_rank(c.gpu, reason) == 0);
    check("cpu is none", ksr_device_choose(ctx, "cpu", false, &c) == KSR_OK && c.cpu && !c.gpus);
    static const char *const wrong[] = {"gpu",       "",           "vulkan:",    "vulkan:x",
                                        "vulkan:16", "vulkan:1x",  "cpu,",       ",cpu",
                                        "auto,cpu",  "all,vulkan", "cpu, vulkan"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        check(wrong[i], ksr_device_choose(ctx, wrong[i], false, &c) == KSR_E_PARAM);
    check("vulkan:x is no name of ONNX Runtime's",
          ksr_device_choose(ctx, "vulkan:x", true, &c) == KSR_E_PARAM);
    check("but cuda is", ksr_device_choose(ctx, "cuda", true, &c) == KSR_OK && c.cpu &&
                             strcmp(ksr_device_provider("cuda"), "cuda") == 0 &&
                             strcmp(ksr_device_provider("cpu"), "cpu") == 0);
    check("ours are not", !ksr_device_provider(NULL) && !ksr_device_provider("auto") &&
                              !ksr_device_provider("vulkan:0,cpu"));
    check("the list is empty", ksr_device_list(list, reason) == 0 && strstr(reason, "without"));
    ksr_context_destroy(&ctx);
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
