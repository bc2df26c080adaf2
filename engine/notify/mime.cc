// SPDX-License-Identifier: Apache-2.0
#include "notify/mime.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/utf8.h"
#include "net/base64.h"

namespace tocsin::notify {
namespace {

constexpr std::size_t kLineBytes = 76;
constexpr std::size_t kWordBytes = 45;  // Of text in one encoded word, which has 75 characters.
constexpr std::size_t kPlainBytes = 500;
// Base64 has no hyphen, so no part contains it.
constexpr std::string_view kBoundary = "tocsin-part";

bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }
bool is_plain(char c) { return c >= ' ' && c <= '~'; }

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_plain(c) &&
                  std::string_view(" <>()[],;:\\\"").find(c) == std::string_view::npos;
         });
}

// The end of the mailbox that begins `text`: a comma outside quotes.
std::size_t end_of_mailbox(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == ',' && !quoted) return i;
  }
  return text.size();
}

Result<Mailbox> parse_mailbox(std::string_view text) {
  Mailbox out;
  std::string_view address = trim(text);
  if (const std::size_t open = address.rfind('<');
      open != std::string_view::npos && address.back() == '>') {
    std::string_view name = trim(address.substr(0, open));
    if (name.size() > 1 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    out.name = std::string(name);
    address = address.substr(open + 1, address.size() - open - 2);
  }
  const bool has_controls = std::any_of(text.begin(), text.end(), is_control);
  if (has_controls || !is_address(address)) {
    return fail(ErrorCode::InvalidArgument, "not a mail address: " + std::string(trim(text)));
  }
  out.address = std::string(address);
  return out;
}

std::string base64_lines(std::string_view text) {
  const std::string encoded = net::encode_base64(text);
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); i += kLineBytes) {
    out += encoded.substr(i, kLineBytes) + "\r\n";
  }
  return out;
}

std::string part(std::string_view type, std::string_view text) {
  return "--" + std::string(kBoundary) + "\r\nContent-Type: " + std::string(type) +
         "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         base64_lines(well_formed(text));
}

// As many bytes as an encoded word has room for, and no half characters.
std::size_t word_length(std::string_view text) {
  std::size_t end = std::min(kWordBytes, text.size());
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return end;
}

}  // namespace

Result<std::vector<Mailbox>> parse_mailboxes(std::string_view text) {
  std::vector<Mailbox> out;
  do {
    const std::size_t end = end_of_mailbox(text);
    auto mailbox = parse_mailbox(text.substr(0, end));
    if (!mailbox) return fail(mailbox.error());
    out.push_back(std::move(*mailbox));
    text.remove_prefix(std::min(end + 1, text.size()));
  } while (!text.empty());
  return out;
}

std::string format_mailbox(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  const bool plain = std::all_of(mailbox.name.begin(), mailbox.name.end(),
                                 [](char c) { return is_plain(c) && c != '"' && c != '\\'; });
  return (plain ? "\"" + mailbox.name + "\"" : encode_header(mailbox.name)) + " <" +
         mailbox.address + ">";
}

std::string encode_header(std::string_view text) {
  std::string clean = well_formed(text);
  std::replace_if(clean.begin(), clean.end(), is_control, ' ');
  if (clean.size() <= kPlainBytes && std::all_of(clean.begin(), clean.end(), is_plain) &&
      clean.find("=?") == std::string::npos) {
    return clean;
  }
  std::string out;
  for (std::string_view rest = clean; !rest.empty();) {
    const std::size_t length = word_length(rest);
    out += (out.empty() ? "" : "\r\n ");
    out += "=?UTF-8?B?" + net::encode_base64(rest.substr(0, length)) + "?=";
    rest.remove_prefix(length);
  }
  return out;
}

std::string format_mail_date(Timestamp at) {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %02u %s %d %02d:%02d:%02d +0000",
                kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out.data();
}

std::string format_mail(const net::Headers& headers, const MailBody& body) {
  std::string out;
  for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
  out += "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"" +
         std::string(kBoundary) + "\"\r\n\r\n";
  out += part("text/plain", body.text) + part("text/html", body.html);
  return out + "--" + std::string(kBoundary) + "--\r\n";
}

}  // namespace tocsin::notify
