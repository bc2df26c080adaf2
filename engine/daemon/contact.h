// SPDX-License-Identifier: Apache-2.0
//
// Whether a Prometheus that is asked answers; says in the log when that changes.
#pragma once

#include <string>

#include "tocsin/result.h"

namespace tocsin::daemon {

class Contact {
 public:
  // How a question went. An expression that the other side refuses is the rule's own error.
  void note(const Result<void>& answered, const std::string& url);

  // Why it does not answer; empty: it does.
  const std::string& error() const { return error_; }

 private:
  std::string error_;
};

}  // namespace tocsin::daemon
