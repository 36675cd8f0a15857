// Compiler extensions, all in one place.

#ifndef KSR_CORE_ATTRIBUTES_H
#define KSR_CORE_ATTRIBUTES_H

#if defined(__GNUC__)
#define KSR_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
// Compiles one function for more instructions than the file; call it only where they are.
#define KSR_TARGET(names) __attribute__((__target__(names)))
#else
#define KSR_PRINTF(format, first)
#define KSR_TARGET(names)
#endif

#endif
