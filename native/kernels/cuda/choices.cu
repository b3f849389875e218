// The choices that a pass makes at kinks: word follows word, so one thread folds them.
#include "pieces.h"
#include "table.h"

namespace gradus::cuda {
namespace {

template <class F>
void fold_alone(uint64_t& fingerprint, const F& fold) {
  uint64_t* const to = &fingerprint;
  launch_pieces<1>(whole(), [=] GPU_LAMBDA(size_t, size_t) { fold(*to); });
}

template <class T>
void fold_signs(const T* x, size_t n, uint64_t& fingerprint) {
  fold_alone(fingerprint, [=] GPU_LAMBDA(uint64_t& to) { text::fold_signs<T>(x, n, to); });
}
template <class T>
void fold_values(const T* x, size_t n, uint64_t& fingerprint) {
  fold_alone(fingerprint, [=] GPU_LAMBDA(uint64_t& to) { text::fold_values<T>(x, n, to); });
}
template <class T>
void fold_winners(const int32_t* winners, size_t n, uint64_t& fingerprint) {
  fold_alone(fingerprint, [=] GPU_LAMBDA(uint64_t& to) { text::fold_winners<T>(winners, n, to); });
}
template <class T>
void no_choices(const Loss<T>&, uint64_t&) {}
template <class T>
void multiclass_hinge_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fold_alone(fingerprint, [=] GPU_LAMBDA(uint64_t& to) { text::multiclass_hinge_choices<T>(loss, to); });
}
template <class T>
void one_vs_all_hinge_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fold_alone(fingerprint, [=] GPU_LAMBDA(uint64_t& to) { text::one_vs_all_hinge_choices<T>(loss, to); });
}
template <class T>
void mean_absolute_error_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fold_alone(fingerprint, [=] GPU_LAMBDA(uint64_t& to) { text::mean_absolute_error_choices<T>(loss, to); });
}
template <class T>
void huber_choices(const Loss<T>& loss, uint64_t& fingerprint) {
  fold_alone(fingerprint, [=] GPU_LAMBDA(uint64_t& to) { text::huber_choices<T>(loss, to); });
}

}  // namespace

template <class T>
void put_choices(Kernels<T>& table) {
  table.fold_signs = fold_signs<T>;
  table.fold_values = fold_values<T>;
  table.fold_winners = fold_winners<T>;
  table.no_choices = no_choices<T>;
  table.multiclass_hinge_choices = multiclass_hinge_choices<T>;
  table.one_vs_all_hinge_choices = one_vs_all_hinge_choices<T>;
  table.mean_absolute_error_choices = mean_absolute_error_choices<T>;
  table.huber_choices = huber_choices<T>;
}
PUT(choices);

}  // namespace gradus::cuda
