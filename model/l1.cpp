// The L1 layer of model/l1.py: sums −Σ|x − w| over windows, and their gradients.
//
// x (n, h, w, c), weights (o, k, k, c), sums and their gradients (n, rows, columns, o), all float32
// and dense. A depthwise layer has weights (c, k, k) and o = c. An image is padded into a scratch
// that fits a cache, where each row of a window is a run of k·c floats. Images are shared out
// between threads, and what threads add up is added in their order: equal for equal `threads`.

#include "windows.h"

constexpr int64_t OUTPUTS = 8;  // of which gradients of weights are summed at once

static inline Vec magnitude(Vec d) { return (Vec)((Bits)d & 0x7fffffff); }

static inline Vec hard_tanh(Vec d) {
#ifdef __AVX512DQ__
    return _mm512_range_ps(d, Vec{} + 1.0f, 2);  // the smaller magnitude, with the sign of d
#else
    d = d < 1.0f ? d : Vec{} + 1.0f;
    return d > -1.0f ? d : Vec{} - 1.0f;
#endif
}

static inline void add(float *to, Vec value, int64_t lanes) {
    store_some(to, load_some(to, lanes) + value, lanes);
}

static void pad_image(const Shape &s, const float *image, float *padded) {
    for (int64_t i = 0; i < s.h; i++)
        std::memcpy(padded + (i + s.pad) * s.row() + s.pad * s.c, image + i * s.w * s.c,
                    sizeof(float) * s.w * s.c);
}

static void cut_image(const Shape &s, const float *padded, float *image) {
    for (int64_t i = 0; i < s.h; i++)
        std::memcpy(image + i * s.w * s.c, padded + (i + s.pad) * s.row() + s.pad * s.c,
                    sizeof(float) * s.w * s.c);
}

// ------------------------------------------------------------------------------------- forward

// Weights as tiles read them: blocks of one or two vectors of outputs, in each all terms.
static std::vector<float> by_outputs(const Shape &s, const float *w) {
    int64_t terms = s.k * s.run(), wide = (s.o + LANES - 1) / LANES * LANES;
    std::vector<float> packed(wide * terms);
    float *to = packed.data();
    for (int64_t o = 0, width; o < s.o; o += width) {
        width = s.o - o > LANES ? 2 * LANES : LANES;
        for (int64_t t = 0; t < terms; t++, to += width)
            for (int64_t i = 0; i < std::min(width, s.o - o); i++) to[i] = w[(o + i) * terms + t];
    }
    return packed;
}

// The sums of P pixels and V vectors of outputs, in registers.
template <int P, int V>
static void tile(const Shape &s, const float *const *window, const float *w, float (*out)[2 * LANES]) {
    Vec sums[P][V] = {};
    for (int64_t row = 0; row < s.k * s.row(); row += s.row())
        for (int64_t i = row; i < row + s.run(); i++, w += V * LANES)
            for (int p = 0; p < P; p++)
                for (int v = 0; v < V; v++)
                    sums[p][v] -= magnitude(window[p][i] - load(w + v * LANES));
    for (int p = 0; p < P; p++) std::memcpy(out[p], sums[p], sizeof sums[p]);
}

template <int P>
static void image_sums(const Shape &s, const float *padded, const float *packed, float *y) {
    const float *window[P];
    float out[P][2 * LANES];
    for (int64_t pixel = 0; pixel < s.pixels(); pixel += P) {
        int64_t count = std::min<int64_t>(P, s.pixels() - pixel);
        for (int64_t p = 0; p < P; p++)  // the last ones repeat, and are not kept
            window[p] = padded + s.at(pixel + std::min(p, count - 1));
        const float *w = packed;
        for (int64_t o = 0, width; o < s.o; o += width) {
            width = s.o - o > LANES ? 2 * LANES : LANES;
            width > LANES ? tile<P, 2>(s, window, w, out) : tile<P, 1>(s, window, w, out);
            for (int64_t p = 0; p < count; p++)
                std::memcpy(y + (pixel + p) * s.o + o, out[p],
                            sizeof(float) * std::min(width, s.o - o));
            w += width * s.k * s.run();
        }
    }
}

static void depthwise_sums(const Shape &s, const float *padded, const float *taps, float *y) {
    for (int64_t pixel = 0; pixel < s.pixels(); pixel++)
        for (int64_t c = 0; c < s.c; c += LANES) {
            Vec sum = {};
            const float *w = taps + c;
            for (int64_t i = 0; i < s.k; i++)
                for (int64_t j = 0; j < s.k; j++, w += s.c)
                    sum -= magnitude(load(padded + s.at(pixel) + i * s.row() + j * s.c + c) - load(w));
            std::memcpy(y + pixel * s.c + c, &sum, sizeof(float) * std::min(LANES, s.c - c));
        }
}

