// An op that the host computes.
#include "../host.h"
#include "../op.h"

namespace gradus {
namespace {

template <class T>
class Custom final : public Op<T> {
 public:
  explicit Custom(const NodeReader& node) : Op<T>(node) {
    in_ = elements_of(node.only_input());
    this->shape = node.fields.shape("shape");
    out_ = elements_of(this->shape);
    this->parameters = node.fields.counts("operands");
    for (size_t parameter : this->parameters)
      if (parameter >= node.parameters->size())
        node.fields.fail("operands: there is no parameter " + std::to_string(parameter));
    gradients_.resize(this->parameters.size());
  }

  void forward(Pass<T>& pass) override {
    HostCall call = begin(pass, HostCall::Kind::forward, pass.value(this->inputs[0]), in_);
    call.outputs = {{pass.value(this->node), pass.batch * out_}};
    pass.host->run(call);
    fingerprint_ = call.fingerprint;
  }

  uint64_t fingerprint(Pass<T>&) const override { return fingerprint_; }

  void backward(Pass<T>& pass) override {
    const auto run = [&](T* dx) {
      HostCall call = begin(pass, HostCall::Kind::backward, pass.gradient(this->node), out_);
      call.outputs = {{dx, pass.batch * in_}};
      for (size_t i = 0; i < gradients_.size(); ++i) {
        const ParameterState<T>& parameter = pass.parameters[this->parameters[i]];
        if (parameter.trainable) gradients_[i].grow(parameter.size);
        call.outputs.push_back({parameter.trainable ? gradients_[i].data() : nullptr, parameter.size});
      }
      pass.host->run(call);
    };
    if (pass.wanted(this->inputs[0]))
      pass.give_gradient(this->inputs[0], run);
    else
      run(nullptr);
    for (size_t i = 0; i < gradients_.size(); ++i) {
      const size_t parameter = this->parameters[i];
      if (!pass.parameters[parameter].trainable) continue;
      T* sum = pass.added_gradient(parameter);
      pass.kernels->add(sum, gradients_[i].data(), pass.parameters[parameter].size, sum);
    }
  }

 private:
  HostCall begin(Pass<T>& pass, HostCall::Kind kind, const T* x, size_t elements) const {
    if (!pass.host) throw Error("GRADUS_BAD_DESCRIPTOR", this->name + ": a custom op needs a host");
    HostCall call;
    call.kind = kind;
    call.number = this->node;
    call.batch = pass.batch;
    call.training = pass.training && pass.randomness;
    call.seed = mix(pass.counter.seed ^ mix(pass.counter.step ^ mix(this->node)));
    call.inputs = {{x, pass.batch * elements}};
    for (size_t parameter : this->parameters)
      call.inputs.push_back({pass.parameters[parameter].w, pass.parameters[parameter].size});
    return call;
  }

  size_t in_, out_;
  uint64_t fingerprint_ = 0;
  std::vector<Buffer<T>> gradients_;
};

}  // namespace
GRADUS_OP(custom, Custom)
}  // namespace gradus
