// 128-bit content hashes (XXH3) as 32 lower-case hexadecimal digits.

#ifndef KSR_CORE_HASH_H
#define KSR_CORE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KSR_HASH_TEXT 33 // with the final 0

// A hash of many pieces.
typedef struct ksr_hasher ksr_hasher;

// Returns a new hasher, or NULL when out of memory. Free with ksr_hasher_destroy().
ksr_hasher *ksr_hasher_create(void);
void ksr_hasher_destroy(ksr_hasher **hasher);

// Starts over.
void ksr_hasher_reset(ksr_hasher *hasher);

// Adds bytes. data may be NULL when size is 0.
void ksr_hasher_add(ksr_hasher *hasher, const void *data, size_t size);

// Writes the hash of all bytes added so far; adding may go on.
void ksr_hasher_text(const ksr_hasher *hasher, char out[KSR_HASH_TEXT]);

// Writes the hash of one piece of memory.
void ksr_hash_text(const void *data, size_t size, char out[KSR_HASH_TEXT]);

// Writes the 128-bit hash of one piece of memory as bytes: low half, high half, little-endian.
void ksr_hash128(const void *data, size_t size, uint8_t out[16]);

// Returns a 64-bit hash of one piece of memory.
uint64_t ksr_hash64(const void *data, size_t size);

#endif
