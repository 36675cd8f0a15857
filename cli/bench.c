// kizunasr bench: how fast this machine is, as a table or as JSON.

#include <jansson.h>
#include <stdio.h>

#include "kizunasr/bench.h"
#include "text.h"
#include "verbs.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "?";
}

static int integer_of(const json_t *object, const char *name)
{
    return (int)json_integer_value(json_object_get(object, name));
}

static double number_of(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void print_ceilings(const json_t *ceilings)
{
    static const char *const names[][2] = {
        {"int16_gigamultiplications_per_second", "16-bit"},
        {"int8_gigamultiplications_per_second", "8-bit"},
    };
    printf("  peak rates   memory %.1f GB/s", number_of(ceilings, "copy_gigabytes_per_second"));
    for (int i = 0; i < 2; i++)
        if (json_is_number(json_object_get(ceilings, names[i][0])))
            printf(", %s multiplications %.0f G/s", names[i][1], number_of(ceilings, names[i][0]));
    putchar('\n');
}

static void print_stages(const json_t *stages)
{
    puts("\n  stage, one thread       ms       MB     GB/s");
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *s = json_array_get(stages, i);
        printf("  %-16s %9.2f %8.1f %8.1f%s\n", text_of(s, "name"), number_of(s, "ms"),
               number_of(s, "megabytes"), number_of(s, "gigabytes_per_second"),
               json_is_true(json_object_get(s, "default")) ? "" : "  (off by default)");
    }
}

static void print_runs(const json_t *runs)
{
    puts("\n  together          scale threads        ms      fps   multiplications");
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *r = json_array_get(runs, i);
        printf("  %-16s %5dx %7d %9.2f %8.2f", text_of(r, "name"), integer_of(r, "scale"),
               integer_of(r, "threads"), number_of(r, "ms"), number_of(r, "frames_per_second"));
        if (json_is_number(json_object_get(r, "gigamultiplications_per_second")))
            printf("   %.0f G/s", number_of(r, "gigamultiplications_per_second"));
        putchar('\n');
    }
}

// Milliseconds, and their share of a frame's time.
static void print_part(const json_t *run, const char *name)
{
    const double part = number_of(run, name);
    printf(" %7.2f %3.0f%%", part, 100 * part / number_of(run, "ms"));
}

static void print_ways(const json_t *ways)
{
    if (json_array_size(ways) == 0)
        return;
    fputs("      luma alone by", stdout);
    for (size_t i = 0; i < json_array_size(ways); i++) {
        const json_t *w = json_array_get(ways, i);
        printf("%s %s: %.3f ms", i > 0 ? "," : "", text_of(w, "multiplies_by"), number_of(w, "ms"));
    }
    putchar('\n');
}

static void print_gpu_run(const json_t *run, double most)
{
    const json_t *kernels = json_object_get(run, "kernels");
    printf("  %-16s %5dx %9.2f %8.2f %8.2f ", text_of(run, "name"), integer_of(run, "scale"),
           number_of(run, "ms"), number_of(run, "frames_per_second"),
           number_of(run, "rows_frames_per_second"));
    print_part(run, "upload_ms");
    print_part(run, "kernels_ms");
    print_part(run, "download_ms");
    printf(" %9.2f", number_of(run, "processor_ms"));
    if (json_is_number(json_object_get(run, "gigamultiplications_per_second"))) {
        const double rate = number_of(run, "gigamultiplications_per_second");
        printf("   %.0f G/s, %.0f%%", rate, 100 * rate / most);
    }
    fputs("\n      kernels:", stdout);
    for (size_t i = 0; i < json_array_size(kernels); i++) {
        const json_t *k = json_array_get(kernels, i);
        printf("%s %s %.3f ms %.0f%%", i > 0 ? "," : "", text_of(k, "name"), number_of(k, "ms"),
               100 * number_of(k, "share"));
    }
    putchar('\n');
    print_ways(json_object_get(run, "ways"));
}

static void print_gpu(const json_t *gpu)
{
    char name[256];
    const double most = number_of(gpu, "gigamultiplications_per_second");
    const json_t *runs = json_object_get(gpu, "runs");
    snprintf(name, sizeof(name), "%s", text_of(gpu, "name"));
    printf("\n  %s\n  peak rates   upload %.1f GB/s, download %.1f GB/s, multiplications (%s) %.0f "
           "G/s\n",
           text_clean(name), number_of(gpu, "upload_gigabytes_per_second"),
           number_of(gpu, "download_gigabytes_per_second"), text_of(gpu, "multiplies_by"), most);
    puts("  together          scale        ms      fps rows fps       upload      kernels     "
         "download processor   multiplications");
    for (size_t i = 0; i < json_array_size(runs); i++)
        print_gpu_run(json_array_get(runs, i), most);
}

static bool print_table(const char *text)
{
    char processor[128];
    json_t *root = json_loads(text, 0, NULL);
    const bool usable = json_is_object(root);
    snprintf(processor, sizeof(processor), "%s", text_of(root, "processor"));
    printf("KizunaSR %s, %s, %d thread%s, level %s\n", text_of(root, "version"),
           text_clean(processor), integer_of(root, "threads"),
           text_plural(integer_of(root, "threads")), text_of(root, "level"));
    printf("  frame        %dx%d, 8-bit 4:2:0 in and out\n", integer_of(root, "width"),
           integer_of(root, "height"));
    print_ceilings(json_object_get(root, "ceilings"));
    print_stages(json_object_get(root, "stages"));
    print_runs(json_object_get(root, "runs"));
    const json_t *gpus = json_object_get(root, "gpus");
    for (size_t i = 0; i < json_array_size(gpus); i++)
        print_gpu(json_array_get(gpus, i));
    json_decref(root);
    return usable;
}

// Reads "1920x1080".
static bool read_size(const char *text, struct ksr_bench_options *out)
{
    char tail;
    return sscanf(text, "%5dx%5d%c", &out->width, &out->height, &tail) == 2;
}

int run_bench(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    struct ksr_bench_options bench = {.threads = options->run.threads,
                                      .device = options->run.device};
    char *json = NULL;
    if (options->size && !read_size(options->size, &bench))
        return ui_usage_error(ui, "--size: expected such as 1920x1080, got '%s'", options->size);
    if (options->milliseconds)
        bench.seconds = options->milliseconds / 1000.0;
    ksr_status status = ksr_bench(ctx, &bench, &json);
    if (status == KSR_OK && options->json)
        puts(json);
    else if (status == KSR_OK && !print_table(json))
        status = KSR_E_NOMEM;
    ksr_free(json);
    return ui_exit_status(ui, status);
}
