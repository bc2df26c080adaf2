// SPDX-License-Identifier: Apache-2.0
//
// A group of alerts as a person reads it: what, where, how bad, since when, and where to look. The
// same for every chat and pager; each lays it out in its own way. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "notify/payload.h"

namespace tocsin::notify {

struct Fact {
  std::string name;  // "Service"
  std::string text;
};

struct Link {
  std::string text;  // "Runbook"
  std::string url;   // http or https, nothing else.
};

struct AlertText {
  bool resolved = false;
  std::string title;  // One line.
  std::string description;
  std::vector<Fact> facts;
  std::vector<std::string> notes;  // That nobody can see it, that it flaps, why it ended.
  std::vector<Link> links;
};

struct MessageText {
  bool resolved = false;          // All of it.
  std::string severity;           // The worst of those that fire; may be empty.
  std::string title;              // "[FIRING 2] SuccessRateLow: web in shop"
  std::vector<AlertText> alerts;  // Those that fire first.
  std::size_t left_out = 0;       // Beyond the most that were asked for.
  std::string url;                // Of Tocsin's page.
};

// At most `most` alerts; 0: all.
MessageText message_of(const GroupMessage& group, std::size_t most);

// All of it as lines of plain text.
std::string plain_text(const MessageText& message);

// "critical" of several names for it; see the table in message.cc.
enum class Severity { Info, Warning, Error, Critical };
Severity severity_of(std::string_view label);

}  // namespace tocsin::notify
