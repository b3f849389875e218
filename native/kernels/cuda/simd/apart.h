// What simd/whole.h is for one thread that has the whole vector: here each lane is a thread.

template <class T>
INLINE int lane_of_thread() {
  return Vec<T>::O::lane();
}

template <class T>
INLINE Vec<T> lane_indices() {
  return Vec<T>(T(lane_of_thread<T>()));
}
template <class T>
INLINE Vec<T> load_integers(const int32_t* p, int n) {
  return Vec<T>(lane_of_thread<T>() < n ? T(p[lane_of_thread<T>()]) : T(0));
}

template <class T>
struct Gathered {
  T mine = 0;
  INLINE_PLAIN void set(int i, T value) {
    if (lane_of_thread<T>() == i) mine = value;
  }
  INLINE_PLAIN Vec<T> vector(int n) const { return Vec<T>(lane_of_thread<T>() < n ? mine : T(0)); }
};

INLINE float fused(float a, float b, float c) { return gpu::fused(a, b, c); }
INLINE double fused(double a, double b, double c) { return gpu::fused(a, b, c); }
INLINE double root(double a) { return gpu::root(a); }

template <class T>
INLINE void settle() {
  if (!cuda::planted(cuda::Mistake::no_settling)) gpu::sync_lanes(Vec<T>::O::team());
}
