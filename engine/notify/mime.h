// SPDX-License-Identifier: Apache-2.0
//
// Mail as it goes over the wire: addresses, headers, and a body in two forms. What a header or a
// body says comes from alerts, so nothing in it can end a line or begin a header. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http_types.h"
#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::notify {

struct Mailbox {
  std::string name;     // May be empty.
  std::string address;  // "team@example.org", ASCII.
};

// "a@example.org, Team B <b@example.org>": one at least.
Result<std::vector<Mailbox>> parse_mailboxes(std::string_view text);
std::string format_mailbox(const Mailbox& mailbox);

// As a header's value: encoded where it is more than plain ASCII, in lines that are folded.
std::string encode_header(std::string_view text);

// "Sun, 22 Nov 2026 17:42:00 +0000"
std::string format_mail_date(Timestamp at);

// The whole message; the values of `headers` are encoded already.
struct MailBody {
  std::string text;
  std::string html;
};
std::string format_mail(const net::Headers& headers, const MailBody& body);

}  // namespace tocsin::notify
