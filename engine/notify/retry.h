// SPDX-License-Identifier: Apache-2.0
//
// When to try again, and when to give up. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "tocsin/clock.h"

namespace tocsin::notify {

enum class Verdict {
  Delivered,
  Retry,   // It may pass later.
  GiveUp,  // The receiver will never take this.
};

// Of an HTTP status. Differs from Alertmanager: 429 (too many requests) and 408 are tried again.
Verdict judge_status(int status);

// Whether a status that is tried again may be due to this one message: the receiver is there, and
// has not said that it is busy or that nobody is behind it.
bool may_be_the_message(int status);

// Whether a refusal of several messages at once may be due to one of them, or to their size.
bool may_be_one_of_them(int status);

inline constexpr Duration kLongestBackoff = std::chrono::minutes(5);

// How long to wait before attempt number `attempt` (the first retry is 1): 1 s doubling up to
// 5 min, of which `jitter` in [0, 1) takes up to a half away, so that senders do not march in step.
Duration backoff(int attempt, double jitter);

// What a Retry-After header asks for: seconds, or an HTTP date, as seen at `now`. At most an hour.
std::optional<Duration> retry_after(std::string_view header, Timestamp now);

}  // namespace tocsin::notify
