// What the engine folds itself, and the kernels alike.
#pragma once
#include "kernels/fingerprint.h"
