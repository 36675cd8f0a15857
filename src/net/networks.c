// Made by tools/generate-options from models/networks.toml.

#include "net/networks.h"

// clang-format off
const struct ksr_network ksr_networks[] = {
    {.name = "anime-fast", .purpose = "slow processors",
     .hash = "71071944ab88a6433b6af5be35be7e6b", .denoise = 100, .least_processor = 3,
     .least_gpu = 3},
    {.name = "anime-quality", .purpose = "processors", .hash = "7b88c51fc27f1427a2819821d08bc380",
     .denoise = 100, .least_processor = 3, .least_gpu = 3},
    {.name = "anime-best", .purpose = "sharp or coded sources",
     .hash = "2a60c466950f7c53ecc02709160313bc", .denoise = 25, .least_processor = 3,
     .least_gpu = 3},
    {.name = "anime-ultra", .purpose = "GPUs: most faithful",
     .hash = "593a9e76b50a163d617784ac9ee2e2c8", .denoise = 25, .least_gpu = 20},
};
// clang-format on
const size_t ksr_network_count = sizeof(ksr_networks) / sizeof(ksr_networks[0]);
