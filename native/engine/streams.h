// Whose draws are whose: the streams of one seed, which no two purposes share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradus::streams {

// Ops draw from the stream that has their node's number.
constexpr uint32_t of_node(size_t node) { return uint32_t(node); }
constexpr uint32_t rounding = (uint32_t(1) << 31) - 2;  // of slots that are kept short
// Of transform `number` in a list of augmentations, below 64; augmentation.cc says where in it each draw lies.
constexpr uint32_t transform(uint32_t number) { return (uint32_t(1) << 31) - 3 - number; }
constexpr uint32_t shuffle = (uint32_t(1) << 31) - 1;
constexpr uint32_t initial_values(size_t parameter) { return (uint32_t(1) << 31) + uint32_t(parameter); }

}  // namespace gradus::streams
