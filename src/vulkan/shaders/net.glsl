// What the kernels of networks share; see vulkan/net.h. A workgroup makes a tile of pixels, each
// invocation a column of ROWS of them.

#extension GL_EXT_control_flow_attributes : require
#include "params.h"

layout(local_size_x_id = 0, local_size_y_id = 1) in; // TILE_WIDTH x TILE_HEIGHT / ROWS
layout(constant_id = 2) const int WIDTH = 32;        // channels
layout(constant_id = 3) const int SIDE = 3;          // of the kernel

const int TILE_WIDTH = 32, TILE_HEIGHT = 16, ROWS = 4, INVOCATIONS = 128;

#define PARAMS(type)                                                                               \
    layout(push_constant, std430) uniform Params                                                   \
    {                                                                                              \
        type p;                                                                                    \
    }

// Of the tile in the activations.
ivec2 tile_corner()
{
    return ivec2(gl_WorkGroupID.xy) * ivec2(TILE_WIDTH, TILE_HEIGHT);
}

// In the tile, of the first pixel of this invocation.
ivec2 tile_place()
{
    return ivec2(gl_LocalInvocationID.x, int(gl_LocalInvocationID.y) * ROWS);
}

// Where 16 of the channels of a pixel are, of `groups` times 16; block: see params.h.
uint quad_of(ivec2 at, int stride, int block, int group, int groups)
{
    const int unit = groups % 2 == 0 ? 2 : groups; // in a block
    const uint pixel = uint(at.y) * uint(stride) + uint(at.x);
    return (uint(group / unit) * uint(block) + pixel) * unit + group % unit;
}

// Four activations of the next layer, packed: limited to 0..255, less 128.
int activations(ivec4 value)
{
    const ivec4 a = clamp(value, 0, 255);
    return (a.x | a.y << 8 | a.z << 16 | a.w << 24) ^ 0x80808080;
}

// --- Samples of the picture around the tile ---

const int AROUND = 4, SAMPLES_WIDTH = TILE_WIDTH + AROUND, SAMPLES_HEIGHT = TILE_HEIGHT + AROUND;

shared int samples[SAMPLES_HEIGHT * SAMPLES_WIDTH];

// Loads them less 16384: every `step`-th of src in both directions, beginning at `from`. These are a
// picture of `size`, whose edges are replicated, and the first that is loaded is at x, y of it.
void load_every(ksr_gpu_plane src, int step, ivec2 from, ivec2 size, int x, int y)
{
    const int count = SAMPLES_HEIGHT * SAMPLES_WIDTH;
    const ivec2 last = ivec2(src.width, src.height) - 1;
    for (int i = int(gl_LocalInvocationIndex); i < count; i += INVOCATIONS) {
        const ivec2 at = ivec2(x + i % SAMPLES_WIDTH, y + i / SAMPLES_WIDTH);
        const ivec2 place = min(step * clamp(at, ivec2(0), size - 1) + from, last);
        samples[i] = int(src.data.at[uint(place.y) * uint(src.stride) + uint(place.x)]) - 16384;
    }
}

void load_samples(ksr_gpu_plane src, int x, int y)
{
    load_every(src, 1, ivec2(0), ivec2(src.width, src.height), x, y);
}
