// An op that the host computes.
#include "../fingerprint.h"
#include "../host_call.h"
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
      if (parameter >= node.parameters.size())
        node.fields.fail("operands: there is no parameter " + std::to_string(parameter));
  }

  void forward(Pass<T>& pass) const override {
    HostCall call = begin(pass, HostCall::Kind::forward, pass.value(this->inputs[0]), in_);
    call.outputs = {{pass.value(this->node), pass.batch * out_}};
    ask<T>(*pass.host, pass.workspace.memory, call);
    pass.of_op(this->node).fingerprint = call.fingerprint;
  }

  uint64_t fingerprint(Pass<T>& pass) const override { return pass.of_op(this->node).fingerprint; }

  void backward(Pass<T>& pass) const override {
    std::vector<Buffer<T>>& gradients = pass.of_op(this->node).of_parameters;
    gradients.resize(this->parameters.size());
    const auto run = [&](T* dx) {
      HostCall call = begin(pass, HostCall::Kind::backward, pass.gradient(this->node), out_);
      call.outputs = {{dx, pass.batch * in_}};
      for (size_t i = 0; i < this->parameters.size(); ++i) {
        const size_t parameter = this->parameters[i], size = pass.size_of_parameter(parameter);
        if (pass.is_trainable(parameter)) gradients[i].grow(size, pass.workspace.memory);
        call.outputs.push_back({pass.is_trainable(parameter) ? gradients[i].data() : nullptr, size});
      }
      ask<T>(*pass.host, pass.workspace.memory, call);
    };
    pass.give_gradient_or_none(this->inputs[0], run);
    for (size_t i = 0; i < gradients.size(); ++i) {
      const size_t parameter = this->parameters[i];
      if (!pass.is_trainable(parameter)) continue;
      T* sum = pass.added_gradient(parameter);
      pass.device.add(sum, gradients[i].data(), pass.size_of_parameter(parameter), sum);
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
      call.inputs.push_back({pass.parameter(parameter), pass.size_of_parameter(parameter)});
    return call;
  }

  size_t in_, out_;
};

}  // namespace
GRADUS_OP(custom, Custom)
}  // namespace gradus
