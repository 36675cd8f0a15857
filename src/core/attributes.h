// Compiler extensions, all in one place.

#ifndef KSR_CORE_ATTRIBUTES_H
#define KSR_CORE_ATTRIBUTES_H

#if defined(__GNUC__)
#define KSR_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
#else
#define KSR_PRINTF(format, first)
#endif

#endif
