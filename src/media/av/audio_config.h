// What packets of audio say of their format themselves, where it may change midway.

#ifndef KSR_MEDIA_AV_AUDIO_CONFIG_H
#define KSR_MEDIA_AV_AUDIO_CONFIG_H

#include "media/av/ffmpeg.h"

// Returns what the ADTS header of an AAC packet says of profile, sample rate and channels, never 0;
// 0 = there is no such header.
int ksr_audio_config(const AVStream *stream, const AVPacket *packet);

// Whether a packet says that the format is another one than that of the stream from here on. first:
// what ksr_audio_config() told of the stream's first packet that had a header; 0 = none before.
bool ksr_audio_config_changes(const AVStream *stream, const AVPacket *packet, int first);

#endif
