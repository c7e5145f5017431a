// Batch norm with what stands behind it, for model/norm.py: y = clip(round(γ·(x − mean)/σ + β)).
//
// x, y and gradients (rows, c), float32 and dense; everything else (c,). Statistics are worked out
// in blocks of rows that fit a cache, in one pass over memory, and joined in the blocks' order: they
// do not depend on the number of threads.

#include "lanes.h"

#include <cmath>

constexpr int64_t BLOCK = 128;  // rows

struct Layer {  // as model/norm.py fills it
    int64_t rows, c, threads;
    float epsilon, momentum, unit, lo, hi, rounds;
    const float *gamma, *beta;
    float *mean, *var;              // running, updated
    float *batch_mean, *batch_rstd;  // kept for the way back

    int64_t blocks() const { return (rows + BLOCK - 1) / BLOCK; }
};

// y of x, before it is rounded and clipped, in LANES channels.
struct Line {
    Vec mean, rstd, gain, beta;

    Line(const Layer &l, int64_t at, int64_t lanes)
        : mean(load_some(l.batch_mean + at, lanes)), rstd(load_some(l.batch_rstd + at, lanes)),
          gain(load_some(l.gamma + at, lanes) * rstd), beta(load_some(l.beta + at, lanes)) {}

    Vec operator()(Vec x) const { return (x - mean) * gain + beta; }
};

// Calls work(part, first row, last + 1, first channel, lanes) for all channels of each block.
template <class Work> static void over_blocks(const Layer &l, Work work) {
    share_out(l.blocks(), std::min(l.threads, l.blocks()), [&](int64_t, int64_t from, int64_t to) {
        for (int64_t b = from; b < to; b++)
            for (int64_t at = 0; at < l.c; at += LANES)
                work(b, b * BLOCK, std::min(l.rows, (b + 1) * BLOCK), at,
                     std::min(LANES, l.c - at));
    });
}

// Sums by channel: those of all blocks, in order.
static std::vector<double> joined(const Layer &l, const std::vector<float> &parts) {
    std::vector<double> all(l.c);
    for (int64_t b = 0; b < l.blocks(); b++)
        for (int64_t i = 0; i < l.c; i++) all[i] += parts[b * l.c + i];
    return all;
}

static void statistics(const Layer &l, const float *x) {
    std::vector<float> sums(l.blocks() * l.c), squares(l.blocks() * l.c);
    over_blocks(l, [&](int64_t b, int64_t from, int64_t to, int64_t at, int64_t lanes) {
        Vec sum = {}, square = {};
        for (int64_t r = from; r < to; r++) sum += load_some(x + r * l.c + at, lanes);
        Vec mean = sum / (float)(to - from);
        for (int64_t r = from; r < to; r++) {
            Vec gap = load_some(x + r * l.c + at, lanes) - mean;
            square += gap * gap;
        }
        store_some(&sums[b * l.c + at], sum, lanes);
        store_some(&squares[b * l.c + at], square, lanes);
    });
    std::vector<double> total = joined(l, sums), within = joined(l, squares), between(l.c);
    for (int64_t b = 0; b < l.blocks(); b++) {
        double count = std::min(BLOCK, l.rows - b * BLOCK);
        for (int64_t i = 0; i < l.c; i++) {
            double gap = sums[b * l.c + i] / count - total[i] / l.rows;
            between[i] += count * gap * gap;
        }
    }
    for (int64_t i = 0; i < l.c; i++) {
        double mean = total[i] / l.rows, spread = within[i] + between[i];
        l.batch_mean[i] = mean;
        l.batch_rstd[i] = 1 / std::sqrt(spread / l.rows + l.epsilon);
        l.mean[i] += l.momentum * (mean - l.mean[i]);
        l.var[i] += l.momentum * (spread / (l.rows - 1) - l.var[i]);
    }
}

// Of `a` and a bound; what is no number stays so, as a training that diverges is to be seen.
static inline Vec least(Vec a, Vec bound) { return bound < a ? bound : a; }
static inline Vec most(Vec a, Vec bound) { return bound > a ? bound : a; }

static inline Vec whole(Vec y) {  // floor, of what an int32 holds
    Vec cut = __builtin_convertvector(__builtin_convertvector(y, Bits), Vec);
    cut = cut > y ? cut - 1.0f : cut;
    return y == y ? cut : y;
}

extern "C" void norm_forward(const Layer *layer, const float *x, float *y) {
    const Layer &l = *layer;
    statistics(l, x);
    const Vec lo = Vec{} + l.lo, hi = Vec{} + l.hi;
    over_blocks(l, [&](int64_t, int64_t from, int64_t to, int64_t at, int64_t lanes) {
        Line line(l, at, lanes);
        for (int64_t r = from; r < to; r++) {
            Vec v = line(load_some(x + r * l.c + at, lanes)) * l.unit;
            // clipped first, so that an int32 holds it: lo and hi are whole, and stay the ends
            v = least(most(v, lo), hi);
            if (l.rounds) v = least(whole(v + 0.5f), hi);
            store_some(y + r * l.c + at, v * (1 / l.unit), lanes);
        }
    });
}

// The slope of y where it is not clipped, else 0.
static inline Vec passed(const Layer &l, Vec y, Vec slope) {
    return (Vec)((Bits)slope & ((y >= l.lo / l.unit) & (y <= l.hi / l.unit)));
}

extern "C" void norm_backward(const Layer *layer, const float *x, const float *g, float *gx,
                              float *ggamma, float *gbeta) {
    const Layer &l = *layer;
    std::vector<float> slopes(l.blocks() * l.c), products(l.blocks() * l.c);
    over_blocks(l, [&](int64_t b, int64_t from, int64_t to, int64_t at, int64_t lanes) {
        Line line(l, at, lanes);
        Vec slope = {}, product = {};
        for (int64_t r = from; r < to; r++) {
            Vec v = load_some(x + r * l.c + at, lanes);
            Vec mine = passed(l, line(v), load_some(g + r * l.c + at, lanes));
            slope += mine;
            product += mine * (v - line.mean);
        }
        store_some(&slopes[b * l.c + at], slope, lanes);
        store_some(&products[b * l.c + at], product * line.rstd, lanes);
    });
    std::vector<double> slope = joined(l, slopes), product = joined(l, products);
    std::vector<float> level(l.c), tilt(l.c);  // of what the mean and the variance pass back
    for (int64_t i = 0; i < l.c; i++) {
        gbeta[i] = slope[i], ggamma[i] = product[i];
        level[i] = slope[i] / l.rows, tilt[i] = product[i] / l.rows * l.batch_rstd[i];
    }
    over_blocks(l, [&](int64_t, int64_t from, int64_t to, int64_t at, int64_t lanes) {
        Line line(l, at, lanes);
        Vec even = load_some(&level[at], lanes), rising = load_some(&tilt[at], lanes);
        for (int64_t r = from; r < to; r++) {
            Vec v = load_some(x + r * l.c + at, lanes);
            Vec mine = passed(l, line(v), load_some(g + r * l.c + at, lanes));
            mine = (mine - even - (v - line.mean) * rising) * line.gain;
            store_some(gx + r * l.c + at, mine, lanes);
        }
    });
}
