// Files: whole-or-nothing writing, locks, fingerprints, paths.
//
// A file that must not be seen half-written is written under a temporary name, synced and renamed.

#ifndef KSR_CORE_FS_H
#define KSR_CORE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/hash.h"
#include "core/log.h"

// Writes a file whole or not at all: temporary name beside it, sync, rename, sync of the folder.
// Returns KSR_OK, KSR_E_OUTPUT, KSR_E_NOMEM.
ksr_status ksr_fs_write_file(ksr_context *ctx, const char *path, const void *data, size_t size);

// *out: the contents with a final 0, free with free(); *size may be NULL.
// Returns KSR_OK, KSR_E_INPUT (nothing is logged), KSR_E_NOMEM.
ksr_status ksr_fs_read_file(ksr_context *ctx, const char *path, char **out, size_t *size);

// Renames `from`, already written, to `to` after syncing the file, and syncs the folder.
// Returns KSR_OK, KSR_E_OUTPUT.
ksr_status ksr_fs_publish(ksr_context *ctx, const char *from, const char *to);

// Returns a temporary name beside `path`, unlike that of any other process or thread on any
// machine; free with free(). NULL when out of memory.
char *ksr_fs_temporary_name(const char *path);

// Returns a path with something added to its name, cut short where names may not be so long: to a
// part of the name and a hash of all of it. Free with free(); NULL when out of memory.
char *ksr_fs_beside(const char *path, const char *ending);

// Whether a path names something that exists and is neither a regular file nor a folder: a pipe, a
// device; or a link to nothing.
bool ksr_fs_is_special(const char *path);

// Makes a folder if it is missing; its parent must exist.
ksr_status ksr_fs_make_folder(ksr_context *ctx, const char *path);

// Deletes the files of a folder whose names `ours` accepts, and the folder if nothing else is in
// it. A missing folder is not an error, and neither is one that stays because of other files.
ksr_status ksr_fs_remove_folder(ksr_context *ctx, const char *path, bool (*ours)(const char *name));

// Takes the lock of a work folder: exclusive, or shared with other workers. The kernel drops it
// with the process, so a lock never outlives its owner.
// *fd: hand it to ksr_fs_unlock(). Returns KSR_OK, KSR_E_BUSY (someone else holds it; logged),
// KSR_E_OUTPUT.
ksr_status ksr_fs_lock(ksr_context *ctx, const char *folder, bool exclusive, int *fd);

// Makes a file if it is missing and takes its lock, as ksr_fs_lock() does. The lock follows the
// file when it is renamed. busy: what to say when someone else holds it.
ksr_status ksr_fs_lock_file(ksr_context *ctx, const char *path, bool exclusive, const char *busy,
                            int *fd);
void ksr_fs_unlock(int *fd);

// What a file holds, whatever its name and date.
struct ksr_fingerprint {
    int64_t size;
    int64_t modified;          // when it was last written, as ksr_fs_modified() tells
    char whole[KSR_HASH_TEXT]; // of all bytes
    char ends[KSR_HASH_TEXT];  // of the first and last MiB: a quick look whether it changed
};

// Reads the file once. whole: false leaves `whole` empty and reads the ends only.
// Returns KSR_OK, KSR_E_INPUT (logged), KSR_E_CANCELLED, KSR_E_NOMEM.
ksr_status ksr_fs_fingerprint(ksr_context *ctx, const char *path, bool whole,
                              struct ksr_fingerprint *out);

// Returns the absolute path (the last part need not exist), free with free(); NULL on failure.
char *ksr_fs_absolute(const char *path);

// Returns whether a path does not depend on the folder that the program runs in.
bool ksr_fs_is_absolute(const char *path);

bool ksr_fs_exists(const char *path);
bool ksr_fs_is_folder(const char *path);

// Returns whether two paths name the same existing file.
bool ksr_fs_same_file(const char *a, const char *b);

// Returns a number that changes when a file, or one of a sequence, is written: dates, which are
// only ever compared for being equal. -1 when it is not there.
int64_t ksr_fs_modified(const char *path);

// Gives the file `to` the date at which `from` was last written; of a sequence, its last written
// file's, and to each. Where that is not possible a warning says so.
// Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_fs_copy_date(ksr_context *ctx, const char *from, const char *to);

// Returns the size of a file in bytes, or -1.
int64_t ksr_fs_size(const char *path);

// Returns the free bytes where `path` (a folder) is, or -1 when not known.
int64_t ksr_fs_free_space(const char *path);

// Returns the last part of a path, within it.
const char *ksr_fs_name(const char *path);

// Returns the folder part of a path ("." where there is none), free with free(); NULL on failure.
char *ksr_fs_parent(const char *path);

#endif
