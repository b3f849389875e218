// What a call computes with: its share of the pool, and the device and context that use it.
#pragma once
#include "context.h"
#include "cpu_device.h"

namespace gradus {

template <class T>
struct Running {
  Running(const Isa& isa, Pool& pool, size_t threads, const Model<T>& model, State<T>& state, Workspace<T>& workspace,
          Host* host, bool averaged = false)
      : share(pool, checked(threads)), device(isa, share), context{model, state, workspace, device, host, averaged} {}

  Pool::Share share;
  CpuDevice<T> device;
  Context<T> context;

 private:
  static size_t checked(size_t threads) {
    if (threads < 1 || threads > 1024)
      throw Error("GRADUS_INVALID_ARGUMENT", "threads: expected a number from 1 to 1024");
    return threads;
  }
};

}  // namespace gradus
