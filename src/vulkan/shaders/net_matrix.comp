#version 460
// net_body.comp by matrices: pixels x inputs times inputs x outputs. Of a row of M units, which are
// 32 channels of a pixel or 16 of two; see vulkan/net.h. Workgroups along z: 32 channels each.
//
// A subgroup makes M x ROWS units. It keeps some of the weights, goes down the rows of inputs and
// uses each matrix of them for all rows of sums that need it. Inputs come straight from memory:
// caches serve those that neighbours share faster than shared memory does. With N = 8 the sums of
// channels 4j .. 4j + 3 are element j of four matrices, so that these become one of packed
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
layout(constant_id = 8) const int ROWS = 16;    // of a subgroup
layout(constant_id = 9) const int KEPT = 3;     // parts of the weights, of PARTS
layout(constant_id = 10) const int STEP = 1;    // pixels of the input between those of the output
layout(constant_id = 11) const int OUTPUTS = 1; // blocks of 32
layout(constant_id = 12) const bool UP = false; // as in net_body.comp
layout(constant_id = 13) const bool SKIP = false;

layout(buffer_reference, std430, buffer_reference_align = 16) buffer Quads
{
    uvec4 at[];
};
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Words
{
    int at[];
};

// struct ksr_gpu_net_body of params.h, in units instead of pixels.
layout(push_constant, std430) uniform Params
{
    Quads src;
    Words dst, weights;
    int stride, block, out_stride, out_block;
    Words skip;
} p;

const bool PACKED = N == 8;
const int STEPS = 32 / K, MATRICES = 32 / N;
const int MOST = 4; // of MATRICES: functions take only arrays of a fixed size
const int MATRIX = K * N / 4, TABLE = M * N; // words
// A part of the weights is for one column of the kernel and one block of inputs. Where all are
// kept, a row of sums is finished as soon as its last inputs are read, so that few sums are kept.
const int PARTS = BLOCKS * COLUMNS;
const bool ROLLING = KEPT == PARTS;
const int IN_ROWS = (ROWS - 1) * STEP + ROWS_AROUND;
const int ROW_MAJOR = gl_CooperativeMatrixLayoutRowMajor;
const int COLUMN_MAJOR = gl_CooperativeMatrixLayoutColumnMajor;

#define MATRIX_OF(type, rows, columns, use)                                                        \
    coopmat<type, gl_ScopeSubgroup, rows, columns, gl_MatrixUse##use>
#define SUMS MATRIX_OF(int, M, N, Accumulator)

shared ivec4 staged[PACKED ? 1 : 4 * M * 8]; // [subgroup][unit][channel]

// Packed, limited to 0..255, less 128.
int activations(ivec4 value)
{
    const ivec4 a = clamp(value, 0, 255);
    return (a.x | a.y << 8 | a.z << 16 | a.w << 24) ^ 0x80808080;
}

ivec4 unpacked(int word)
{
    return ivec4(bitfieldExtract(word, 0, 8), bitfieldExtract(word, 8, 8),
                 bitfieldExtract(word, 16, 8), word >> 24) + 128;
}

// Stores a row of activations at `word`, with `step` words from one unit to the next.
void store_packed(SUMS sum[MOST], SUMS shift[MOST], uint word, int step)
{
    SUMS packed, added;
    if (SKIP)
        coopMatLoad(added, p.skip.at, word, step, ROW_MAJOR);
    [[unroll]] for (int i = 0; i < packed.length(); i++) {
        ivec4 a;
        [[unroll]] for (int n = 0; n < MATRICES; n++)
            a[n] = sum[n][i] >> shift[n][i];
        packed[i] = activations(SKIP ? a + unpacked(added[i]) : a);
    }
    coopMatStore(packed, p.dst.at, word, step, ROW_MAJOR);
}

void store_staged(SUMS sum[MOST], int shifts, uint word, int step)
{
    const int mine = int(gl_SubgroupID) * M * 8;
    [[unroll]] for (int n = 0; n < MATRICES; n++)
        coopMatStore(sum[n], staged, mine + n * N / 4, 8, ROW_MAJOR);
    subgroupBarrier();
    for (int i = int(gl_SubgroupInvocationID); i < M * 8; i += int(gl_SubgroupSize)) {
        const int channel = i % 8 * 4, table = channel / N * TABLE + channel % N;
        const uint to = word + i / 8 * step + i % 8;
        ivec4 a;
        [[unroll]] for (int k = 0; k < 4; k++)
            a[k] = staged[mine + i][k] >> p.weights.at[shifts + table + k];
        p.dst.at[to] = activations(SKIP ? a + unpacked(p.skip.at[to]) : a);
    }
    subgroupBarrier();
}

