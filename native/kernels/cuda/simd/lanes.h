// The virtual vector on a GPU: each lane is a thread, so that 16 neighbours (8 of double) are a vector. Whoever has one
// is a team of threads that do the same; other teams of the warp may be elsewhere. A number that is no vector is the
// same in all threads of a team.

template <class T>
struct Lane {
  using Scalar = T;
  static constexpr int lanes = 64 / sizeof(T);
  T value;
};

template <class T>
struct Ops<Lane<T>> {
  using V = Lane<T>;
  using Mask = bool;
  static constexpr int lanes = V::lanes;

  INLINE int lane() { return int(gpu::thread() % lanes); }
  INLINE unsigned team() { return ((1u << lanes) - 1) << (gpu::thread() % gpu::warp / lanes * lanes); }

  INLINE V load(const T* p) { return {p[lane()]}; }
  INLINE void store(T* p, V a) { p[lane()] = a.value; }
  INLINE V load_partial(const T* p, int n) { return {lane() < n ? p[lane()] : T(0)}; }
  INLINE void store_partial(T* p, V a, int n) {
    if (lane() < n) p[lane()] = a.value;
  }
  INLINE V set(T a) { return {a}; }

  INLINE V add(V a, V b) { return {a.value + b.value}; }
  INLINE V subtract(V a, V b) { return {a.value - b.value}; }
  INLINE V multiply(V a, V b) { return {a.value * b.value}; }
  INLINE V divide(V a, V b) { return {a.value / b.value}; }
  INLINE V fma(V a, V b, V c) { return {gpu::fused(a.value, b.value, c.value)}; }
  INLINE V fnma(V a, V b, V c) { return {gpu::fused(-a.value, b.value, c.value)}; }
  INLINE V sqrt(V a) { return {gpu::root(a.value)}; }
  INLINE V max(V a, V b) { return {a.value > b.value ? a.value : b.value}; }
  INLINE V min(V a, V b) { return {a.value < b.value ? a.value : b.value}; }

  INLINE V bit_and(V a, V b) { return real(bits(a) & bits(b)); }
  INLINE V bit_or(V a, V b) { return real(bits(a) | bits(b)); }
  INLINE V bit_xor(V a, V b) { return real(bits(a) ^ bits(b)); }
  INLINE V integer_add(V a, V b) { return real(bits(a) + bits(b)); }
  INLINE V integer_subtract(V a, V b) { return real(bits(a) - bits(b)); }
  INLINE V multiply_low_halves(V a, V b) { return real((bits(a) & 0xffffffff) * (bits(b) & 0xffffffff)); }
  template <int N>
  INLINE V shift_left(V a) {
    return real(bits(a) << N);
  }
  template <int N>
  INLINE V shift_right(V a) {
    return real(bits(a) >> N);
  }

  INLINE Mask less(V a, V b) { return a.value < b.value; }
  INLINE Mask less_equal(V a, V b) { return a.value <= b.value; }
  INLINE Mask equal(V a, V b) { return a.value == b.value; }
  INLINE Mask mask_and(Mask a, Mask b) { return a && b; }
  INLINE Mask mask_or(Mask a, Mask b) { return a || b; }
  INLINE Mask mask_not(Mask a) { return !a; }
  INLINE bool any(Mask a) { return gpu::any(team(), a); }
  INLINE V select(Mask m, V a, V b) { return {m ? a.value : b.value}; }

  // The tree of the other instruction sets: both sides of an exchange add the same two numbers.
  INLINE T sum(V a) {
    const unsigned mask = cuda::planted(cuda::Mistake::lanes_of_other_teams) ? ~0u : team();
    for (int half = lanes / 2; half > 0; half /= 2) a.value = a.value + gpu::shuffle_xor(mask, a.value, half);
    return a.value;
  }
  // Of two zeros, or beside a NaN, it matters which comes first: only the lowest lane has them in the tree's order.
  INLINE T max_lane(V a) {
    for (int half = lanes / 2; half > 0; half /= 2) {
      const T other = gpu::shuffle_xor(team(), a.value, half);
      a.value = a.value > other ? a.value : other;
    }
    return gpu::shuffle(team(), a.value, int(gpu::thread() % gpu::warp / lanes * lanes));
  }

 private:
  using Bits = typename BitsOf<T>::type;
  static INLINE_PLAIN Bits bits(V a) { return gpu::bits_of(a.value); }
  static INLINE_PLAIN V real(Bits b) { return {gpu::number_of(b)}; }
};

template <>
struct VectorOf<float> {
  using type = Lane<float>;
};
template <>
struct VectorOf<double> {
  using type = Lane<double>;
};
