// SPDX-License-Identifier: Apache-2.0
#include "tocsin/result.h"

#include <utility>

namespace tocsin {

Error Error::in(std::string_view context) const {
  return Error{code, std::string(context) + ": " + message};
}

tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace tocsin
