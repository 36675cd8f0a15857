// Made by train/shader/train.py and described in train/shader/README.md; not to be edited.

static const struct split splits[] = {
    {0, INNER_DEPTH, 4681, 1},  {0, OUTER_DEPTH, 1820, 2}, {1, INNER_DEPTH, 10142, 3},
    {2, DIAGONAL, 11517, 4},    {1, SLOPE_Y, 10601, 5},    {0, DIAGONAL, 17865, 6},
    {3, SLOPE, 29647, 7},       {5, LEFT, 10923, 8},       {4, ALONG_SIZE, 5319, 9},
    {0, ACROSS, 5301, 10},      {3, FAR_LEFT, -5461, 11},  {2, LEFT, 4681, 12},
    {6, LAPLACE, 12190, 13},    {4, TOP_LEFT, -10082, 14}, {1, BOTTOM_LEFT, -7022, 15},
    {7, ACROSS, 655, 16},       {14, FAR_RIGHT, 1886, 17}, {5, TOP_RIGHT, 10923, 18},
    {2, RIGHT, 7734, 19},       {11, SLOPE_Y, 936, 20},    {1, SLOPE_Y, -3277, 21},
    {4, FAR_LEFT, 1560, 22},    {9, TOP_LEFT, -11988, 23}, {8, OUTER_DEPTH, 8192, 24},
    {0, LEFT, 2329, 25},        {20, TOP_RIGHT, 7562, 26}, {19, BOTTOM_LEFT, 1872, 27},
    {12, FAR_LEFT, 1560, 28},   {15, TOP_RIGHT, 9145, 29}, {10, FAR_LEFT, -523, 30},
    {13, TOP_RIGHT, -9513, 31},
};
