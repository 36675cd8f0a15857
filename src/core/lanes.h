// Vectors of 16-bit lanes, as wide as the level has them: 8 with NEON, 16 with AVX2, 32 with
// AVX-512. So one source serves all; x86/lanes.h says what each function does.

#ifndef KSR_CORE_LANES_H
#define KSR_CORE_LANES_H

#if defined(__aarch64__)
#include "core/arm/lanes.h"
#else
#include "core/x86/lanes.h"
#endif

#endif
