#include "host_call.h"

namespace gradus {

template <class T>
void ask(Host& host, Memory& memory, HostCall& call) {
  if (memory.is_host()) return host.run(call);
  HostCall here = call;
  std::vector<std::vector<uint8_t>> copies;
  const auto room_for = [&](size_t bytes) { return copies.emplace_back(bytes).data(); };
  for (HostInput& input : here.inputs) {
    const size_t bytes = input.size * (input.labels ? sizeof(int32_t) : sizeof(T));
    if (!input.data) continue;
    uint8_t* copy = room_for(bytes);
    memory.download(copy, input.data, bytes);
    input.data = copy;
  }
  const auto bytes_of = [](const HostOutput& output) {
    return output.size * (output.is_double ? sizeof(double) : sizeof(T));
  };
  for (HostOutput& output : here.outputs)
    if (output.data && !output.is_here) output.data = room_for(bytes_of(output));
  host.run(here);
  call.fingerprint = here.fingerprint;
  for (size_t i = 0; i < call.outputs.size(); ++i)
    if (call.outputs[i].data && !call.outputs[i].is_here)
      memory.upload(call.outputs[i].data, here.outputs[i].data, bytes_of(call.outputs[i]));
}

template void ask<float>(Host&, Memory&, HostCall&);
template void ask<double>(Host&, Memory&, HostCall&);

}  // namespace gradus
