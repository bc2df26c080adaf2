// SPDX-License-Identifier: Apache-2.0
#include "daemon/contact.h"

#include "base/log.h"

namespace tocsin::daemon {

void Contact::note(const Result<void>& answered, const std::string& url) {
  const bool is_reached = answered || (answered.error().code != ErrorCode::Unavailable &&
                                       answered.error().code != ErrorCode::Timeout);
  if (is_reached == error_.empty()) return;
  error_ = is_reached ? "" : answered.error().message;
  if (is_reached) {
    log::info("Prometheus answers again", {{"url", url}});
  } else {
    log::warn("Prometheus does not answer", {{"url", url}, {"error", error_}});
  }
}

}  // namespace tocsin::daemon
