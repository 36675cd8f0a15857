// Content hashes through libxxhash; see hash.h.

#include "core/hash.h"

#include <stdio.h>
#define XXH_STATIC_LINKING_ONLY // for the size of the state
#include <xxhash.h>
#if KSR_XXHASH_DISPATCHES
// Takes the place of functions below: the same hashes, faster. The first calls, on whatever
// threads, all write the same addresses of functions.
#include <xxh_x86dispatch.h>
#endif

struct ksr_hasher {
    XXH3_state_t state; // alignment is why this is only ever made by XXH3_createState()
};

ksr_hasher *ksr_hasher_create(void)
{
    ksr_hasher *hasher = (ksr_hasher *)XXH3_createState();
    if (hasher)
        ksr_hasher_reset(hasher);
    return hasher;
}

void ksr_hasher_destroy(ksr_hasher **hasher)
{
    if (!hasher || !*hasher)
        return;
    XXH3_freeState(&(*hasher)->state);
    *hasher = NULL;
}

void ksr_hasher_reset(ksr_hasher *hasher)
{
    XXH3_128bits_reset(&hasher->state);
}

void ksr_hasher_add(ksr_hasher *hasher, const void *data, size_t size)
{
    if (size > 0)
        XXH3_128bits_update(&hasher->state, data, size);
}

static void write_text(XXH128_hash_t hash, char out[KSR_HASH_TEXT])
{
    snprintf(out, KSR_HASH_TEXT, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

void ksr_hasher_text(const ksr_hasher *hasher, char out[KSR_HASH_TEXT])
{
    write_text(XXH3_128bits_digest(&hasher->state), out);
}

void ksr_hash_text(const void *data, size_t size, char out[KSR_HASH_TEXT])
{
    write_text(XXH3_128bits(data, size), out);
}

void ksr_hash128(const void *data, size_t size, uint8_t out[16])
{
    const XXH128_hash_t hash = XXH3_128bits(data, size);
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(hash.low64 >> 8 * i);
        out[8 + i] = (uint8_t)(hash.high64 >> 8 * i);
    }
}

uint64_t ksr_hash64(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}
