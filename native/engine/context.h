// What a call works with.
#pragma once
#include "state.h"

namespace gradus {

template <class T>
struct Context {
  const Model<T>& model;
  State<T>& state;
  Workspace<T>& workspace;
  const Device<T>& device;
  Host* host;             // of custom functions; may be none
  bool averaged = false;  // of calls that change nothing: by the average of the weights

  // What passes and penalties read.
  const T* weights() const { return averaged ? state.average() : state.parameters(); }
  // A pass over so many examples with the weights as they are; `micro` numbers the passes of one update.
  Pass<T> pass(bool training, bool randomness, size_t batch, uint64_t micro = 0) const {
    return pass({training, randomness, {model.plan().seed, 0, state.step + (micro << 32)}}, batch);
  }
  Pass<T> pass(const PassMode& mode, size_t batch) const {
    return {model.layout(), weights(), workspace, device, host, mode, batch};
  }
};

}  // namespace gradus
