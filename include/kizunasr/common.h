// Status codes, versions and the export macro, used by all other headers.
//
// Every function that can fail returns a ksr_status: 0 is success, failures are negative numbers
// that never change their meaning, one for each cause that a caller can act on. The message of a
// failure is sent once to the context's log callback (see context.h), at KSR_LOG_ERROR.
//
// Thread-safety: all functions of this header may be called from any thread.

#ifndef KIZUNASR_COMMON_H
#define KIZUNASR_COMMON_H

#include <stddef.h>

#if defined(_WIN32)
#if defined(KSR_BUILDING)
#define KSR_API __declspec(dllexport)
#else
#define KSR_API
#endif
#elif defined(__GNUC__)
#define KSR_API __attribute__((visibility("default")))
#else
#define KSR_API
#endif
#if defined(__GNUC__)
#define KSR_MUST_USE __attribute__((warn_unused_result))
#else
#define KSR_MUST_USE
#endif

#define KSR_VERSION_MAJOR 0
#define KSR_VERSION_MINOR 1
#define KSR_VERSION_PATCH 0
#define KSR_VERSION       "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ksr_status {
    KSR_OK = 0,
    KSR_E_PARAM = -1,      // an argument or a configuration value is wrong
    KSR_E_NOMEM = -2,      // out of memory; nothing was changed
    KSR_E_INPUT = -3,      // the input is unreadable or has no video
    KSR_E_OUTPUT = -4,     // the output or the work folder cannot be written (full disk too)
    KSR_E_MODEL = -5,      // the AI model is missing or unusable
    KSR_E_VERIFY = -6,     // the output was written but does not match its input
    KSR_E_CANCELLED = -7,  // ksr_context_cancel() was called; run again to resume
    KSR_E_PROCESS = -8,    // decoding, filtering or encoding failed
    KSR_E_MISMATCH = -9,   // the work folder belongs to another job, or to other versions
    KSR_E_BUSY = -10,      // another run holds the work folder
    KSR_E_EXISTS = -11,    // the output exists, and is not to be replaced
    KSR_E_NOT_FOUND = -12, // the input does not exist
} ksr_status;

// Returns the name of a status, such as "KSR_E_INPUT"; "unknown status" for other numbers.
// The string is static.
KSR_API const char *ksr_status_name(ksr_status status);

// Returns the version of the library in use, such as "0.1.0". The string is static. Compare it with
// KSR_VERSION to detect that header and library differ.
KSR_API const char *ksr_version(void);

// Returns one line with the versions of the FFmpeg libraries in use, such as
// "libavutil 57.28.100, libavcodec 59.37.100, ...". The string is static.
KSR_API const char *ksr_library_versions(void);

// Returns one line with the versions of the other libraries in use, which do not affect the
// output's
// bytes: "jansson 2.14, xxHash 0.8.1". The string is static.
KSR_API const char *ksr_other_versions(void);

// Returns the distance between a mistyped `word` and a `candidate`, to suggest the closest one: 0
// if they are equal, more for each letter that is wrong, missing, extra or swapped, still more if
// `word` is only a part of `candidate`; SIZE_MAX if they are too different.
KSR_API size_t ksr_word_likeness(const char *word, const char *candidate);

// Returns text that may not be UTF-8, such as a file name, as UTF-8: a byte that is not part of
// valid UTF-8 becomes the character U+EF00 plus the byte. All JSON written by the library has names
// in this form. Owned by the caller, free with ksr_free(); NULL if out of memory.
KSR_API char *ksr_text_to_utf8(const char *text);

#ifdef __cplusplus
}
#endif

#endif
