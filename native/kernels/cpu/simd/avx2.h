// AVX2 and FMA: two registers make the virtual vector.

struct F32x8 {
  using Scalar = float;
  static constexpr int lanes = 8;
  __m256 value;
};
struct F64x4 {
  using Scalar = double;
  static constexpr int lanes = 4;
  __m256d value;
};

template <>
struct Ops<F32x8> {
  using V = F32x8;
  using Mask = __m256;
  static INLINE_PLAIN __m256i integer(V a) { return _mm256_castps_si256(a.value); }
  static INLINE_PLAIN V real(__m256i a) { return {_mm256_castsi256_ps(a)}; }
  static INLINE_PLAIN __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }

  INLINE V load(const float* p) { return {_mm256_loadu_ps(p)}; }
  INLINE void store(float* p, V a) { _mm256_storeu_ps(p, a.value); }
  INLINE V load_partial(const float* p, int n) { return {_mm256_maskload_ps(p, first(n))}; }
  INLINE void store_partial(float* p, V a, int n) { _mm256_maskstore_ps(p, first(n), a.value); }
  INLINE V set(float a) { return {_mm256_set1_ps(a)}; }

  INLINE V add(V a, V b) { return {_mm256_add_ps(a.value, b.value)}; }
  INLINE V subtract(V a, V b) { return {_mm256_sub_ps(a.value, b.value)}; }
  INLINE V multiply(V a, V b) { return {_mm256_mul_ps(a.value, b.value)}; }
  INLINE V divide(V a, V b) { return {_mm256_div_ps(a.value, b.value)}; }
  INLINE V fma(V a, V b, V c) { return {_mm256_fmadd_ps(a.value, b.value, c.value)}; }
  INLINE V fnma(V a, V b, V c) { return {_mm256_fnmadd_ps(a.value, b.value, c.value)}; }
  INLINE V sqrt(V a) { return {_mm256_sqrt_ps(a.value)}; }
  INLINE V max(V a, V b) { return {_mm256_max_ps(a.value, b.value)}; }
  INLINE V min(V a, V b) { return {_mm256_min_ps(a.value, b.value)}; }

  INLINE V bit_and(V a, V b) { return {_mm256_and_ps(a.value, b.value)}; }
  INLINE V bit_or(V a, V b) { return {_mm256_or_ps(a.value, b.value)}; }
  INLINE V bit_xor(V a, V b) { return {_mm256_xor_ps(a.value, b.value)}; }
  INLINE V integer_add(V a, V b) { return real(_mm256_add_epi32(integer(a), integer(b))); }
  INLINE V integer_subtract(V a, V b) { return real(_mm256_sub_epi32(integer(a), integer(b))); }
  template <int N>
  INLINE V shift_left(V a) {
    return real(_mm256_slli_epi32(integer(a), N));
  }
  template <int N>
  INLINE V shift_right(V a) {
    return real(_mm256_srli_epi32(integer(a), N));
  }

  INLINE Mask less(V a, V b) { return _mm256_cmp_ps(a.value, b.value, _CMP_LT_OQ); }
  INLINE Mask less_equal(V a, V b) { return _mm256_cmp_ps(a.value, b.value, _CMP_LE_OQ); }
  INLINE Mask equal(V a, V b) { return _mm256_cmp_ps(a.value, b.value, _CMP_EQ_OQ); }
  INLINE Mask mask_and(Mask a, Mask b) { return _mm256_and_ps(a, b); }
  INLINE Mask mask_or(Mask a, Mask b) { return _mm256_or_ps(a, b); }
  INLINE Mask mask_not(Mask a) { return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }
  INLINE bool any(Mask a) { return _mm256_movemask_ps(a) != 0; }
  INLINE V select(Mask m, V a, V b) { return {_mm256_blendv_ps(b.value, a.value, m)}; }

  template <int S>
  INLINE void exchange(V& a, V& b) {
    const __m256 x = a.value, y = b.value;
    if constexpr (S == 4) {
      a.value = _mm256_permute2f128_ps(x, y, 0x20), b.value = _mm256_permute2f128_ps(x, y, 0x31);
    } else if constexpr (S == 2) {
      a.value = _mm256_shuffle_ps(x, y, 0x44), b.value = _mm256_shuffle_ps(x, y, 0xee);
    } else {
      a.value = _mm256_blend_ps(x, _mm256_moveldup_ps(y), 0xaa);
      b.value = _mm256_blend_ps(_mm256_movehdup_ps(x), y, 0xaa);
    }
  }

  INLINE float sum(V a) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.value), _mm256_extractf128_ps(a.value, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  INLINE float max_lane(V a) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.value), _mm256_extractf128_ps(a.value, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
};

