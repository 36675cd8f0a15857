// KizunaSR, an offline video upscaler: everything public in one include.
//
// Start with job.h (the main job) and config.h (what it does); context.h tells how messages,
// progress and cancelling work; inspect.h looks at files, report.h shows them, decoder.h reads their frames; bench.h measures the machine.

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

#endif
