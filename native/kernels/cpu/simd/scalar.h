// An array and plain loops: the reference of the tests and the fallback where no other ISA fits.

template <class T, int N>
struct Lanes {
  using Scalar = T;
  static constexpr int lanes = N;
  T lane[N];
};

template <class T, int N>
struct Ops<Lanes<T, N>> {
  using V = Lanes<T, N>;
  using Bits = typename BitsOf<T>::type;
  struct Mask {
    bool lane[N];
  };

  INLINE V load(const T* p) {
    V a;
    __builtin_memcpy(&a, p, sizeof a);
    return a;
  }
  INLINE void store(T* p, V a) { __builtin_memcpy(p, &a, sizeof a); }
  INLINE V load_partial(const T* p, int n) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = i < n ? p[i] : T(0);
    return r;
  }
  INLINE void store_partial(T* p, V a, int n) {
    for (int i = 0; i < N && i < n; ++i) p[i] = a.lane[i];
  }
  INLINE V set(T a) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = a;
    return r;
  }

  INLINE V add(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] + b.lane[i];
    return r;
  }
  INLINE V subtract(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] - b.lane[i];
    return r;
  }
  INLINE V multiply(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] * b.lane[i];
    return r;
  }
  INLINE V divide(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] / b.lane[i];
    return r;
  }
  INLINE V fma(V a, V b, V c) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = fused(a.lane[i], b.lane[i], c.lane[i]);
    return r;
  }
  INLINE V fnma(V a, V b, V c) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = fused(-a.lane[i], b.lane[i], c.lane[i]);
    return r;
  }
  INLINE V sqrt(V a) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = root(a.lane[i]);
    return r;
  }
  INLINE V max(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
    return r;
  }
  INLINE V min(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
    return r;
  }

  INLINE V bit_and(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real(bits(a.lane[i]) & bits(b.lane[i]));
    return r;
  }
  INLINE V bit_or(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real(bits(a.lane[i]) | bits(b.lane[i]));
    return r;
  }
  INLINE V bit_xor(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real(bits(a.lane[i]) ^ bits(b.lane[i]));
    return r;
  }
  INLINE V integer_add(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real(bits(a.lane[i]) + bits(b.lane[i]));
    return r;
  }
  INLINE V integer_subtract(V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real(bits(a.lane[i]) - bits(b.lane[i]));
    return r;
  }
  INLINE V multiply_low_halves(V a, V b) {
    constexpr Bits low = 0xffffffff;
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real((bits(a.lane[i]) & low) * (bits(b.lane[i]) & low));
    return r;
  }
  template <int S>
  INLINE V shift_left(V a) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real(bits(a.lane[i]) << S);
    return r;
  }
  template <int S>
  INLINE V shift_right(V a) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = real(bits(a.lane[i]) >> S);
    return r;
  }

  INLINE Mask less(V a, V b) {
    Mask r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] < b.lane[i];
    return r;
  }
  INLINE Mask less_equal(V a, V b) {
    Mask r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] <= b.lane[i];
    return r;
  }
  INLINE Mask equal(V a, V b) {
    Mask r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] == b.lane[i];
    return r;
  }
  INLINE Mask mask_and(Mask a, Mask b) {
    Mask r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] && b.lane[i];
    return r;
  }
  INLINE Mask mask_or(Mask a, Mask b) {
    Mask r;
    for (int i = 0; i < N; ++i) r.lane[i] = a.lane[i] || b.lane[i];
    return r;
  }
  INLINE Mask mask_not(Mask a) {
    Mask r;
    for (int i = 0; i < N; ++i) r.lane[i] = !a.lane[i];
    return r;
  }
  INLINE bool any(Mask a) {
    bool found = false;
    for (int i = 0; i < N; ++i) found = found || a.lane[i];
    return found;
  }
  INLINE V select(Mask m, V a, V b) {
    V r;
    for (int i = 0; i < N; ++i) r.lane[i] = m.lane[i] ? a.lane[i] : b.lane[i];
    return r;
  }

  template <int S>
  INLINE void exchange(V& a, V& b) {
    for (int i = 0; i < N; ++i)
      if (i & S) {
        const T upper = a.lane[i];
        a.lane[i] = b.lane[i - S], b.lane[i - S] = upper;
      }
  }

  INLINE T sum(V a) {
    for (int half = N / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) a.lane[i] += a.lane[i + half];
    return a.lane[0];
  }
  INLINE T max_lane(V a) {
    for (int half = N / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) a.lane[i] = a.lane[i] > a.lane[i + half] ? a.lane[i] : a.lane[i + half];
    return a.lane[0];
  }

 private:
  static INLINE_PLAIN Bits bits(T a) {
    Bits b;
    __builtin_memcpy(&b, &a, sizeof b);
    return b;
  }
  static INLINE_PLAIN T real(Bits b) {
    T a;
    __builtin_memcpy(&a, &b, sizeof a);
    return a;
  }
  static INLINE_PLAIN float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static INLINE_PLAIN double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
  static INLINE_PLAIN float root(float a) { return __builtin_sqrtf(a); }
  static INLINE_PLAIN double root(double a) { return __builtin_sqrt(a); }
};

template <>
struct VectorOf<float> {
  using type = Lanes<float, 16>;
};
template <>
struct VectorOf<double> {
  using type = Lanes<double, 8>;
};