// Weights (c, taps) of a depthwise layer as (taps, c), and back.
static void transpose(const float *from, float *to, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
}

static std::vector<float> by_taps(const Shape &s, const float *w) {
    std::vector<float> taps(s.k * s.run() + LANES);
    transpose(w, taps.data(), s.c, s.k * s.k);
    return taps;
}

extern "C" int64_t l1_forward(const Shape *shape, const float *x, const float *w, float *y,
                           int64_t threads) {
    const Shape &s = *shape;
    std::vector<float> packed = s.depthwise ? by_taps(s, w) : by_outputs(s, w);
    bool sevens = (s.pixels() + 6) / 7 * 7 < (s.pixels() + 7) / 8 * 8;
    share_out(s.n, threads, [&](int64_t, int64_t from, int64_t to) {
        std::vector<float> padded(s.padded());
        for (int64_t n = from; n < to; n++) {
            float *out = y + n * s.pixels() * s.o;
            pad_image(s, x + n * s.h * s.w * s.c, padded.data());
            if (s.depthwise) depthwise_sums(s, padded.data(), packed.data(), out);
            else if (sevens) image_sums<7>(s, padded.data(), packed.data(), out);
            else image_sums<8>(s, padded.data(), packed.data(), out);
        }
    });
    return 1;
}

// ------------------------------------------------------------------------------------ backward

// Weights (o, k, run) as (k · vectors, o, LANES): the last vector of each run is filled up.
static std::vector<float> by_terms(const Shape &s, const float *w) {
    std::vector<float> packed(s.k * s.vectors() * s.o * LANES);
    for (int64_t o = 0; o < s.o; o++)
        for (int64_t i = 0; i < s.k; i++)
            for (int64_t r = 0; r < s.run(); r++)
                packed[((i * s.vectors() + r / LANES) * s.o + o) * LANES + r % LANES] =
                    w[(o * s.k + i) * s.run() + r];
    return packed;
}

// Adds Σ over outputs of HardTanh(w − x)·g to the gradients of the windows of P pixels.
template <int P>
static void input_tile(const Shape &s, const float *padded, const float *packed, const float *g,
                       float *gx, int64_t pixel) {
    int64_t count = std::min<int64_t>(P, s.pixels() - pixel), at[P];
    const float *slope[P];
    for (int64_t p = 0; p < P; p++) {
        int64_t mine = pixel + std::min(p, count - 1);
        at[p] = s.at(mine), slope[p] = g + mine * s.o;
    }
    for (int64_t i = 0; i < s.k; i++)
        for (int64_t r = 0; r < s.run(); r += LANES) {
            int64_t place = i * s.row() + r;
            Vec sums[P] = {}, x[P];
            for (int p = 0; p < P; p++) x[p] = load(padded + at[p] + place);
            for (int64_t o = 0; o < s.o; o++, packed += LANES)
                for (int p = 0; p < P; p++)
                    sums[p] += hard_tanh(load(packed) - x[p]) * slope[p][o];
            for (int p = 0; p < count; p++) add(gx + at[p] + place, sums[p], s.run() - r);
        }
}

// Adds Σ over pixels of x·g, for V vectors of terms and OUTPUTS outputs from `o` on, to gw.
template <int V>
static void weight_tile(const Shape &s, const float *x, const int64_t *at, const float *g,
                        float *gw, int64_t o) {
    int64_t count = std::min(OUTPUTS, s.o - o), which[OUTPUTS];
    for (int64_t i = 0; i < OUTPUTS; i++) which[i] = o + std::min(i, count - 1);
    Vec sums[OUTPUTS][V] = {};
    for (int64_t pixel = 0; pixel < s.pixels(); pixel++, g += s.o)
        for (int i = 0; i < OUTPUTS; i++)
            for (int v = 0; v < V; v++)
                sums[i][v] += load(x + at[pixel] + v * LANES) * g[which[i]];
    for (int i = 0; i < count; i++)
        for (int v = 0; v < V; v++) *(Vec *)(gw + (v * s.o + o + i) * LANES) += sums[i][v];
}

