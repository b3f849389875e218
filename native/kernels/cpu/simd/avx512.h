// AVX-512 (F, BW, DQ, VL): one register is the whole virtual vector.

struct F32x16 {
  using Scalar = float;
  static constexpr int lanes = 16;
  __m512 value;
};
struct F64x8 {
  using Scalar = double;
  static constexpr int lanes = 8;
  __m512d value;
};

template <>
struct Ops<F32x16> {
  using V = F32x16;
  using Mask = __mmask16;
  static INLINE_PLAIN __m512i integer(V a) { return _mm512_castps_si512(a.value); }
  static INLINE_PLAIN V real(__m512i a) { return {_mm512_castsi512_ps(a)}; }
  static INLINE_PLAIN __mmask16 first(int n) {
    return static_cast<__mmask16>(n >= 16 ? 0xffff : n <= 0 ? 0 : (1u << n) - 1);
  }

  INLINE V load(const float* p) { return {_mm512_loadu_ps(p)}; }
  INLINE void store(float* p, V a) { _mm512_storeu_ps(p, a.value); }
  INLINE V load_partial(const float* p, int n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
  INLINE void store_partial(float* p, V a, int n) { _mm512_mask_storeu_ps(p, first(n), a.value); }
  INLINE V set(float a) { return {_mm512_set1_ps(a)}; }

  INLINE V add(V a, V b) { return {_mm512_add_ps(a.value, b.value)}; }
  INLINE V subtract(V a, V b) { return {_mm512_sub_ps(a.value, b.value)}; }
  INLINE V multiply(V a, V b) { return {_mm512_mul_ps(a.value, b.value)}; }
  INLINE V divide(V a, V b) { return {_mm512_div_ps(a.value, b.value)}; }
  INLINE V fma(V a, V b, V c) { return {_mm512_fmadd_ps(a.value, b.value, c.value)}; }
  INLINE V fnma(V a, V b, V c) { return {_mm512_fnmadd_ps(a.value, b.value, c.value)}; }
  INLINE V sqrt(V a) { return {_mm512_sqrt_ps(a.value)}; }
  INLINE V max(V a, V b) { return {_mm512_max_ps(a.value, b.value)}; }
  INLINE V min(V a, V b) { return {_mm512_min_ps(a.value, b.value)}; }

  INLINE V bit_and(V a, V b) { return {_mm512_and_ps(a.value, b.value)}; }
  INLINE V bit_or(V a, V b) { return {_mm512_or_ps(a.value, b.value)}; }
  INLINE V bit_xor(V a, V b) { return {_mm512_xor_ps(a.value, b.value)}; }
  INLINE V integer_add(V a, V b) { return real(_mm512_add_epi32(integer(a), integer(b))); }
  INLINE V integer_subtract(V a, V b) { return real(_mm512_sub_epi32(integer(a), integer(b))); }
  template <int N>
  INLINE V shift_left(V a) {
    return real(_mm512_slli_epi32(integer(a), N));
  }
  template <int N>
  INLINE V shift_right(V a) {
    return real(_mm512_srli_epi32(integer(a), N));
  }

  INLINE Mask less(V a, V b) { return _mm512_cmp_ps_mask(a.value, b.value, _CMP_LT_OQ); }
  INLINE Mask less_equal(V a, V b) { return _mm512_cmp_ps_mask(a.value, b.value, _CMP_LE_OQ); }
  INLINE Mask equal(V a, V b) { return _mm512_cmp_ps_mask(a.value, b.value, _CMP_EQ_OQ); }
  INLINE Mask mask_and(Mask a, Mask b) { return a & b; }
  INLINE Mask mask_or(Mask a, Mask b) { return a | b; }
  INLINE Mask mask_not(Mask a) { return static_cast<Mask>(~a); }
  INLINE bool any(Mask a) { return a != 0; }
  INLINE V select(Mask m, V a, V b) { return {_mm512_mask_blend_ps(m, b.value, a.value)}; }

  template <int S>
  INLINE void exchange(V& a, V& b) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __mmask16 upper = S == 8 ? 0xff00 : S == 4 ? 0xf0f0 : S == 2 ? 0xcccc : 0xaaaa;  // lanes with bit S set
    const __m512i low = _mm512_mask_add_epi32(lane, upper, lane, _mm512_set1_epi32(16 - S));
    const __m512 x = a.value;
    a.value = _mm512_permutex2var_ps(x, low, b.value);
    b.value = _mm512_permutex2var_ps(x, _mm512_add_epi32(low, _mm512_set1_epi32(S)), b.value);
  }

  INLINE float sum(V a) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.value), _mm512_extractf32x8_ps(a.value, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  INLINE float max_lane(V a) { return _mm512_reduce_max_ps(a.value); }
};

