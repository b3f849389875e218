// A compiled model with its state, whatever the type of its numbers: what the binding sees of the engine. Not
// re-entrant: one call at a time, which the binding guards; several programs may run side by side.
#pragma once
#include <atomic>
#include <optional>

#include "calls.h"
#include "inspection_layout.h"
#include "parameter.h"
#include "plan.h"
#include "pool.h"
#include "snapshot.h"

namespace gradus {

class Host;
class OpenDevice;
struct Isa;

class Program {
 public:
  // Throws Error as decode() does.
  // Without a device the processor computes.
  static std::shared_ptr<Program> create(const Value& descriptor, const Isa& isa, std::shared_ptr<Pool> pool,
                                         std::shared_ptr<Host> host = nullptr,
                                         std::shared_ptr<OpenDevice> device = nullptr);
  virtual ~Program() = default;

  virtual Precision precision() const = 0;
  virtual std::string device() const = 0;  // "cpu", or library and card: "cuda:0"
  virtual const std::vector<ParameterInfo>& parameters() const = 0;
  virtual std::vector<std::string> arenas() const = 0;  // "parameters", "gradients", the optimizer's slots, "average"
  virtual size_t output_size() const = 0;               // elements of one example
  virtual std::vector<size_t> output_shape() const = 0;
  virtual const std::vector<size_t>& metric_widths() const = 0;
  virtual std::vector<std::string> op_names() const = 0;  // of the ops that lead to the output, in order
  virtual size_t memory() const = 0;                      // bytes that it has taken

  // The elements of one parameter in one arena, in the program's precision, widened where the arena keeps them short.
  // There is that arena, that parameter and, written, `count` of its elements from `first` on.
  virtual void read(const std::string& arena, size_t parameter, void* to) const = 0;
  virtual void write(const std::string& arena, size_t parameter, size_t first, size_t count, const void* from) = 0;
  virtual uint64_t step() const = 0;  // accepted updates so far
  // The product of momenta becomes that of so many equal ones: the optimizer's own.
  virtual void set_step(uint64_t step) = 0;
  virtual double momentum_product() const = 0;  // Π of the accepted updates' momenta
  virtual void set_momentum_product(double product) = 0;

  // Both throw GRADUS_INVALID_ARGUMENT for what is no snapshot of such a program, and then nothing has changed. One of
  // some arenas can be filled; to go on from it takes all. So many threads copy.
  virtual void export_state(Snapshot& to, size_t threads) = 0;
  virtual void import_state(const Snapshot& from) = 0;

  // Overwrites the result, in the memory that it has.
  virtual void train(const TrainCall& call, TrainResult& result) = 0;
  TrainResult train(const TrainCall& call) {
    TrainResult result;
    train(call, result);
    return result;
  }
  // Throws GRADUS_INVALID_ARGUMENT where there is no average.
  virtual void move_average(const AverageCall& call) = 0;
  virtual EvaluateResult evaluate(const EvaluateCall& call) = 0;
  // out: data.size() × output_size() elements of the program's precision.
  virtual void predict(const EvaluateCall& call, void* out) = 0;
  // Whether that takes less than to have another thread do it, which has to wake up first, and so has who waits for it.
  virtual bool is_short(const EvaluateCall& call) const = 0;
  // The same for rows that are no dataset, on the calling thread alone. Throws GRADUS_SHAPE_MISMATCH or
  // GRADUS_INVALID_ARGUMENT when they do not fit. out: rows × output_size() elements.
  virtual void predict_rows(const RowsCall& call, void* out) = 0;
  // Of each batch the statistics that its own values have, in training without dropout; the parameters stay as they
  // are.
  virtual StatisticsResult statistics(const StatisticsCall& call) = 0;
  // Forward and backward over all rows as one batch, no update: fills the gradients arena with the gradient of the
  // term, returns the losses.
  virtual EvaluateResult gradient(const GradientCall& call) = 0;
  // The Hessian of the term times the vector, laid out as that; all rows as one batch. Throws
  // GRADUS_NO_SECOND_DERIVATIVE where the host computes something on the way.
  virtual std::vector<double> hessian_vector(const HessianCall& call) = 0;
  // How many elements the last gradient() by an input has, if the descriptor calls it differentiated: rows × elements.
  virtual std::optional<size_t> input_gradient_size(size_t input) const = 0;
  virtual void read_input_gradient(size_t input, void* to) const = 0;  // in the program's precision
  // A forward pass over all rows as one batch; one entry an op, but none where the op above holds the same memory.
  virtual std::vector<LayerStatistics> inspect(const GradientCall& call) = 0;
  virtual const InspectionLayout& inspection() const = 0;
  // The losses of all rows as one batch at points near the weights, which stay as they are.
  virtual ProbeResult probe(const ProbeCall& call) = 0;

  std::atomic<bool> stop_requested{false};  // looked at between steps and batches; cleared by whoever starts a call
};

}  // namespace gradus
