// The bundled networks: a table, made by tools/generate-options from models/networks.toml, which
// says what its members mean.

#ifndef KSR_NET_NETWORKS_H
#define KSR_NET_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

struct ksr_network {
    const char *name;
    const char *purpose;
    const char *hash;                     // of its file
    bool enlarges_chroma;                 // it is one of chroma; all others are of luma
    const char *chroma; // name of the one of chroma that goes with it; NULL: filters
    int denoise_quantizer, denoise_shown; // percent of the strength that each asks for
    int least_processor, least_gpu;       // frames per second; 0 = never chosen there
    const char *clean; // name of the network that is better where the source is clean; NULL: none
    int clean_doubt, clean_alike; // percent, from which a source is not clean, or not surely soft
    int temporal; // percent: the motion threshold of stage 5 before it; 0 = no stage 5
};

extern const struct ksr_network ksr_networks[];
extern const size_t ksr_network_count;

#define KSR_NETWORK_MOST 16 // networks that there may be

// Returns whether `ai_model_path` auto may choose it on any device.
static inline bool ksr_network_is_chosen(const struct ksr_network *network)
{
    return network->least_processor > 0 || network->least_gpu > 0;
}

// Returns the network of that name, NULL if there is none.
const struct ksr_network *ksr_network_find(const char *name);

// Returns the network whose file has that hash, wherever the file is; NULL if there is none.
const struct ksr_network *ksr_network_of(const char *hash);

#endif
