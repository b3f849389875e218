// How long sums are cut, on every instruction set and device: a product's k.
#pragma once

// A range cut into the least number of parts not longer than `longest`, as even as can be: the longer parts come first.
struct EvenCut {
  size_t parts, shorter, longer_parts;
  INLINE_PLAIN EvenCut(size_t length, size_t longest)
      : parts((length + longest - 1) / longest),
        shorter(parts ? length / parts : 0),
        longer_parts(parts ? length % parts : 0) {}
  INLINE_PLAIN size_t first(size_t part) const { return part * shorter + (part < longer_parts ? part : longer_parts); }
  INLINE_PLAIN size_t length(size_t part) const { return shorter + (part < longer_parts); }
};

// Of the blocks of k.
template <class T>
constexpr size_t longest_k_block = sizeof(T) == 4 ? 512 : 256;