// Stores the sums of a row of units that begins at `at`.
void store(SUMS sum[MOST], SUMS shift[MOST], int shifts, ivec2 at)
{
    const int group = int(gl_WorkGroupID.z), phase = group / OUTPUTS, scale = UP ? 2 : 1;
    const ivec2 to = UP ? 2 * at + ivec2(phase % 2, phase / 2) : at;
    const uint unit = uint(to.y) * uint(p.out_stride) + uint(to.x);
    const uint word = (uint(group % OUTPUTS) * uint(p.out_block) + unit) * 8;
    if (PACKED)
        store_packed(sum, shift, word, 8 * scale);
    else
        store_staged(sum, shifts, word, 8 * scale);
}

void load_table(out SUMS table[MOST], int at)
{
    [[unroll]] for (int n = 0; n < MATRICES; n++)
        coopMatLoad(table[n], p.weights.at, at + n * TABLE, N, ROW_MAJOR);
}

void main()
{
    const ivec2 corner = ivec2(gl_WorkGroupID.xy) * ivec2(2 * M, 2 * ROWS) +
                         ivec2(gl_SubgroupID % 2 * M, gl_SubgroupID / 2 * ROWS);
    const int all = ROWS_AROUND * PARTS * STEPS * MATRICES * MATRIX;
    const int first = int(gl_WorkGroupID.z) * (all + 2 * MATRICES * TABLE);
    const int biases = first + all, shifts = biases + MATRICES * TABLE;

    SUMS sum[ROWS][MOST], shift[MOST];
    load_table(sum[0], biases);
    [[unroll]] for (int y = 1; y < ROWS; y++)
        [[unroll]] for (int n = 0; n < MATRICES; n++)
            sum[y][n] = sum[0][n];
    if (ROLLING && PACKED)
        load_table(shift, shifts);

    for (int part = 0; part < PARTS; part += KEPT) {
        MATRIX_OF(int8_t, K, N, B) weights[ROWS_AROUND][KEPT * STEPS][MATRICES];
        [[unroll]] for (int r = 0; r < ROWS_AROUND; r++)
            [[unroll]] for (int t = 0; t < KEPT * STEPS; t++)
                [[unroll]] for (int n = 0; n < MATRICES; n++) {
                    const int tap = ((part + t / STEPS) * ROWS_AROUND + r) * STEPS + t % STEPS;
                    coopMatLoad(weights[r][t][n], p.weights.at,
                                first + (tap * MATRICES + n) * MATRIX, K / 4, COLUMN_MAJOR);
                }
        [[unroll]] for (int row = 0; row < IN_ROWS; row++) {
            [[unroll]] for (int t = 0; t < KEPT * STEPS; t++) {
                const int block = (part + t / STEPS) / COLUMNS;
                const ivec2 from = STEP * corner + ivec2((part + t / STEPS) % COLUMNS, row);
                const uint unit = uint(block) * uint(p.block) + uint(from.y) * uint(p.stride) +
                                  uint(from.x);
                MATRIX_OF(int8_t, M, K, A) a;
                coopMatLoad(a, p.src.at, 2 * unit + t % STEPS * (K / 16), 2 * STEP, ROW_MAJOR);
                [[unroll]] for (int r = 0; r < ROWS_AROUND; r++) {
                    const int y = (row - r) / STEP;
                    if (row >= r && (row - r) % STEP == 0 && y < ROWS)
                        [[unroll]] for (int n = 0; n < MATRICES; n++)
                            sum[y][n] = coopMatMulAdd(a, weights[r][t][n], sum[y][n]);
                }
            }
            const int done = row - ROWS_AROUND + 1;
            if (ROLLING && done >= 0 && done % STEP == 0)
                store(sum[done / STEP], shift, shifts, corner + ivec2(0, done / STEP));
        }
    }

    if (ROLLING)
        return;
    if (PACKED)
        load_table(shift, shifts);
    [[unroll]] for (int y = 0; y < ROWS; y++)
        store(sum[y], shift, shifts, corner + ivec2(0, y));
}
