// Compiler extensions, all in one place.

#ifndef KSR_CORE_ATTRIBUTES_H
#define KSR_CORE_ATTRIBUTES_H

#if defined(__GNUC__)
#define KSR_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
// Compiles one function for more instructions than the file; call it only where they are.
#define KSR_TARGET(names) __attribute__((__target__(names)))
// Makes a vector of x86 or 64-bit Arm look changed, at no cost.
#if defined(__aarch64__)
#define KSR_OPAQUE_VECTOR(v) __asm__ volatile("" : "+w"(v))
#else
#define KSR_OPAQUE_VECTOR(v) __asm__ volatile("" : "+x"(v))
#endif
// Makes what a pointer leads to look changed, so that it is read from memory and not kept.
#define KSR_OPAQUE_MEMORY(p) __asm__ volatile("" : : "r"(p) : "memory")
// Before a loop: all of its turns one after the other, up to n.
#define KSR_UNROLL(n)        KSR_UNROLL_PRAGMA(GCC unroll n)
#define KSR_UNROLL_PRAGMA(x) _Pragma(#x)
// Around lines that have to touch what a library declares out of date.
#define KSR_DEPRECATED_BEGIN                                                                       \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wdeprecated-declarations\"")
#define KSR_DEPRECATED_END _Pragma("GCC diagnostic pop")
#else
#define KSR_PRINTF(format, first)
#define KSR_TARGET(names)
#define KSR_OPAQUE_VECTOR(v)
#define KSR_OPAQUE_MEMORY(p)
#define KSR_UNROLL(n)
#define KSR_DEPRECATED_BEGIN
#define KSR_DEPRECATED_END
#endif

#endif
