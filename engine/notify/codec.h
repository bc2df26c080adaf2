// SPDX-License-Identifier: Apache-2.0
//
// Messages and groups as text, for the outbox. Only Tocsin reads it again; a field that an older
// version did not write has its default. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "notify/notification.h"
#include "notify/payload.h"
#include "tocsin/result.h"

namespace tocsin::notify {

// What one message says: one alert for an Alertmanager, or a group for a receiver of our own.
using Content = std::variant<OutgoingAlert, GroupMessage>;

std::string encode(const Content& content);
// Fails with Parse on anything that encode() did not write.
Result<Content> decode_content(std::string_view text);

// An alert of a group, and what the group's receiver knows of it.
struct GroupedAlert {
  OutgoingAlert alert;
  bool news = true;   // Something that the receiver has not been told.
  bool told = false;  // The receiver believes that it fires.
  bool held = false;  // The last flush left it out.
  // Not written down: since when the routes lead it to other groups, and no longer here.
  std::optional<Timestamp> moved_at;
  // Not written down: where it is from, until our own rules have said something of it.
  enum class Source { Rules, Restart, OtherReplica };
  Source source = Source::Rules;

  // Over before anybody was told that it had begun, and nobody was to be told.
  bool is_over_unheard() const { return held && alert.resolved && !told; }
};

// A group of the grouper, between two flushes.
struct GroupState {
  RouteConfig timing;  // Its receiver and intervals; no matchers, no routes.
  Labels labels;
  std::map<Labels, GroupedAlert> alerts;
  Timestamp last_flush{};
};

std::string encode(const GroupState& group);
Result<GroupState> decode_group(std::string_view text);

}  // namespace tocsin::notify
