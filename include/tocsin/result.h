// SPDX-License-Identifier: Apache-2.0
//
// Result<T> is either a T or an Error: the return type of every operation that can fail for a
// reason its caller must handle. A document that somebody wrote (a rule file, a config, an
// expression) reports through Diagnostics (diagnostics.h) instead, because it can be wrong in
// several places at once.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tocsin {

enum class ErrorCode {
  InvalidArgument,  // The caller asked for something that makes no sense.
  Parse,            // Bytes from outside are not what they claim to be.
  Execution,        // A query is well formed, but its evaluation fails on this data.
  NotFound,
  Io,
  Timeout,
  Canceled,
  Unavailable,  // The other side does not answer or says no.
  Limit,        // A configured limit was exceeded.
};

struct [[nodiscard]] Error {
  ErrorCode code;
  std::string message;  // Lower case, no full stop; whoever passes it on puts context in front.

  // Returns this error with `context` in front: "load rules.yaml: no such file".
  Error in(std::string_view context) const;
};

template <class T>
using Result = tl::expected<T, Error>;

// Makes the failing side of a Result: `return fail(ErrorCode::Io, "short read");`.
tl::unexpected<Error> fail(ErrorCode code, std::string message);
tl::unexpected<Error> fail(Error error);

}  // namespace tocsin
