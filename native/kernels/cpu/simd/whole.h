// What is simple where one thread has the whole vector, and not where each lane is a thread (cuda/simd/lanes.h).

template <class T>
INLINE Vec<T> lane_indices() {
  static constexpr T indices[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return load(indices);
}
// n integers as numbers of the type; the other lanes may hold anything.
template <class T>
INLINE Vec<T> load_integers(const int32_t* p, int n) {
  T numbers[Vec<T>::lanes];
  for (int i = 0; i < n; ++i) numbers[i] = T(p[i]);
  return n == Vec<T>::lanes ? load(numbers) : load_partial(numbers, n);
}

// Numbers that become the lanes of a vector one after the other.
template <class T>
struct Gathered {
  T lane[Vec<T>::lanes];
  INLINE_PLAIN void set(int i, T value) { lane[i] = value; }
  // The first n, and zeros.
  INLINE_PLAIN Vec<T> vector(int n) const { return load_partial(lane, n); }
};

INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
INLINE double root(double a) { return __builtin_sqrt(a); }

// From here on each lane of vectors of T sees what the others have stored before.
template <class T>
INLINE void settle() {}
