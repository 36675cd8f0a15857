// SHA-256 by libnettle, which has instructions of processors for it and is six times as fast on
// those, or else by libavutil; see checksum.h.

#include "media/av/checksum.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if KSR_HAVE_NETTLE
#include <nettle/sha2.h>
#include <nettle/version.h>
#else
#include <libavutil/mem.h>
#include <libavutil/sha.h>
#endif

#include "core/image_sequence.h"

#define BLOCK    (1 << 16)
#define SHA_SIZE 32

#if KSR_HAVE_NETTLE

typedef struct sha256_ctx sha_state;

// Returns NULL = out of memory. Ended by sha_end().
static sha_state *sha_begin(void)
{
    sha_state *sha = malloc(sizeof(*sha));
    if (sha)
        sha256_init(sha);
    return sha;
}

static void sha_add(sha_state *sha, const uint8_t *data, size_t size)
{
    sha256_update(sha, size, data);
}

static void sha_end(sha_state *sha, uint8_t digest[SHA_SIZE])
{
#if NETTLE_VERSION_MAJOR >= 4
    sha256_digest(sha, digest);
#else
    sha256_digest(sha, SHA_SIZE, digest);
#endif
    free(sha);
}

#else

typedef struct AVSHA sha_state;

static sha_state *sha_begin(void)
{
    sha_state *sha = av_sha_alloc();
    if (sha)
        av_sha_init(sha, 8 * SHA_SIZE); // knows this size
    return sha;
}

static void sha_add(sha_state *sha, const uint8_t *data, size_t size)
{
    av_sha_update(sha, data, size);
}

static void sha_end(sha_state *sha, uint8_t digest[SHA_SIZE])
{
    av_sha_final(sha, digest);
    av_free(sha);
}

#endif

static ksr_status add_file(ksr_context *ctx, sha_state *sha, const char *path, int64_t *bytes)
{
    uint8_t *block = malloc(BLOCK);
    FILE *file = block ? fopen(path, "rbe") : NULL;
    ksr_status status = KSR_OK;
    size_t got = 0;
    if (!block)
        status = ksr_fail_memory(ctx);
    while (file && status == KSR_OK && (got = fread(block, 1, BLOCK, file)) > 0) {
        sha_add(sha, block, got);
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

static ksr_status add_sequence(ksr_context *ctx, sha_state *sha, const char *pattern,
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
    sha_state *sha = sha_begin();
    *bytes = 0;
    if (!sha)
        return ksr_fail_memory(ctx);
    const ksr_status status = ksr_sequence_is(path) ? add_sequence(ctx, sha, path, bytes)
                                                    : add_file(ctx, sha, path, bytes);
    sha_end(sha, digest);
    for (int i = 0; i < SHA_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return status;
}
