// Made by tools/generate-options from models/networks.toml.

#include "net/networks.h"

// clang-format off
const struct ksr_network ksr_networks[] = {
    {.name = "anime-fast", .purpose = "slow processors",
     .hash = "71071944ab88a6433b6af5be35be7e6b", .denoise_quantizer = 100, .denoise_shown = 100,
     .least_processor = 3, .least_gpu = 3},
    {.name = "anime-quality", .purpose = "processors", .hash = "7b88c51fc27f1427a2819821d08bc380",
     .denoise_quantizer = 100, .denoise_shown = 100, .least_processor = 3, .least_gpu = 3},
    {.name = "anime-best", .purpose = "all kinds of sources",
     .hash = "a586c29232f2006fb34a4d1f22433804", .chroma = "anime-chroma",
     .denoise_quantizer = 100, .denoise_shown = 25, .least_processor = 3, .least_gpu = 3},
    {.name = "anime-ultra", .purpose = "GPUs: most faithful",
     .hash = "96f781aced5b42f52cb226c613428dbe", .chroma = "anime-chroma",
     .denoise_quantizer = 100, .denoise_shown = 25, .least_gpu = 20},
    {.name = "anime-web", .purpose = "low-rate H.264, H.265",
     .hash = "8be9fc35227a1d327abd770e49f2f4d0", .chroma = "anime-chroma", .denoise_shown = 25,
     .clean = "anime-best", .clean_doubt = 100, .clean_alike = 62, .temporal = 5},
    {.name = "anime-dvd", .purpose = "DVD: MPEG-2, Xvid",
     .hash = "9c51f24933c7c384fc15cfb9d965038d", .chroma = "anime-chroma", .denoise_shown = 25,
     .clean = "anime-best", .clean_doubt = 100, .clean_alike = 50, .temporal = 5},
    {.name = "anime-chroma", .purpose = "chroma of 4:2:0",
     .hash = "e53fbbe8242c11902141a310aa268de8", .enlarges_chroma = true, .denoise_quantizer = 100,
     .denoise_shown = 100},
};
// clang-format on
const size_t ksr_network_count = sizeof(ksr_networks) / sizeof(ksr_networks[0]);
