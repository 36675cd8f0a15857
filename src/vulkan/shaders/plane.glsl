// What most kernels begin with: one invocation for each sample of a plane, edges replicated.

#extension GL_EXT_control_flow_attributes : require
#include "params.h"

layout(local_size_x_id = 0, local_size_y_id = 1) in;

// Declares the parameters of the kernel as `p`.
#define PARAMS(type)                                                                               \
    layout(push_constant, std430) uniform Params                                                   \
    {                                                                                              \
        type p;                                                                                    \
    }

const int SAMPLE_MAX = 32767, CHROMA_ZERO = 16384;

uint place(ksr_gpu_plane plane, int x, int y)
{
    return uint(y) * uint(plane.stride) + uint(x);
}

int load(ksr_gpu_plane plane, int x, int y)
{
    return int(plane.data.at[place(plane, clamp(x, 0, plane.width - 1),
                                   clamp(y, 0, plane.height - 1))]);
}

void store(ksr_gpu_plane plane, int x, int y, int value)
{
    plane.data.at[place(plane, x, y)] = uint16_t(value);
}

// The sample of this invocation.
ivec2 here()
{
    return ivec2(gl_GlobalInvocationID.xy);
}

bool outside(ksr_gpu_plane plane, ivec2 at)
{
    return at.x >= plane.width || at.y >= plane.height;
}

// ksr_soft() of tile.h.
int soft(int distance, int limit)
{
    const int size = abs(distance), kept = max(min(size, 2 * limit - size), 0);
    return distance < 0 ? -kept : kept;
}
