// NEON on arm64: four registers make the virtual vector.

struct F32x4 {
  using Scalar = float;
  static constexpr int lanes = 4;
  float32x4_t value;
};
struct F64x2 {
  using Scalar = double;
  static constexpr int lanes = 2;
  float64x2_t value;
};

template <>
struct Ops<F32x4> {
  using V = F32x4;
  using Mask = uint32x4_t;
  static INLINE_PLAIN uint32x4_t integer(V a) { return vreinterpretq_u32_f32(a.value); }
  static INLINE_PLAIN V real(uint32x4_t a) { return {vreinterpretq_f32_u32(a)}; }

  INLINE V load(const float* p) { return {vld1q_f32(p)}; }
  INLINE void store(float* p, V a) { vst1q_f32(p, a.value); }
  INLINE V load_partial(const float* p, int n) {
    float t[4] = {0, 0, 0, 0};
    for (int i = 0; i < n && i < 4; ++i) t[i] = p[i];
    return load(t);
  }
  INLINE void store_partial(float* p, V a, int n) {
    float t[4];
    store(t, a);
    for (int i = 0; i < n && i < 4; ++i) p[i] = t[i];
  }
  INLINE V set(float a) { return {vdupq_n_f32(a)}; }

  INLINE V add(V a, V b) { return {vaddq_f32(a.value, b.value)}; }
  INLINE V subtract(V a, V b) { return {vsubq_f32(a.value, b.value)}; }
  INLINE V multiply(V a, V b) { return {vmulq_f32(a.value, b.value)}; }
  INLINE V divide(V a, V b) { return {vdivq_f32(a.value, b.value)}; }
  INLINE V fma(V a, V b, V c) { return {vfmaq_f32(c.value, a.value, b.value)}; }
  INLINE V fnma(V a, V b, V c) { return {vfmsq_f32(c.value, a.value, b.value)}; }
  INLINE V sqrt(V a) { return {vsqrtq_f32(a.value)}; }
  INLINE V max(V a, V b) { return {vbslq_f32(vcgtq_f32(a.value, b.value), a.value, b.value)}; }
  INLINE V min(V a, V b) { return {vbslq_f32(vcltq_f32(a.value, b.value), a.value, b.value)}; }

  INLINE V bit_and(V a, V b) { return real(vandq_u32(integer(a), integer(b))); }
  INLINE V bit_or(V a, V b) { return real(vorrq_u32(integer(a), integer(b))); }
  INLINE V bit_xor(V a, V b) { return real(veorq_u32(integer(a), integer(b))); }
  INLINE V integer_add(V a, V b) { return real(vaddq_u32(integer(a), integer(b))); }
  INLINE V integer_subtract(V a, V b) { return real(vsubq_u32(integer(a), integer(b))); }
  template <int N>
  INLINE V shift_left(V a) {
    return real(vshlq_n_u32(integer(a), N));
  }
  template <int N>
  INLINE V shift_right(V a) {
    return real(vshrq_n_u32(integer(a), N));
  }

  INLINE Mask less(V a, V b) { return vcltq_f32(a.value, b.value); }
  INLINE Mask less_equal(V a, V b) { return vcleq_f32(a.value, b.value); }
  INLINE Mask equal(V a, V b) { return vceqq_f32(a.value, b.value); }
  INLINE Mask mask_and(Mask a, Mask b) { return vandq_u32(a, b); }
  INLINE Mask mask_or(Mask a, Mask b) { return vorrq_u32(a, b); }
  INLINE Mask mask_not(Mask a) { return vmvnq_u32(a); }
  INLINE bool any(Mask a) { return vmaxvq_u32(a) != 0; }
  INLINE V select(Mask m, V a, V b) { return {vbslq_f32(m, a.value, b.value)}; }

  template <int S>
  INLINE void exchange(V& a, V& b) {
    const float32x4_t x = a.value, y = b.value;
    if constexpr (S == 2) {
      const float64x2_t p = vreinterpretq_f64_f32(x), q = vreinterpretq_f64_f32(y);
      a.value = vreinterpretq_f32_f64(vtrn1q_f64(p, q)), b.value = vreinterpretq_f32_f64(vtrn2q_f64(p, q));
    } else {
      a.value = vtrn1q_f32(x, y), b.value = vtrn2q_f32(x, y);
    }
  }

