// Several programs that predict as one: their inputs are gathered once, their passes run side by side, and their scores
// are combined in their order. One call at a time, as of a program; each member is in no other call meanwhile.
#pragma once
#include "program.h"

namespace gradus {

class Ensemble {
 public:
  using Members = std::vector<std::shared_ptr<Program>>;
  struct Rule {
    std::vector<double> weights;  // of the members: from 0 up, and their sum 1
    Combine combine = Combine::probabilities;
    Link link = Link::identity;  // what makes probabilities of their scores
    double temperature = 1;      // above 0
  };

  // Throws GRADUS_INVALID_ARGUMENT for members of other types, inputs or outputs.
  static std::shared_ptr<Ensemble> create(const Members& members, Rule rule, const Isa& isa,
                                          std::shared_ptr<Pool> pool);
  virtual ~Ensemble() = default;

  virtual size_t memory() const = 0;  // bytes that it has taken beside the members'

  // As those of a program. The members are those that it was made of: it keeps none of them. Loss and metrics are the
  // first one's, of the combined scores. `spread`: as many elements as `out`, or null.
  virtual EvaluateResult evaluate(const Members& members, const EvaluateCall& call) = 0;
  virtual void predict(const Members& members, const EvaluateCall& call, void* out, void* spread) = 0;
  virtual bool is_short(const Members& members, const EvaluateCall& call) const = 0;
  virtual void predict_rows(const Members& members, const RowsCall& call, void* out) = 0;

  std::atomic<bool> stop_requested{false};  // as a program's; that of a member ends the call too
};

}  // namespace gradus
