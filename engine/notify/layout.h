// SPDX-License-Identifier: Apache-2.0
//
// What the layouts of chats have in common. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/replaced.h"
#include "base/utf8.h"
#include "notify/message.h"

namespace tocsin::notify {

// Green for what is over, otherwise by severity.
inline unsigned colour_of(const MessageText& message) {
  if (message.resolved) return 0x2eb886;
  switch (severity_of(message.severity)) {
    case Severity::Info:
      return 0x3b82f6;
    case Severity::Warning:
      return 0xf2a100;
    default:
      return 0xd7263d;
  }
}

inline std::string left_out_text(const MessageText& message) {
  return message.left_out == 0
             ? ""
             : "and " + std::to_string(message.left_out) + " more, on Tocsin's page";
}

// What names the group at a pager: the same for its beginning and its end, and short.
inline std::string dedup_key(const GroupMessage& group) {
  return "tocsin-" + std::to_string(hash_bytes(group.group_key));
}

// For Slack and for Telegram's HTML.
inline std::string escape_angles(std::string_view text) {
  return replaced(text, {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}});
}

// For Discord and Teams: nothing in the text is markup.
inline std::string escape_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]()#~|<>@").find(c) != std::string_view::npos)
      out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

}  // namespace tocsin::notify
