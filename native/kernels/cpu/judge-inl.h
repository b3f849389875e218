// Whether an update may be made: loss, gradients and what else was looked at are finite.
#pragma once
#include "math-inl.h"

// The square root of the squares' sum: of each parameter its blocks are added first.
INLINE double norm_of(const Evidence& of) {
  double all = 0, squares = 0;
  for (size_t i = 0; i < of.blocks; ++i) {
    if (i > 0 && of.parameters[i] != of.parameters[i - 1]) all += squares, squares = 0;
    squares += of.sums[i].gradient_squares;
  }
  return root(all + squares);
}

template <class T>
FUNCTION void judge(const Evidence& of, Verdict& verdict, uint32_t& halted) {
  bool is_sound = true;
  for (size_t i = 0; i < of.flags; ++i) is_sound &= !of.nonfinite[i];
  double loss = 0;
  for (size_t i = 0; i < of.passes; ++i) loss += of.losses[i];
  verdict.loss = loss * of.loss_scale, verdict.gradient_scale = 1;
  is_sound &= is_finite(verdict.loss);
  if (of.sums) {
    const double norm = norm_of(of);
    is_sound &= is_finite(norm);
    if (of.clip_norm > 0 && norm > of.clip_norm) verdict.gradient_scale = of.clip_norm / norm;
  }
  verdict.refused = !is_sound;
  if (!is_sound) halted = 1;
}
