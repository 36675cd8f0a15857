#version 460
// As many multiplications as a GPU can do, in registers alone. Each result is a factor of the next
// one of its chain, so that none can be left out; several chains hide the latency of one.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : require
#include "params.h"

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 2) const bool DOT_PRODUCT = false;

layout(push_constant, std430) uniform Params
{
    ksr_gpu_peak p;
};

const int CHAINS = 8;

// OpSDot, see net_conv.glsl.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019],
                  id = 4450) int packed_dot(int a, int b, spirv_literal int format);

void main()
{
    const int place = int(gl_GlobalInvocationID.x);
    int value[CHAINS], all = 0;
    [[unroll]] for (int i = 0; i < CHAINS; i++)
        value[i] = place + i;
    for (int round = 0; round < p.rounds; round++)
        [[unroll]] for (int i = 0; i < CHAINS; i++)
            value[i] = DOT_PRODUCT ? value[i] + packed_dot(value[i], place, 0)
                                   : value[i] * place + value[i];
    [[unroll]] for (int i = 0; i < CHAINS; i++)
        all ^= value[i];
    p.dst.at[place] = all;
}
