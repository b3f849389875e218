// A program whose type of numbers is known: what an ensemble uses of it.
#pragma once
#include "library_device.h"
#include "program.h"
#include "state.h"

namespace gradus {

template <class T>
class TypedProgram : public Program {
 public:
  virtual const Model<T>& model() const = 0;
  virtual State<T>& state() = 0;
  virtual Host* host() const = 0;               // may be none
  virtual OpenDevice* open_device() const = 0;  // or none: the processor computes
};

}  // namespace gradus
