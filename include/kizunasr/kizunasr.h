// KizunaSR, an offline video upscaler: includes all public headers.
//
// Start with job.h (running a job) and config.h (its settings). context.h has messages, progress
// and cancellation; inspect.h examines and verifies files, report.h writes HTML reports, decoder.h
// decodes frames, upscaler.h upscales frames in memory, bench.h measures speed.
//
// In all headers:
// - Pointers must not be NULL unless their comment says so. A ksr_context * may always be NULL: no
//   messages, no progress, no cancellation.
// - Strings are UTF-8 or, for file names, bytes of the file system, and end with a 0 byte.
// - "Borrowed" memory belongs to the caller and is only read during the call, unless its comment
//   says that it must live longer.
// - After a failure, output arguments are NULL or unchanged, and the caller owns nothing new.
// - Functions may be called from several threads at once on different objects. Each object names
//   its own rule in a line "Thread-safety:".

#ifndef KIZUNASR_KIZUNASR_H
#define KIZUNASR_KIZUNASR_H

#include "kizunasr/bench.h"
#include "kizunasr/common.h"
#include "kizunasr/config.h"
#include "kizunasr/context.h"
#include "kizunasr/decoder.h"
#include "kizunasr/inspect.h"
#include "kizunasr/job.h"
#include "kizunasr/report.h"
#include "kizunasr/upscaler.h"

#endif
