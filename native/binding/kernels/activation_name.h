// Names of activations, as in kernels/activations.def.
#pragma once
#include "../arguments.h"
#include "kernels/kernels.h"

namespace gradus::binding {

inline Activation activation_called(const std::string& name) {
#define ACTIVATION(known, parameter) \
  if (name == #known) return Activation::known;
#include "kernels/activations.def"
#undef ACTIVATION
  throw Error("GRADUS_INVALID_ARGUMENT",
              "activation: expected the name of one, received \"" + shortened(name, 60) + '"');
}

}  // namespace gradus::binding