static void weight_sums(const Shape &s, const float *padded, const int64_t *at, const float *g,
                        float *gw) {
    for (int64_t i = 0; i < s.k; i++)
        for (int64_t v = 0, step; v < s.vectors(); v += step) {
            step = s.vectors() - v > 1 ? 2 : 1;
            const float *x = padded + i * s.row() + v * LANES;
            float *to = gw + (i * s.vectors() + v) * s.o * LANES;
            for (int64_t o = 0; o < s.o; o += OUTPUTS)
                step == 2 ? weight_tile<2>(s, x, at, g, to, o) : weight_tile<1>(s, x, at, g, to, o);
        }
}

static void depthwise_slopes(const Shape &s, const float *padded, const float *taps,
                             const int64_t *at, const float *g, float *gx, float *gw) {
    for (int64_t pixel = 0; pixel < s.pixels(); pixel++)
        for (int64_t t = 0; t < s.k * s.k; t++)
            for (int64_t c = 0; c < s.c; c += LANES) {
                int64_t place = at[pixel] + t / s.k * s.row() + t % s.k * s.c + c;
                Vec x = load(padded + place), slope = load(g + pixel * s.c + c);
                add(gx + place, hard_tanh(load(taps + t * s.c + c) - x) * slope, s.c - c);
                add(gw + t * s.c + c, x * slope, s.c - c);
            }
}

// Adds Σ over pixels of g to the total of each output.
static void add_up(const Shape &s, const float *g, float *total) {
    std::vector<float> sum(s.o);
    for (int64_t pixel = 0; pixel < s.pixels(); pixel++)
        for (int64_t o = 0; o < s.o; o++) sum[o] += g[pixel * s.o + o];
    for (int64_t o = 0; o < s.o; o++) total[o] += sum[o];
}

// Sums of x·g, in the order of packed weights, back to the order of `w`, less w·Σg.
static void finish(const Shape &s, const float *w, const float *sums, const float *total,
                   float *gw) {
    int64_t terms = s.depthwise ? s.k * s.k : s.k * s.run();
    if (s.depthwise) transpose(sums, gw, terms, s.c);
    else
        for (int64_t o = 0; o < s.o; o++)
            for (int64_t t = 0; t < terms; t++) {
                int64_t vector = t / s.run() * s.vectors() + t % s.run() / LANES;
                gw[o * terms + t] = sums[(vector * s.o + o) * LANES + t % s.run() % LANES];
            }
    for (int64_t o = 0; o < s.o; o++)
        for (int64_t t = 0; t < terms; t++) gw[o * terms + t] -= w[o * terms + t] * total[o];
}

// gx: null where nobody wants it.
extern "C" int64_t l1_backward(const Shape *shape, const float *x, const float *w, const float *g,
                            float *gx, float *gw, int64_t threads) {
    const Shape &s = *shape;
    std::vector<float> packed = s.depthwise ? by_taps(s, w) : by_terms(s, w);
    std::vector<int64_t> at(s.pixels());
    for (int64_t p = 0; p < s.pixels(); p++) at[p] = s.at(p);
    size_t size = packed.size();
    std::vector<float> sums(threads * size), totals(threads * s.o);
    share_out(s.n, threads, [&](int64_t thread, int64_t from, int64_t to) {
        std::vector<float> padded(s.padded()), slopes(s.padded());
        // a vector at a time is read, also from the end
        std::vector<float> mine(s.pixels() * s.o + LANES);
        float *sum = sums.data() + thread * size, *total = totals.data() + thread * s.o;
        for (int64_t n = from; n < to; n++) {
            pad_image(s, x + n * s.h * s.w * s.c, padded.data());
            std::fill(slopes.begin(), slopes.end(), 0.0f);
            std::copy_n(g + n * s.pixels() * s.o, s.pixels() * s.o, mine.data());
            add_up(s, mine.data(), total);
            if (s.depthwise)
                depthwise_slopes(s, padded.data(), packed.data(), at.data(), mine.data(),
                                 slopes.data(), sum);
            else {
                for (int64_t p = 0; gx && p < s.pixels(); p += 8)
                    input_tile<8>(s, padded.data(), packed.data(), mine.data(), slopes.data(), p);
                weight_sums(s, padded.data(), at.data(), mine.data(), sum);
            }
            if (gx) cut_image(s, slopes.data(), gx + n * s.h * s.w * s.c);
        }
    });
    for (int64_t t = 1; t < threads; t++) {
        for (size_t i = 0; i < size; i++) sums[i] += sums[t * size + i];
        for (int64_t o = 0; o < s.o; o++) totals[o] += totals[t * s.o + o];
    }
    finish(s, w, sums.data(), totals.data(), gw);
    return 1;
}
