// The SHA-256 of files, which people compare with what other programs tell.

#ifndef KSR_MEDIA_AV_CHECKSUM_H
#define KSR_MEDIA_AV_CHECKSUM_H

#include <stdint.h>

#include "core/log.h"

#define KSR_SHA256_TEXT 65 // with the final 0

// Writes the SHA-256 of a file, or of the files of a sequence one after the other, as lower-case
// hexadecimal digits. *bytes: how many were read.
// Returns KSR_OK, KSR_E_OUTPUT (it cannot be read; logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_media_sha256(ksr_context *ctx, const char *path, char out[KSR_SHA256_TEXT],
                            int64_t *bytes);

#endif
