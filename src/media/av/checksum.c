// SHA-256 by libavutil; see checksum.h.

#include "media/av/checksum.h"

#include <errno.h>
#include <libavutil/mem.h>
#include <libavutil/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/image_sequence.h"

#define BLOCK    (1 << 16)
#define SHA_SIZE 32

static ksr_status add_file(ksr_context *ctx, struct AVSHA *sha, const char *path, int64_t *bytes)
{
    uint8_t *block = malloc(BLOCK);
    FILE *file = block ? fopen(path, "rbe") : NULL;
    ksr_status status = KSR_OK;
    size_t got = 0;
    if (!block)
        status = ksr_fail_memory(ctx);
    while (file && status == KSR_OK && (got = fread(block, 1, BLOCK, file)) > 0) {
        av_sha_update(sha, block, got);
        *bytes += (int64_t)got;
        status = ksr_check_cancel(ctx);
    }
    if (status == KSR_OK && (!file || ferror(file)))
        status = ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot read %s", path);
    if (file)
        fclose(file);
    free(block);
    return status;
}

static ksr_status add_sequence(ksr_context *ctx, struct AVSHA *sha, const char *pattern,
                               int64_t *bytes)
{
    int first, count;
    ksr_status status = ksr_sequence_scan(ctx, pattern, &first, &count);
    for (int i = 0; status == KSR_OK && i < count; i++) {
        char *name = ksr_sequence_name(pattern, first + i);
        status = name ? add_file(ctx, sha, name, bytes) : ksr_fail_memory(ctx);
        free(name);
    }
    return status;
}

ksr_status ksr_media_sha256(ksr_context *ctx, const char *path, char out[KSR_SHA256_TEXT],
                            int64_t *bytes)
{
    uint8_t digest[SHA_SIZE];
    struct AVSHA *sha = av_sha_alloc();
    *bytes = 0;
    if (!sha || av_sha_init(sha, 256) != 0) {
        av_free(sha);
        return ksr_fail_memory(ctx);
    }
    const ksr_status status = ksr_sequence_is(path) ? add_sequence(ctx, sha, path, bytes)
                                                    : add_file(ctx, sha, path, bytes);
    av_sha_final(sha, digest);
    av_free(sha);
    for (int i = 0; i < SHA_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return status;
}