template <>
struct Ops<F64x8> {
  using V = F64x8;
  using Mask = __mmask8;
  static INLINE_PLAIN __m512i integer(V a) { return _mm512_castpd_si512(a.value); }
  static INLINE_PLAIN V real(__m512i a) { return {_mm512_castsi512_pd(a)}; }
  static INLINE_PLAIN __mmask8 first(int n) {
    return static_cast<__mmask8>(n >= 8 ? 0xff : n <= 0 ? 0 : (1u << n) - 1);
  }

  INLINE V load(const double* p) { return {_mm512_loadu_pd(p)}; }
  INLINE void store(double* p, V a) { _mm512_storeu_pd(p, a.value); }
  INLINE V load_partial(const double* p, int n) { return {_mm512_maskz_loadu_pd(first(n), p)}; }
  INLINE void store_partial(double* p, V a, int n) { _mm512_mask_storeu_pd(p, first(n), a.value); }
  INLINE V set(double a) { return {_mm512_set1_pd(a)}; }

  INLINE V add(V a, V b) { return {_mm512_add_pd(a.value, b.value)}; }
  INLINE V subtract(V a, V b) { return {_mm512_sub_pd(a.value, b.value)}; }
  INLINE V multiply(V a, V b) { return {_mm512_mul_pd(a.value, b.value)}; }
  INLINE V divide(V a, V b) { return {_mm512_div_pd(a.value, b.value)}; }
  INLINE V fma(V a, V b, V c) { return {_mm512_fmadd_pd(a.value, b.value, c.value)}; }
  INLINE V fnma(V a, V b, V c) { return {_mm512_fnmadd_pd(a.value, b.value, c.value)}; }
  INLINE V sqrt(V a) { return {_mm512_sqrt_pd(a.value)}; }
  INLINE V max(V a, V b) { return {_mm512_max_pd(a.value, b.value)}; }
  INLINE V min(V a, V b) { return {_mm512_min_pd(a.value, b.value)}; }

  INLINE V bit_and(V a, V b) { return {_mm512_and_pd(a.value, b.value)}; }
  INLINE V bit_or(V a, V b) { return {_mm512_or_pd(a.value, b.value)}; }
  INLINE V bit_xor(V a, V b) { return {_mm512_xor_pd(a.value, b.value)}; }
  INLINE V integer_add(V a, V b) { return real(_mm512_add_epi64(integer(a), integer(b))); }
  INLINE V integer_subtract(V a, V b) { return real(_mm512_sub_epi64(integer(a), integer(b))); }
  INLINE V multiply_low_halves(V a, V b) { return real(_mm512_mul_epu32(integer(a), integer(b))); }
  template <int N>
  INLINE V shift_left(V a) {
    return real(_mm512_slli_epi64(integer(a), N));
  }
  template <int N>
  INLINE V shift_right(V a) {
    return real(_mm512_srli_epi64(integer(a), N));
  }

  INLINE Mask less(V a, V b) { return _mm512_cmp_pd_mask(a.value, b.value, _CMP_LT_OQ); }
  INLINE Mask less_equal(V a, V b) { return _mm512_cmp_pd_mask(a.value, b.value, _CMP_LE_OQ); }
  INLINE Mask equal(V a, V b) { return _mm512_cmp_pd_mask(a.value, b.value, _CMP_EQ_OQ); }
  INLINE Mask mask_and(Mask a, Mask b) { return a & b; }
  INLINE Mask mask_or(Mask a, Mask b) { return a | b; }
  INLINE Mask mask_not(Mask a) { return static_cast<Mask>(~a); }
  INLINE bool any(Mask a) { return a != 0; }
  INLINE V select(Mask m, V a, V b) { return {_mm512_mask_blend_pd(m, b.value, a.value)}; }

  template <int S>
  INLINE void exchange(V& a, V& b) {
    const __m512i lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __mmask8 upper = S == 4 ? 0xf0 : S == 2 ? 0xcc : 0xaa;  // lanes with bit S set
    const __m512i low = _mm512_mask_add_epi64(lane, upper, lane, _mm512_set1_epi64(8 - S));
    const __m512d x = a.value;
    a.value = _mm512_permutex2var_pd(x, low, b.value);
    b.value = _mm512_permutex2var_pd(x, _mm512_add_epi64(low, _mm512_set1_epi64(S)), b.value);
  }

  INLINE double sum(V a) {
    const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(a.value), _mm512_extractf64x4_pd(a.value, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
  }
  INLINE double max_lane(V a) { return _mm512_reduce_max_pd(a.value); }
};

template <>
struct VectorOf<float> {
  using type = F32x16;
};
template <>
struct VectorOf<double> {
  using type = F64x8;
};
