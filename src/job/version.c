// Versions of what else the library is made with, for people; see common.h. Those of the FFmpeg
// libraries, which reach the bytes, are in media/av/ffmpeg.c.

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <xxhash.h>

#include "kizunasr/common.h"

static char text[256];

static void write_text(void)
{
    const unsigned xxh = XXH_versionNumber();
    snprintf(text, sizeof(text), "jansson %s, xxHash %u.%u.%u", jansson_version_str(), xxh / 10000,
             xxh / 100 % 100, xxh % 100);
}

const char *ksr_other_versions(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, write_text);
    return text;
}