  INLINE float sum(V a) {
    const float32x2_t two = vadd_f32(vget_low_f32(a.value), vget_high_f32(a.value));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
  INLINE float max_lane(V a) { return vmaxvq_f32(a.value); }
};

template <>
struct Ops<F64x2> {
  using V = F64x2;
  using Mask = uint64x2_t;
  static INLINE_PLAIN uint64x2_t integer(V a) { return vreinterpretq_u64_f64(a.value); }
  static INLINE_PLAIN V real(uint64x2_t a) { return {vreinterpretq_f64_u64(a)}; }

  INLINE V load(const double* p) { return {vld1q_f64(p)}; }
  INLINE void store(double* p, V a) { vst1q_f64(p, a.value); }
  INLINE V load_partial(const double* p, int n) {
    double t[2] = {0, 0};
    for (int i = 0; i < n && i < 2; ++i) t[i] = p[i];
    return load(t);
  }
  INLINE void store_partial(double* p, V a, int n) {
    double t[2];
    store(t, a);
    for (int i = 0; i < n && i < 2; ++i) p[i] = t[i];
  }
  INLINE V set(double a) { return {vdupq_n_f64(a)}; }

  INLINE V add(V a, V b) { return {vaddq_f64(a.value, b.value)}; }
  INLINE V subtract(V a, V b) { return {vsubq_f64(a.value, b.value)}; }
  INLINE V multiply(V a, V b) { return {vmulq_f64(a.value, b.value)}; }
  INLINE V divide(V a, V b) { return {vdivq_f64(a.value, b.value)}; }
  INLINE V fma(V a, V b, V c) { return {vfmaq_f64(c.value, a.value, b.value)}; }
  INLINE V fnma(V a, V b, V c) { return {vfmsq_f64(c.value, a.value, b.value)}; }
  INLINE V sqrt(V a) { return {vsqrtq_f64(a.value)}; }
  INLINE V max(V a, V b) { return {vbslq_f64(vcgtq_f64(a.value, b.value), a.value, b.value)}; }
  INLINE V min(V a, V b) { return {vbslq_f64(vcltq_f64(a.value, b.value), a.value, b.value)}; }

  INLINE V bit_and(V a, V b) { return real(vandq_u64(integer(a), integer(b))); }
  INLINE V bit_or(V a, V b) { return real(vorrq_u64(integer(a), integer(b))); }
  INLINE V bit_xor(V a, V b) { return real(veorq_u64(integer(a), integer(b))); }
  INLINE V integer_add(V a, V b) { return real(vaddq_u64(integer(a), integer(b))); }
  INLINE V integer_subtract(V a, V b) { return real(vsubq_u64(integer(a), integer(b))); }
  INLINE V multiply_low_halves(V a, V b) { return real(vmull_u32(vmovn_u64(integer(a)), vmovn_u64(integer(b)))); }
  template <int N>
  INLINE V shift_left(V a) {
    return real(vshlq_n_u64(integer(a), N));
  }
  template <int N>
  INLINE V shift_right(V a) {
    return real(vshrq_n_u64(integer(a), N));
  }

  INLINE Mask less(V a, V b) { return vcltq_f64(a.value, b.value); }
  INLINE Mask less_equal(V a, V b) { return vcleq_f64(a.value, b.value); }
  INLINE Mask equal(V a, V b) { return vceqq_f64(a.value, b.value); }
  INLINE Mask mask_and(Mask a, Mask b) { return vandq_u64(a, b); }
  INLINE Mask mask_or(Mask a, Mask b) { return vorrq_u64(a, b); }
  INLINE Mask mask_not(Mask a) { return veorq_u64(a, vdupq_n_u64(~0ull)); }
  INLINE bool any(Mask a) { return (vgetq_lane_u64(a, 0) | vgetq_lane_u64(a, 1)) != 0; }
  INLINE V select(Mask m, V a, V b) { return {vbslq_f64(m, a.value, b.value)}; }

  template <int S>
  INLINE void exchange(V& a, V& b) {
    const float64x2_t x = a.value, y = b.value;
    a.value = vtrn1q_f64(x, y), b.value = vtrn2q_f64(x, y);
  }

  INLINE double sum(V a) { return vgetq_lane_f64(a.value, 0) + vgetq_lane_f64(a.value, 1); }
  INLINE double max_lane(V a) { return vmaxvq_f64(a.value); }
};

template <>
struct VectorOf<float> {
  using type = Pair<Pair<F32x4>>;
};
template <>
struct VectorOf<double> {
  using type = Pair<Pair<F64x2>>;
};
