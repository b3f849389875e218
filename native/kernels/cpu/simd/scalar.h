// One lane, plain C: the reference of the tests and the fallback where no other ISA fits.

template <class T>
struct Lane {
  using Scalar = T;
  static constexpr int lanes = 1;
  T value;
};

template <class T>
struct Ops<Lane<T>> {
  using V = Lane<T>;
  using Mask = bool;
  using Bits = typename BitsOf<T>::type;

  static INLINE_PLAIN Bits bits(V a) {
    Bits b;
    __builtin_memcpy(&b, &a.value, sizeof b);
    return b;
  }
  static INLINE_PLAIN V from_bits(Bits b) {
    V a;
    __builtin_memcpy(&a.value, &b, sizeof b);
    return a;
  }

  INLINE V load(const T* p) { return {*p}; }
  INLINE void store(T* p, V a) { *p = a.value; }
  INLINE V load_partial(const T* p, int n) { return {n > 0 ? *p : T(0)}; }
  INLINE void store_partial(T* p, V a, int n) {
    if (n > 0) *p = a.value;
  }
  INLINE V set(T a) { return {a}; }

  INLINE V add(V a, V b) { return {a.value + b.value}; }
  INLINE V subtract(V a, V b) { return {a.value - b.value}; }
  INLINE V multiply(V a, V b) { return {a.value * b.value}; }
  INLINE V divide(V a, V b) { return {a.value / b.value}; }
  INLINE V fma(V a, V b, V c) { return {fused(a.value, b.value, c.value)}; }
  INLINE V fnma(V a, V b, V c) { return {fused(-a.value, b.value, c.value)}; }
  INLINE V sqrt(V a) { return {root(a.value)}; }
  INLINE V max(V a, V b) { return {a.value > b.value ? a.value : b.value}; }
  INLINE V min(V a, V b) { return {a.value < b.value ? a.value : b.value}; }

  INLINE V bit_and(V a, V b) { return from_bits(bits(a) & bits(b)); }
  INLINE V bit_or(V a, V b) { return from_bits(bits(a) | bits(b)); }
  INLINE V bit_xor(V a, V b) { return from_bits(bits(a) ^ bits(b)); }
  INLINE V integer_add(V a, V b) { return from_bits(bits(a) + bits(b)); }
  INLINE V integer_subtract(V a, V b) { return from_bits(bits(a) - bits(b)); }
  INLINE V multiply_low_halves(V a, V b) { return from_bits((bits(a) & 0xffffffff) * (bits(b) & 0xffffffff)); }
  template <int N>
  INLINE V shift_left(V a) {
    return from_bits(bits(a) << N);
  }
  template <int N>
  INLINE V shift_right(V a) {
    return from_bits(bits(a) >> N);
  }

  INLINE Mask less(V a, V b) { return a.value < b.value; }
  INLINE Mask less_equal(V a, V b) { return a.value <= b.value; }
  INLINE Mask equal(V a, V b) { return a.value == b.value; }
  INLINE Mask mask_and(Mask a, Mask b) { return a && b; }
  INLINE Mask mask_or(Mask a, Mask b) { return a || b; }
  INLINE Mask mask_not(Mask a) { return !a; }
  INLINE bool any(Mask a) { return a; }
  INLINE V select(Mask m, V a, V b) { return m ? a : b; }

  INLINE T sum(V a) { return a.value; }
  INLINE T max_lane(V a) { return a.value; }

 private:
  static INLINE_PLAIN float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static INLINE_PLAIN double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
  static INLINE_PLAIN float root(float a) { return __builtin_sqrtf(a); }
  static INLINE_PLAIN double root(double a) { return __builtin_sqrt(a); }
};

template <>
struct VectorOf<float> {
  using type = Pair<Pair<Pair<Pair<Lane<float>>>>>;
};
template <>
struct VectorOf<double> {
  using type = Pair<Pair<Pair<Lane<double>>>>;
};
