// What the workers of a run get: the devices that the stages run on, the model, and how many of
// them fit on the machine. Made once per run, lent to workers.

#ifndef KSR_JOB_MACHINE_H
#define KSR_JOB_MACHINE_H

#include "job/manifest.h"
#include "kizunasr/job.h"
#include "pipeline/device.h"

// Thread-safety: any number of threads.
typedef struct ksr_machine ksr_machine;

// Opens the devices that options ask for, and says which GPUs those are or why there is none; loads
// a network of ours, which all workers run. Both must outlive it.
// *out: free with ksr_machine_close(). Returns KSR_OK, KSR_E_PARAM (a device that
// does not exist), what ksr_manifest_engine() returns; logged.
ksr_status ksr_machine_open(ksr_context *ctx, const struct ksr_manifest *manifest,
                            const struct ksr_run_options *options, ksr_machine **out);
void ksr_machine_close(ksr_machine **machine);

// Returns how many workers to run for so many segments: 1 .. 64, as options say, or as many as
// processors and memory allow, but one for each device.
int ksr_machine_workers(const ksr_machine *machine, int segments);

// Returns whether workers differ in speed, being on several devices.
bool ksr_machine_is_mixed(const ksr_machine *machine);

// What one worker runs its pipeline with.
struct ksr_loan {
    ksr_engine *engine; // NULL without AI
    ksr_device *device; // NULL: the processor
    int gpu;            // number of the device
    int number;         // of the worker, from 0
    int failures;       // of it
};

// *out: give back with ksr_machine_take_back(), once the worker's pipeline is gone.
// Returns what ksr_manifest_engine() returns.
ksr_status ksr_machine_lend(ksr_context *ctx, ksr_machine *machine, struct ksr_loan *out);
void ksr_machine_take_back(ksr_machine *machine, struct ksr_loan *loan);

// Opens a GPU that was lost for another try: a driver that has been reset works again. No pipeline
// may run on it. Returns false, and leaves the loan as it is, if it has not failed or has done so
// too often.
bool ksr_machine_renew(ksr_context *ctx, struct ksr_loan *loan);

#endif
