// SPDX-License-Identifier: Apache-2.0
#include "base/numbers.h"

#include "base/wide.h"

namespace tocsin {

TOCSIN_WIDE bool are_numbers(std::span<const double> values) {
  int nans = 0;  // A bool is none of the types of which compilers make vectors.
  for (const double value : values) {
    if (value != value) nans = 1;
  }
  return nans == 0;
}

}  // namespace tocsin