template <>
struct Ops<F64x4> {
  using V = F64x4;
  using Mask = __m256d;
  static INLINE_PLAIN __m256i integer(V a) { return _mm256_castpd_si256(a.value); }
  static INLINE_PLAIN V real(__m256i a) { return {_mm256_castsi256_pd(a)}; }
  static INLINE_PLAIN __m256i first(int n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }

  INLINE V load(const double* p) { return {_mm256_loadu_pd(p)}; }
  INLINE void store(double* p, V a) { _mm256_storeu_pd(p, a.value); }
  INLINE V load_partial(const double* p, int n) { return {_mm256_maskload_pd(p, first(n))}; }
  INLINE void store_partial(double* p, V a, int n) { _mm256_maskstore_pd(p, first(n), a.value); }
  INLINE V set(double a) { return {_mm256_set1_pd(a)}; }

  INLINE V add(V a, V b) { return {_mm256_add_pd(a.value, b.value)}; }
  INLINE V subtract(V a, V b) { return {_mm256_sub_pd(a.value, b.value)}; }
  INLINE V multiply(V a, V b) { return {_mm256_mul_pd(a.value, b.value)}; }
  INLINE V divide(V a, V b) { return {_mm256_div_pd(a.value, b.value)}; }
  INLINE V fma(V a, V b, V c) { return {_mm256_fmadd_pd(a.value, b.value, c.value)}; }
  INLINE V fnma(V a, V b, V c) { return {_mm256_fnmadd_pd(a.value, b.value, c.value)}; }
  INLINE V sqrt(V a) { return {_mm256_sqrt_pd(a.value)}; }
  INLINE V max(V a, V b) { return {_mm256_max_pd(a.value, b.value)}; }
  INLINE V min(V a, V b) { return {_mm256_min_pd(a.value, b.value)}; }

  INLINE V bit_and(V a, V b) { return {_mm256_and_pd(a.value, b.value)}; }
  INLINE V bit_or(V a, V b) { return {_mm256_or_pd(a.value, b.value)}; }
  INLINE V bit_xor(V a, V b) { return {_mm256_xor_pd(a.value, b.value)}; }
  INLINE V integer_add(V a, V b) { return real(_mm256_add_epi64(integer(a), integer(b))); }
  INLINE V integer_subtract(V a, V b) { return real(_mm256_sub_epi64(integer(a), integer(b))); }
  INLINE V multiply_low_halves(V a, V b) { return real(_mm256_mul_epu32(integer(a), integer(b))); }
  template <int N>
  INLINE V shift_left(V a) {
    return real(_mm256_slli_epi64(integer(a), N));
  }
  template <int N>
  INLINE V shift_right(V a) {
    return real(_mm256_srli_epi64(integer(a), N));
  }

  INLINE Mask less(V a, V b) { return _mm256_cmp_pd(a.value, b.value, _CMP_LT_OQ); }
  INLINE Mask less_equal(V a, V b) { return _mm256_cmp_pd(a.value, b.value, _CMP_LE_OQ); }
  INLINE Mask equal(V a, V b) { return _mm256_cmp_pd(a.value, b.value, _CMP_EQ_OQ); }
  INLINE Mask mask_and(Mask a, Mask b) { return _mm256_and_pd(a, b); }
  INLINE Mask mask_or(Mask a, Mask b) { return _mm256_or_pd(a, b); }
  INLINE Mask mask_not(Mask a) { return _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(-1))); }
  INLINE bool any(Mask a) { return _mm256_movemask_pd(a) != 0; }
  INLINE V select(Mask m, V a, V b) { return {_mm256_blendv_pd(b.value, a.value, m)}; }

  template <int S>
  INLINE void exchange(V& a, V& b) {
    const __m256d x = a.value, y = b.value;
    if constexpr (S == 2) {
      a.value = _mm256_permute2f128_pd(x, y, 0x20), b.value = _mm256_permute2f128_pd(x, y, 0x31);
    } else {
      a.value = _mm256_unpacklo_pd(x, y), b.value = _mm256_unpackhi_pd(x, y);
    }
  }

  INLINE double sum(V a) {
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(a.value), _mm256_extractf128_pd(a.value, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
  }
  INLINE double max_lane(V a) {
    const __m128d two = _mm_max_pd(_mm256_castpd256_pd128(a.value), _mm256_extractf128_pd(a.value, 1));
    return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
  }
};

template <>
struct VectorOf<float> {
  using type = Pair<F32x8>;
};
template <>
struct VectorOf<double> {
  using type = Pair<F64x4>;
};
