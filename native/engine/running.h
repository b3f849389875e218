// What a call computes with: its share of the pool, and the device and context that use it.
#pragma once
#include <optional>

#include "context.h"
#include "cpu_device.h"
#include "library_device.h"

namespace gradus {

template <class T>
struct Running {
  Running(const Isa& isa, Pool& pool, size_t threads, const Model<T>& model, State<T>& state, Workspace<T>& workspace,
          Host* host, bool averaged = false, OpenDevice* open = nullptr)
      : share(pool, checked(threads)),
        processor(isa, share),
        library(open ? std::make_optional<LibraryDevice<T>>(*open) : std::nullopt),
        device(library ? static_cast<const Device<T>&>(*library) : processor),
        context{model, state, workspace, device, host, averaged} {}
  Running(const Running&) = delete;

  Pool::Share share;
  CpuDevice<T> processor;
  std::optional<LibraryDevice<T>> library;  // where one was opened
  const Device<T>& device;
  Context<T> context;

 private:
  static size_t checked(size_t threads) {
    if (threads < 1 || threads > 1024)
      throw Error("GRADUS_INVALID_ARGUMENT", "threads: expected a number from 1 to 1024");
    return threads;
  }
};

}  // namespace gradus
