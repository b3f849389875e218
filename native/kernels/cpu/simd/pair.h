// Pair<R>: two registers side by side that behave as one of twice the lanes.
// Nesting it lifts any register type to the virtual vector, so every ISA states only its own native operations.

template <class R>
struct Pair {
  using Scalar = typename R::Scalar;
  static constexpr int lanes = 2 * R::lanes;
  R low, high;
};

template <class M>
struct MaskPair {
  M low, high;
};

template <class R>
struct Ops<Pair<R>> {
  using T = typename R::Scalar;
  using V = Pair<R>;
  using O = Ops<R>;
  using Mask = MaskPair<typename O::Mask>;
  static constexpr int half = R::lanes;

  INLINE V load(const T* p) { return {O::load(p), O::load(p + half)}; }
  INLINE void store(T* p, V a) { O::store(p, a.low), O::store(p + half, a.high); }
  INLINE V load_partial(const T* p, int n) {
    return n > half ? V{O::load(p), O::load_partial(p + half, n - half)} : V{O::load_partial(p, n), O::set(0)};
  }
  INLINE void store_partial(T* p, V a, int n) {
    if (n > half) {
      O::store(p, a.low), O::store_partial(p + half, a.high, n - half);
    } else {
      O::store_partial(p, a.low, n);
    }
  }
  INLINE V set(T a) { return {O::set(a), O::set(a)}; }

  INLINE V add(V a, V b) { return {O::add(a.low, b.low), O::add(a.high, b.high)}; }
  INLINE V subtract(V a, V b) { return {O::subtract(a.low, b.low), O::subtract(a.high, b.high)}; }
  INLINE V multiply(V a, V b) { return {O::multiply(a.low, b.low), O::multiply(a.high, b.high)}; }
  INLINE V divide(V a, V b) { return {O::divide(a.low, b.low), O::divide(a.high, b.high)}; }
  INLINE V fma(V a, V b, V c) { return {O::fma(a.low, b.low, c.low), O::fma(a.high, b.high, c.high)}; }
  INLINE V fnma(V a, V b, V c) { return {O::fnma(a.low, b.low, c.low), O::fnma(a.high, b.high, c.high)}; }
  INLINE V sqrt(V a) { return {O::sqrt(a.low), O::sqrt(a.high)}; }
  INLINE V max(V a, V b) { return {O::max(a.low, b.low), O::max(a.high, b.high)}; }
  INLINE V min(V a, V b) { return {O::min(a.low, b.low), O::min(a.high, b.high)}; }

  INLINE V bit_and(V a, V b) { return {O::bit_and(a.low, b.low), O::bit_and(a.high, b.high)}; }
  INLINE V bit_or(V a, V b) { return {O::bit_or(a.low, b.low), O::bit_or(a.high, b.high)}; }
  INLINE V bit_xor(V a, V b) { return {O::bit_xor(a.low, b.low), O::bit_xor(a.high, b.high)}; }
  INLINE V integer_add(V a, V b) { return {O::integer_add(a.low, b.low), O::integer_add(a.high, b.high)}; }
  INLINE V integer_subtract(V a, V b) {
    return {O::integer_subtract(a.low, b.low), O::integer_subtract(a.high, b.high)};
  }
  INLINE V multiply_low_halves(V a, V b) {
    return {O::multiply_low_halves(a.low, b.low), O::multiply_low_halves(a.high, b.high)};
  }
  template <int N>
  INLINE V shift_left(V a) {
    return {O::template shift_left<N>(a.low), O::template shift_left<N>(a.high)};
  }
  template <int N>
  INLINE V shift_right(V a) {
    return {O::template shift_right<N>(a.low), O::template shift_right<N>(a.high)};
  }

  INLINE Mask less(V a, V b) { return {O::less(a.low, b.low), O::less(a.high, b.high)}; }
  INLINE Mask less_equal(V a, V b) { return {O::less_equal(a.low, b.low), O::less_equal(a.high, b.high)}; }
  INLINE Mask equal(V a, V b) { return {O::equal(a.low, b.low), O::equal(a.high, b.high)}; }
  INLINE Mask mask_and(Mask a, Mask b) { return {O::mask_and(a.low, b.low), O::mask_and(a.high, b.high)}; }
  INLINE Mask mask_or(Mask a, Mask b) { return {O::mask_or(a.low, b.low), O::mask_or(a.high, b.high)}; }
  INLINE Mask mask_not(Mask a) { return {O::mask_not(a.low), O::mask_not(a.high)}; }
  INLINE bool any(Mask a) { return O::any(a.low) || O::any(a.high); }
  INLINE V select(Mask m, V a, V b) { return {O::select(m.low, a.low, b.low), O::select(m.high, a.high, b.high)}; }

  // One level of the fixed reduction tree: lane i meets lane i + lanes / 2.
  INLINE T sum(V a) { return O::sum(O::add(a.low, a.high)); }
  INLINE T max_lane(V a) { return O::max_lane(O::max(a.low, a.high)); }
};
