#version 460
// net_body.comp by matrices: pixels x inputs times inputs x outputs. Of a row of M units, which are
// 32 channels of a pixel or 16 of two; see vulkan/net.h. Workgroups along z: 32 outputs each.
//
// A subgroup makes M x ROWS units. It keeps the weights of a block of inputs, goes down the rows of
// inputs and uses each matrix of them for all rows of sums that need it. Inputs come straight from
// memory: caches serve those that neighbours share faster than shared memory does. With N = 8 the
// sums of channels 4j .. 4j + 3 are element j of four matrices, so that these become one of packed
// activations. With N = 16 they go through shared memory.

#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1) in; // 4 subgroups
layout(constant_id = 2) const int BLOCKS = 1;        // of 32 inputs
layout(constant_id = 3) const int ROWS_AROUND = 3;   // of the kernel
layout(constant_id = 4) const int COLUMNS = 3;       // of the kernel, in units
layout(constant_id = 5) const int M = 16;
layout(constant_id = 6) const int N = 8;
layout(constant_id = 7) const int K = 32;

layout(buffer_reference, std430, buffer_reference_align = 16) buffer Quads
{
    uvec4 at[];
};
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Words
{
    int at[];
};

// struct ksr_gpu_net_body of params.h.
layout(push_constant, std430) uniform Params
{
    Quads src;
    Words dst, weights;
    int stride;
} p;

const int ROWS = 16;
const bool PACKED = N == 8;
const int STEPS = 32 / K, TAPS = ROWS_AROUND * COLUMNS * STEPS, MATRICES = 32 / N;
const int MATRIX = K * N / 4, TABLE = M * N, BLOCK = TAPS * MATRICES * MATRIX; // words
const int ROW_MAJOR = gl_CooperativeMatrixLayoutRowMajor;
const int COLUMN_MAJOR = gl_CooperativeMatrixLayoutColumnMajor;

#define MATRIX_OF(type, rows, columns, use)                                                        \
    coopmat<type, gl_ScopeSubgroup, rows, columns, gl_MatrixUse##use>

shared ivec4 staged[PACKED ? 1 : 4 * M * 8]; // [subgroup][unit][channel]

// Packed, limited to 0..255, less 128.
int activations(ivec4 sum)
{
    const ivec4 a = clamp(sum, 0, 255);
    return (a.x | a.y << 8 | a.z << 16 | a.w << 24) ^ 0x80808080;
}

void main()
{
    const ivec2 corner = ivec2(gl_WorkGroupID.xy) * ivec2(2 * M, 2 * ROWS) +
                         ivec2(gl_SubgroupID % 2 * M, gl_SubgroupID / 2 * ROWS);
    const int first = int(gl_WorkGroupID.z) * (BLOCKS * BLOCK + 2 * MATRICES * TABLE);
    const int biases = first + BLOCKS * BLOCK, shifts = biases + MATRICES * TABLE;

    MATRIX_OF(int, M, N, Accumulator) sum[ROWS][MATRICES], shift[MATRICES];
    [[unroll]] for (int n = 0; n < MATRICES; n++) {
        coopMatLoad(sum[0][n], p.weights.at, biases + n * TABLE, N, ROW_MAJOR);
        coopMatLoad(shift[n], p.weights.at, shifts + n * TABLE, N, ROW_MAJOR);
        [[unroll]] for (int y = 1; y < ROWS; y++)
            sum[y][n] = sum[0][n];
    }

    for (int block = 0; block < BLOCKS; block++) {
        MATRIX_OF(int8_t, K, N, B) weights[TAPS][MATRICES];
        [[unroll]] for (int t = 0; t < TAPS; t++)
            [[unroll]] for (int n = 0; n < MATRICES; n++)
                coopMatLoad(weights[t][n], p.weights.at,
                            first + block * BLOCK + (t * MATRICES + n) * MATRIX, K / 4,
                            COLUMN_MAJOR);
        [[unroll]] for (int row = 0; row < ROWS + ROWS_AROUND - 1; row++) {
            [[unroll]] for (int t = 0; t < COLUMNS * STEPS; t++) {
                const ivec2 from = corner + ivec2(t / STEPS, row);
                const uint unit = uint(from.y) * uint(p.stride) + uint(from.x);
                MATRIX_OF(int8_t, M, K, A) a;
                coopMatLoad(a, p.src.at, (unit * BLOCKS + block) * 2 + t % STEPS * (K / 16),
                            2 * BLOCKS, ROW_MAJOR);
                [[unroll]] for (int r = 0; r < ROWS_AROUND; r++) {
                    const int y = row - r;
                    const int tap = r * COLUMNS * STEPS + t;
                    if (y >= 0 && y < ROWS)
                        [[unroll]] for (int n = 0; n < MATRICES; n++)
                            sum[y][n] = coopMatMulAdd(a, weights[tap][n], sum[y][n]);
                }
            }
            const int y = row - ROWS_AROUND + 1;
            if (y < 0 || block < BLOCKS - 1)
                continue;
            const ivec2 at = corner + ivec2(0, y);
            const uint unit = uint(at.y) * uint(p.stride) + uint(at.x);
            const uint word = (unit * BLOCKS + gl_WorkGroupID.z) * 8;
            if (PACKED) {
                MATRIX_OF(int, M, N, Accumulator) packed;
                [[unroll]] for (int i = 0; i < packed.length(); i++) {
                    ivec4 a;
                    [[unroll]] for (int n = 0; n < MATRICES; n++)
                        a[n] = sum[y][n][i] >> shift[n][i];
                    packed[i] = activations(a);
                }
                coopMatStore(packed, p.dst.at, word, 8 * BLOCKS, ROW_MAJOR);
            } else {
                const int mine = int(gl_SubgroupID) * M * 8;
                [[unroll]] for (int n = 0; n < MATRICES; n++)
                    coopMatStore(sum[y][n], staged, mine + n * N / 4, 8, ROW_MAJOR);
                subgroupBarrier();
                for (int i = int(gl_SubgroupInvocationID); i < M * 8; i += int(gl_SubgroupSize)) {
                    const int channel = i % 8 * 4, table = channel / N * TABLE + channel % N;
                    ivec4 a;
                    [[unroll]] for (int k = 0; k < 4; k++)
                        a[k] = staged[mine + i][k] >> p.weights.at[shifts + table + k];
                    p.dst.at[word + i / 8 * 8 * BLOCKS + i % 8] = activations(a);
                }
                subgroupBarrier();
            }
        }
    }
}
