// Memory: checked sizes, aligned buffers for samples, growing arrays.

#ifndef KSR_CORE_MEM_H
#define KSR_CORE_MEM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/attributes.h"

// Sample rows start on multiples of this many bytes, and kernels may read (never write) up to
// this many bytes behind the last sample of a plane.
#define KSR_ALIGN 64

// *out = a * b. Returns false, leaving *out alone, when the product does not fit.
bool ksr_size_multiply(size_t a, size_t b, size_t *out);

// Returns `size` bytes, a multiple of KSR_ALIGN, aligned to KSR_ALIGN, or NULL. Free with
// ksr_aligned_free().
void *ksr_aligned_alloc(size_t size);

// Returns `size` zeroed bytes aligned to KSR_ALIGN with KSR_ALIGN spare bytes behind, or NULL.
// Free with ksr_aligned_free(), which accepts NULL.
void *ksr_aligned_calloc(size_t size);
void ksr_aligned_free(void *memory);

// Makes room for at least `needed` elements of `size` bytes: *array and *capacity grow by half.
// Returns false on failure, with the array unchanged.
bool ksr_array_reserve(void **array, size_t *capacity, size_t needed, size_t size);

// Some libraries do not tell, or not by what they return, that memory ran out: JSON lists lack a
// member, codecs fail for no reason. Between these two calls on one thread it shows, because every
// allocator sets errno. Not to be nested.
static inline void ksr_memory_watch(void)
{
    errno = 0;
}

// Whether ENOMEM says nothing because the C library's heap cannot grow where it is: something is
// mapped behind it. Then each time that malloc() takes memory from elsewhere instead, and succeeds,
// it leaves ENOMEM in errno. Graphics drivers map much, and anywhere. False where the memory of the
// process is limited.
bool ksr_memory_heap_is_blocked(void);

static inline bool ksr_memory_ran_out(void)
{
    if (errno != ENOMEM)
        return false;
    errno = ksr_memory_heap_is_blocked() ? 0 : ENOMEM;
    return errno == ENOMEM;
}

// Returns a printf-formatted string, free with free(); NULL when out of memory.
char *ksr_format(const char *format, ...) KSR_PRINTF(1, 2);

// Returns a word as one types it in a shell, in quotes where it needs them, free with free(); NULL
// when out of memory.
char *ksr_shell_quote(const char *word);

#endif
