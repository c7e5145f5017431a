// What the loops of model/*.cpp share: vectors of floats as wide as the processor's, and threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
constexpr int64_t LANES = 16;
#elif defined(__AVX__)
constexpr int64_t LANES = 8;
#else
constexpr int64_t LANES = 4;
#endif

typedef float Vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t Bits __attribute__((vector_size(4 * LANES)));

static inline const Vec &load(const float *from) { return *(const Vec *)from; }

// The first `lanes` floats, zeros behind them; and back.
static inline Vec load_some(const float *from, int64_t lanes) {
    if (lanes >= LANES) return load(from);
#ifdef __AVX512F__
    return _mm512_maskz_loadu_ps((__mmask16)((1u << lanes) - 1), from);
#else
    Vec some = {};
    std::memcpy(&some, from, sizeof(float) * lanes);
    return some;
#endif
}

static inline void store_some(float *to, Vec value, int64_t lanes) {
    if (lanes >= LANES) {
        *(Vec *)to = value;
        return;
    }
#ifdef __AVX512F__
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << lanes) - 1), value);
#else
    std::memcpy(to, &value, sizeof(float) * lanes);
#endif
}

// Calls work(thread, first, last + 1) in each thread, for its part of `count` things.
template <class Work> static void share_out(int64_t count, int64_t threads, Work work) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int64_t t = 0; t < threads; t++) work(t, count * t / threads, count * (t + 1) / threads);
}
