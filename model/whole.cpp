// Sums over windows of 8-bit integers, exact, for model/whole.py: Σ x·w and −Σ|x − w|.
//
// x and w are float32, as everywhere; where they are multiples of powers of two that leave x 0 to
// 255 and w −128 to 127, they are packed into bytes, of which an instruction takes 64. For |x − w|
// the power is common, and a w below 0 counts as 0, its magnitude apart: no x is below 0.

#include "windows.h"

constexpr int FINEST = 16;  // binary places of what is looked at

// Numbers as multiples of 2^−FINEST: the bits that they have together, the least, the largest.
struct Range {
    int32_t bits = 0, lo = 0, hi = 0;

    // Whether all `count` are such multiples.
    bool takes(const float *from, int64_t count) {
        Bits any = {}, low = {}, high = {};
        for (int64_t at = 0; at < count; at += LANES) {
            Vec scaled = load_some(from + at, count - at) * (float)(1 << FINEST);
            Bits fits = (scaled > -1e9f) & (scaled < 1e9f);
            Bits whole = __builtin_convertvector(fits ? scaled : Vec{}, Bits);
            Bits wrong = ~fits | (__builtin_convertvector(whole, Vec) != scaled);
            any |= whole;
            low = whole < low ? whole : low;
            high = whole > high ? whole : high;
            if (some(wrong)) return false;
        }
        for (int64_t i = 0; i < LANES; i++)
            bits |= any[i], lo = std::min(lo, low[i]), hi = std::max(hi, high[i]);
        return true;
    }

    static bool some(Bits mask) {
        int64_t parts[LANES / 2], all = 0;
        std::memcpy(parts, &mask, sizeof parts);
        for (int64_t part : parts) all |= part;
        return all;
    }

    int32_t unit() const { return bits ? bits & -bits : 1 << FINEST; }
};

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__)

struct Product {
    static constexpr int64_t GROUP = 4, OUT = 16;  // bytes at once, of so many outputs
    static inline __m512i spread(const uint8_t *x, uint64_t) {  // beyond a run w is 0
        int32_t four;
        std::memcpy(&four, x, sizeof four);
        return _mm512_set1_epi32(four);
    }
    static inline __m512i step(__m512i sum, __m512i x, __m512i w) {
        return _mm512_dpbusd_epi32(sum, x, w);
    }
    static inline void keep(float *to, __m512i sum) {
        _mm512_storeu_ps(to, _mm512_cvtepi32_ps(sum));
    }
};

struct Distance {
    static constexpr int64_t GROUP = 8, OUT = 8;
    static inline __m512i spread(const uint8_t *x, uint64_t mask) {
        uint64_t eight;
        std::memcpy(&eight, x, sizeof eight);
        return _mm512_set1_epi64(eight & mask);
    }
    static inline __m512i step(__m512i sum, __m512i x, __m512i w) {
        return _mm512_add_epi64(sum, _mm512_sad_epu8(x, w));
    }
    static inline void keep(float *to, __m512i sum) {
        _mm256_storeu_ps(to, _mm512_cvtepi64_ps(sum));
    }
};

constexpr int P = 4;      // pixels of a tile
constexpr int MOST = 4;   // vectors of outputs of a tile

template <class Op> static int64_t groups(const Shape &s) {
    return (s.run() + Op::GROUP - 1) / Op::GROUP;
}

// Vectors of the tile that begins at output o.
template <class Op> static int64_t breadth(const Shape &s, int64_t o) {
    int64_t left = (s.o - o + Op::OUT - 1) / Op::OUT;
    return left >= MOST ? MOST : left > 1 ? 2 : 1;
}

// Weights in bytes as tiles read them, and what is added to the sum of each output.
template <class Op> struct Packed {
    std::vector<uint8_t> bytes;
    std::vector<float> offset;

    Packed(const Shape &s, const float *w, float unit, bool product)
        : bytes(((s.o + Op::OUT - 1) / Op::OUT + 1) * s.k * groups<Op>(s) * 64), offset(s.o) {
        uint8_t *to = bytes.data();
        for (int64_t o = 0, width; o < s.o; o += width) {
            width = breadth<Op>(s, o) * Op::OUT;
            for (int64_t row = 0; row < s.k; row++)
                for (int64_t g = 0; g < groups<Op>(s); g++, to += width * Op::GROUP)
                    for (int64_t i = 0; i < std::min(width, s.o - o); i++)
                        for (int64_t b = 0; b < std::min(Op::GROUP, s.run() - g * Op::GROUP); b++) {
                            int64_t at = ((o + i) * s.k + row) * s.run() + g * Op::GROUP + b;
                            int value = (int)(w[at] / unit);
                            if (!product && value < 0) offset[o + i] -= value, value = 0;
                            to[i * Op::GROUP + b] = (uint8_t)value;
                        }
        }
    }
};

