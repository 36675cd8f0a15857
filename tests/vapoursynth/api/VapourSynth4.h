// A stand-in for VapourSynth's header where that is not installed, so that the plugin is compiled
// and tested everywhere: the part of its interface, version 4.0, that the plugin and host.c use.
// Functions that neither uses are gaps of the same size. With the real header this file is not
// looked at.

#ifndef KSR_TESTS_VAPOURSYNTH4_H
#define KSR_TESTS_VAPOURSYNTH4_H

#include <stddef.h>
#include <stdint.h>

#define VS_CC
#define VS_EXTERNAL_API(type)         __attribute__((visibility("default"))) type
#define VS_MAKE_VERSION(major, minor) ((major) << 16 | (minor))
#define VAPOURSYNTH_API_VERSION       VS_MAKE_VERSION(4, 0)

typedef struct VSFrame VSFrame;
typedef struct VSNode VSNode;
typedef struct VSCore VSCore;
typedef struct VSPlugin VSPlugin;
typedef struct VSMap VSMap;
typedef struct VSFrameContext VSFrameContext;
typedef struct VSAPI VSAPI;

enum { cfGray = 1, cfRGB = 2, cfYUV = 3 };
enum { stInteger = 0, stFloat = 1 };
enum { fmParallel = 0, fmParallelRequests = 1 };
enum { maReplace = 0, maAppend = 1 };
enum { arError = -1, arInitial = 0, arAllFramesReady = 1 };
enum { mtDebug = 0, mtInformation = 1, mtWarning = 2 };
enum { rpGeneral = 0, rpNoFrameReuse = 1, rpStrictSpatial = 2 };

typedef struct {
    int colorFamily, sampleType, bitsPerSample, bytesPerSample, subSamplingW, subSamplingH,
        numPlanes;
} VSVideoFormat;

typedef struct {
    VSVideoFormat format;
    int64_t fpsNum, fpsDen;
    int width, height, numFrames;
} VSVideoInfo;

typedef struct {
    VSNode *source;
    int requestPattern;
} VSFilterDependency;

typedef void (*VSPublicFunction)(const VSMap *in, VSMap *out, void *data, VSCore *core,
                                 const VSAPI *api);
typedef const VSFrame *(*VSFilterGetFrame)(int n, int reason, void *data, void **frame_data,
                                           VSFrameContext *frames, VSCore *core, const VSAPI *api);
typedef void (*VSFilterFree)(void *data, VSCore *core, const VSAPI *api);

typedef struct {
    int (*getAPIVersion)(void);
    int (*configPlugin)(const char *identifier, const char *space, const char *name, int version,
                        int api, int flags, VSPlugin *plugin);
    int (*registerFunction)(const char *name, const char *arguments, const char *result,
                            VSPublicFunction function, void *data, VSPlugin *plugin);
} VSPLUGINAPI;

struct VSAPI { // place in the table at the end of the line
    void (*createVideoFilter)(VSMap *out, const char *name, const VSVideoInfo *info,
                              VSFilterGetFrame get_frame, VSFilterFree free, int mode,
                              const VSFilterDependency *sources, int count, void *data,
                              VSCore *core); // 0
    void (*gap_1[6])(void);
    void (*freeNode)(VSNode *node); // 7
    void (*gap_8[2])(void);
    const VSVideoInfo *(*getVideoInfo)(VSNode *node); // 10
    void (*gap_11[1])(void);
    VSFrame *(*newVideoFrame)(const VSVideoFormat *format, int width, int height,
                              const VSFrame *properties, VSCore *core); // 12
    void (*gap_13[3])(void);
    void (*freeFrame)(const VSFrame *frame); // 16
    void (*gap_17[2])(void);
    const VSMap *(*getFramePropertiesRO)(const VSFrame *frame);    // 19
    VSMap *(*getFramePropertiesRW)(VSFrame *frame);                // 20
    ptrdiff_t (*getStride)(const VSFrame *frame, int plane);       // 21
    const uint8_t *(*getReadPtr)(const VSFrame *frame, int plane); // 22
    uint8_t *(*getWritePtr)(VSFrame *frame, int plane);            // 23
    void (*gap_24[12])(void);
    const VSFrame *(*getFrame)(int n, VSNode *node, char *error, int size); // 36
    void (*gap_37[1])(void);
    const VSFrame *(*getFrameFilter)(int n, VSNode *node, VSFrameContext *frames); // 38
    void (*requestFrameFilter)(int n, VSNode *node, VSFrameContext *frames);       // 39
    void (*gap_40[2])(void);
    void (*setFilterError)(const char *error, VSFrameContext *frames); // 42
    void (*gap_43[8])(void);
    void (*mapSetError)(VSMap *map, const char *error); // 51
    void (*gap_52[7])(void);
    int64_t (*mapGetInt)(const VSMap *map, const char *key, int index, int *error); // 59
    void (*gap_60[2])(void);
    int (*mapSetInt)(VSMap *map, const char *key, int64_t value, int append); // 62
    void (*gap_63[1])(void);
    double (*mapGetFloat)(const VSMap *map, const char *key, int index, int *error); // 64
    void (*gap_65[4])(void);
    const char *(*mapGetData)(const VSMap *map, const char *key, int index, int *error); // 69
    void (*gap_70[3])(void);
    VSNode *(*mapGetNode)(const VSMap *map, const char *key, int index, int *error); // 73
    void (*gap_74[29])(void);
    void (*logMessage)(int kind, const char *message, VSCore *core); // 103
    void (*gap_104[2])(void);
};

#endif
