// What the machine can do at most: the ceilings that `kizunasr bench` holds its figures against.
//
// The folder bench:
//   takes        this machine
//   gives        speeds of the stages and networks, and of memory and arithmetic
//   may include  verify and below

#ifndef KSR_BENCH_PEAK_H
#define KSR_BENCH_PEAK_H

#include "core/cpu.h"

// Multiplies and adds as fast as the level can for about a hundred million steps, in registers
// alone. *operations: multiplications done. what: "int16" or "int8". Returns false where the level
// has no such instructions.
bool ksr_ceiling_multiply(enum ksr_cpu_level level, const char *what, double *operations);

#endif
