// The worker: decode -> pipeline -> encode, one segment at a time.

#ifndef KSR_JOB_SEGMENT_H
#define KSR_JOB_SEGMENT_H

#include "core/pool.h"
#include "job/machine.h"
#include "job/manifest.h"
#include "job/store.h"

// Thread-safety: one thread at a time per object.
typedef struct ksr_worker ksr_worker;

// Who wants to hear of progress: called after every frame of a segment, from the worker's thread.
// frames: encoded so far (may fall back to 0 when a segment is begun again); bytes: written so
// far; device: that ran the stages, NULL: the processor. Returning anything but KSR_OK stops the
// worker with that status.
struct ksr_worker_listener {
    ksr_status (*frame)(void *opaque, int segment, size_t frames, int64_t bytes,
                        const ksr_device *device);
    void *opaque;
};

// manifest, folder and machine must outlive the worker. threads: for the stages' row bands.
ksr_status ksr_worker_create(ksr_context *ctx, const struct ksr_manifest *manifest,
                             const char *folder, int threads, ksr_machine *machine,
                             const struct ksr_worker_listener *listener, ksr_worker **out);
void ksr_worker_destroy(ksr_worker **worker);

// Makes one segment and puts its file into the folder.
// Returns KSR_OK, KSR_E_PROCESS (a frame failed and the policy is to abort), KSR_E_OUTPUT, ...
ksr_status ksr_worker_run(ksr_worker *worker, int segment);

#endif
