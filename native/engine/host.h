// Whoever computes what a descriptor calls custom: layers, losses and regularizers that are not the engine's own.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradus {

// Arrays are of the program's precision; labels are int32.
struct HostInput {
  const void* data = nullptr;
  size_t size = 0;
  bool labels = false;
};
struct HostOutput {
  void* data = nullptr;  // null: not wanted
  size_t size = 0;
  bool is_double = false;  // whatever the program's precision
  bool is_here = false;    // in the host's memory, whatever the device
};

struct HostCall {
  // forward: x, parameters → y. backward: dy, parameters → dx, gradients. loss: output, targets → losses of the
  // examples; loss_slope: → their derivatives by the output. regularizer: w → loss, gradient. update: gradient, w,
  // slots → the change of w, slots. metric: output, targets, weights of the examples or none → sums.
  enum class Kind { forward, backward, loss, loss_slope, regularizer, update, metric };
  Kind kind = Kind::forward;
  size_t number = 0;  // of the node; of the parameter; of the metric
  size_t batch = 1;
  bool training = false;
  uint64_t seed = 0;         // of this call's randomness: the same in forward and backward of one pass
  double learning_rate = 0;  // of an update
  uint64_t step = 0;         // updates before it
  std::vector<HostInput> inputs;
  std::vector<HostOutput> outputs;
  uint64_t fingerprint = 0;  // of the choices at kinks that a forward tells of
};

class Host {
 public:
  virtual ~Host() = default;
  // On the thread that runs the program's call, one at a time. Fills every output that is wanted, or throws.
  virtual void run(HostCall& call) = 0;
};

}  // namespace gradus
