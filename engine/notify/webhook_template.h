// SPDX-License-Identifier: Apache-2.0
//
// The template of a webhook's body. Pure.
#pragma once

#include "notify/channel.h"
#include "notify/payload.h"

namespace tocsin::notify {

// The option `body`, over the group. Fails when the template does not parse or does not fit, and
// when the result is not JSON though the content type says so.
Result<std::string> webhook_text(const GroupMessage& group, const ChannelConfig& config);

// A group to try a template on: one alert that fires, one that is resolved, and a text with quotes.
GroupMessage sample_group();

}  // namespace tocsin::notify
