// A layer over windows: x (n, h, w, c) to (n, rows, columns, o), weights (o, k, k, c), or (c, k, k)
// where it is depthwise. An image is padded into a scratch that fits a cache, where each row of a
// window is a run of k·c numbers.
#pragma once

#include "lanes.h"

struct Shape {  // as model/native.py fills it
    int64_t n, h, w, c, o, k, stride, pad, rows, columns, depthwise;

    int64_t pixels() const { return rows * columns; }
    int64_t row() const { return (w + 2 * pad) * c; }  // of the padded image
    int64_t padded() const { return (h + 2 * pad) * row() + LANES; }
    int64_t run() const { return k * c; }
    int64_t vectors() const { return (run() + LANES - 1) / LANES; }  // in a run
    int64_t at(int64_t pixel) const {  // its window, in the padded image
        return pixel / columns * stride * row() + pixel % columns * stride * c;
    }
};
