#version 460
// peak.comp with matrices. A subgroup writes M x N words.

#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 2) const int M = 16;
layout(constant_id = 3) const int N = 8;
layout(constant_id = 4) const int K = 32;

layout(buffer_reference, std430, buffer_reference_align = 16) buffer Words
{
    int at[];
};

// struct ksr_gpu_peak of params.h.
layout(push_constant, std430) uniform Params
{
    Words dst;
    int rounds;
} p;

const int CHAINS = 8;

#define MATRIX_OF(type, rows, columns, use)                                                        \
    coopmat<type, gl_ScopeSubgroup, rows, columns, gl_MatrixUse##use>

void main()
{
    const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    MATRIX_OF(int8_t, M, K, A) a;
    MATRIX_OF(int8_t, K, N, B) b;
    MATRIX_OF(int, M, N, Accumulator) sum[CHAINS];
    coopMatLoad(a, p.dst.at, 0, K / 4, gl_CooperativeMatrixLayoutRowMajor);
    coopMatLoad(b, p.dst.at, 0, K / 4, gl_CooperativeMatrixLayoutColumnMajor);
    [[unroll]] for (int i = 0; i < CHAINS; i++)
        sum[i] = MATRIX_OF(int, M, N, Accumulator)(i);
    for (int round = 0; round < p.rounds; round++)
        [[unroll]] for (int i = 0; i < CHAINS; i++)
            sum[i] = coopMatMulAdd(a, b, sum[i]);
    [[unroll]] for (int i = 1; i < CHAINS; i++)
        sum[0] = sum[0] + sum[i];
    coopMatStore(sum[0], p.dst.at, subgroup * M * N, N, gl_CooperativeMatrixLayoutRowMajor);
}