template <class Op, int V>
static void tile(const Shape &s, const uint8_t *const *window, const uint8_t *w,
                 float (*out)[MOST * 16]) {
    __m512i sums[P][V] = {};
    int64_t last = groups<Op>(s) - 1, rest = s.run() - last * Op::GROUP;
    uint64_t tail = rest >= 8 ? ~0ull : (1ull << 8 * rest) - 1;
    for (int64_t row = 0; row < s.k; row++)
        for (int64_t g = 0; g <= last; g++, w += V * 64)
            for (int p = 0; p < P; p++) {
                __m512i x = Op::spread(window[p] + row * s.row() + g * Op::GROUP,
                                       g == last ? tail : ~0ull);
                for (int v = 0; v < V; v++)
                    sums[p][v] = Op::step(sums[p][v], x, _mm512_loadu_si512(w + v * 64));
            }
    for (int p = 0; p < P; p++)
        for (int v = 0; v < V; v++) Op::keep(out[p] + v * Op::OUT, sums[p][v]);
}

template <class Op>
static void image_sums(const Shape &s, const uint8_t *padded, const Packed<Op> &packed,
                       float scale, float *y) {
    const uint8_t *window[P];
    float out[P][MOST * 16];
    for (int64_t pixel = 0; pixel < s.pixels(); pixel += P) {
        int64_t count = std::min<int64_t>(P, s.pixels() - pixel);
        for (int64_t p = 0; p < P; p++)  // the last ones repeat, and are not kept
            window[p] = padded + s.at(pixel + std::min(p, count - 1));
        const uint8_t *w = packed.bytes.data();
        for (int64_t o = 0, vectors; o < s.o; o += vectors * Op::OUT) {
            vectors = breadth<Op>(s, o);
            if (vectors == 4) tile<Op, 4>(s, window, w, out);
            else if (vectors == 2) tile<Op, 2>(s, window, w, out);
            else tile<Op, 1>(s, window, w, out);
            int64_t width = std::min(vectors * Op::OUT, s.o - o);
            for (int64_t p = 0; p < count; p++)
                for (int64_t i = 0; i < width; i++)
                    y[(pixel + p) * s.o + o + i] = (out[p][i] + packed.offset[o + i]) * scale;
            w += vectors * 64 * s.k * groups<Op>(s);
        }
    }
}

template <class Op>
static void sums(const Shape &s, const float *x, const Packed<Op> &packed, float unit,
                 float scale, float *y, int64_t threads) {
    share_out(s.n, threads, [&](int64_t, int64_t from, int64_t to) {
        std::vector<uint8_t> padded(s.padded() + 64);
        for (int64_t n = from; n < to; n++) {
            for (int64_t i = 0; i < s.h; i++) {
                const float *row = x + (n * s.h + i) * s.w * s.c;
                uint8_t *into = padded.data() + (i + s.pad) * s.row() + s.pad * s.c;
                for (int64_t j = 0; j < s.w * s.c; j++) into[j] = (uint8_t)(int)(row[j] * unit);
            }
            image_sums(s, padded.data(), packed, scale, y + n * s.pixels() * s.o);
        }
    });
}

// Gives 1 where it has filled y, 0 where x and w are no such integers.
extern "C" int64_t whole_sums(const Shape *shape, const float *x, const float *w, float *y,
                              int64_t product, int64_t threads) {
    const Shape &s = *shape;
    Range xs, ws;
    if (!ws.takes(w, s.o * s.k * s.run()) || !xs.takes(x, s.n * s.h * s.w * s.c)) return 0;
    if (!product) xs.bits = ws.bits = xs.bits | ws.bits;
    if (xs.lo < 0 || xs.hi / xs.unit() > 255) return 0;
    if (ws.lo / ws.unit() < -128 || ws.hi / ws.unit() > 127) return 0;
    float x_unit = (float)xs.unit() / (1 << FINEST), w_unit = (float)ws.unit() / (1 << FINEST);
    if (s.k * s.run() > 1 << 16) return 0;  // sums of Product stay below 2^31
    if (product)
        sums(s, x, Packed<Product>(s, w, w_unit, true), 1 / x_unit, x_unit * w_unit, y, threads);
    else sums(s, x, Packed<Distance>(s, w, w_unit, false), 1 / x_unit, -x_unit, y, threads);
    return 1;
}

#else

extern "C" int64_t whole_sums(const Shape *, const float *, const float *, float *, int64_t,
                              int64_t) {
    return 0;
}

#endif
