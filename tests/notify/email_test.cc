// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "net/loop.h"
#include "notify/channel_kinds.h"
#include "notify/mime.h"
#include "notify/notifier.h"
#include "support/mail_server.h"
#include "support/run_loop.h"

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

std::string decode_base64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) continue;
    bits = (bits << 6) | static_cast<unsigned>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>((bits >> count) & 0xFFU));
  }
  return out;
}

// What a mail program makes of a header's value.
std::string decode_header(std::string value) {
  constexpr std::string_view kBegin = "=?UTF-8?B?";
  std::string out;
  for (std::size_t at = 0; at < value.size();) {
    if (value.compare(at, kBegin.size(), kBegin) != 0) {
      if (value.compare(at, 3, "\r\n ") == 0) {
        at += 3;
      } else {
        out.push_back(value[at++]);
      }
      continue;
    }
    const std::size_t end = value.find("?=", at + kBegin.size());
    CHECK(end - at + 2 <= 75);
    const std::string word =
        decode_base64(value.substr(at + kBegin.size(), end - at - kBegin.size()));
    CHECK(word == well_formed(word));  // No character is cut in two.
    out += word;
    at = end + 2;
  }
  return out;
}

struct Mail {
  std::vector<std::string> headers;  // Unfolded by nobody: with their CRLF and space.
  std::string text;
  std::string html;

  std::string header(const std::string& name) const {
    for (const std::string& header : headers) {
      if (header.starts_with(name + ": ")) return header.substr(name.size() + 2);
    }
    return "absent";
  }
};

std::string part_of(const std::string& body, const std::string& type) {
  const std::size_t begin = body.find("\r\n\r\n", body.find("Content-Type: " + type));
  REQUIRE(begin != std::string::npos);
  return decode_base64(body.substr(begin, body.find("\r\n--", begin) - begin));
}

Mail parse(const std::string& message) {
  Mail mail;
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '\n') CHECK(message[i - 1] == '\r');
  }
  const std::size_t body = message.find("\r\n\r\n");
  REQUIRE(body != std::string::npos);
  for (std::size_t at = 0; at < body;) {
    std::size_t end = message.find("\r\n", at);
    CHECK(end - at <= 998);
    while (message[end + 2] == ' ') end = message.find("\r\n", end + 2);
    mail.headers.push_back(message.substr(at, end - at));
    at = end + 2;
  }
  mail.text = part_of(message.substr(body), "text/plain");
  mail.html = part_of(message.substr(body), "text/html");
  return mail;
}

OutgoingAlert alert(bool resolved = false) {
  OutgoingAlert a;
  a.labels =
      Labels{{"alertname", "SuccessRateLow"}, {"deployment", "web"}, {"severity", "critical"}};
  a.annotations = {{"summary", "web in shop: only 93% of requests succeed"},
                   {"value", "93%"},
                   {"threshold", "99%"},
                   {"runbook_url", "https://runbooks/success?a=1&b=2"}};
  a.starts_at = kStart;
  a.ends_at = kStart + 6min;
  a.resolved = resolved;
  a.decided_at = kStart + 10s;
  return a;
}

ChannelConfig to_team() {
  ChannelConfig config;
  config.kind = ChannelKind::Email;
  config.options = {{"to", "Team <team@example.org>"}, {"from", "Tocsin <tocsin@example.org>"}};
  return config;
}

ChannelRequest request(std::vector<OutgoingAlert> alerts, const ChannelConfig& config = to_team(),
                       const std::string& smarthost = "mail.example.org:587") {
  const GroupMessage group{"team", "{}:{}", Labels{}, std::move(alerts), "https://tocsin"};
  return info_of(ChannelKind::Email).build(group, {config, smarthost, "secret"});
}

TEST_CASE("a mail has an envelope, headers, and the message as text and as HTML") {
  const ChannelRequest built = request({alert()});
  CHECK(built.url == "smtp://mail.example.org:587/localhost");
  REQUIRE(built.mail.has_value());
  CHECK(built.mail->from == "tocsin@example.org");
  CHECK(built.mail->to == "team@example.org");
  CHECK(built.mail->require_tls);
  CHECK_FALSE(built.login.has_value());
  const Mail mail = parse(built.body);
  CHECK(mail.header("From") == "\"Tocsin\" <tocsin@example.org>");
  CHECK(mail.header("To") == "\"Team\" <team@example.org>");
  CHECK(mail.header("Subject") == "[FIRING 1] SuccessRateLow: web");
  CHECK(mail.header("Date") == "Sun, 22 Nov 2026 17:42:10 +0000");
  CHECK(mail.header("Auto-Submitted") == "auto-generated");
  CHECK(mail.text.find("web in shop: only 93% of requests succeed\n") == 0);
  CHECK(mail.text.find("Value: 93% (limit 99%)") != std::string::npos);
  CHECK(mail.text.find("Runbook: https://runbooks/success?a=1&b=2") != std::string::npos);
  CHECK(mail.html.find("href=\"https://runbooks/success?a=1&amp;b=2\"") != std::string::npos);
}

TEST_CASE("the beginning and the end of a group are one thread, and two messages") {
  const Mail began = parse(request({alert()}).body);
  OutgoingAlert over = alert(true);
  over.decided_at += 6min;
  const Mail ended = parse(request({over}).body);
  CHECK(ended.header("Subject") == "[RESOLVED] SuccessRateLow: web");
  CHECK(ended.header("References") == began.header("References"));
  CHECK(ended.header("Message-ID") != began.header("Message-ID"));
  CHECK(request({alert()}).body == request({alert()}).body);  // Sent again, it is the same.
}

TEST_CASE("the smarthost's port and the options decide how it is spoken to") {
  ChannelConfig config = to_team();
  config.options["hello"] = "tocsin.example.org";
  config.options["auth_username"] = "tocsin";
  config.options["require_tls"] = "false";
  config.client.headers = {{"subject", "my own\r\nBcc: x@y.z"}, {"X-Team", "Größe"}};
  const ChannelRequest built = request({alert()}, config, "mail.example.org:465");
  CHECK(built.url == "smtps://mail.example.org:465/tocsin.example.org");
  CHECK_FALSE(built.mail->require_tls);
  REQUIRE(built.login.has_value());
  CHECK(built.login->username == "tocsin");
  CHECK(built.login->password == "secret");
  const Mail mail = parse(built.body);
  CHECK(mail.header("Subject") == "absent");
  CHECK(mail.header("subject") == "my own  Bcc: x@y.z");
  CHECK(decode_header(mail.header("X-Team")) == "Größe");
  CHECK(mail.header("Bcc") == "absent");
}

TEST_CASE("nothing that an alert may say adds a header or a tag") {
  OutgoingAlert evil = alert();
  evil.labels = Labels{{"alertname", "x\r\nBcc: all@example.org\r\n\r\n--tocsin-part"},
                       {"deployment", "🔥 \"<script>\""}};
  evil.annotations = {{"summary", "<script>alert(\"x\")</script>\r\n.\r\nQUIT"},
                      {"description", std::string(10'000, 'x') + "\xff ü🔥"},
                      {"runbook_url", "https://x/\"><script>"}};
  const Mail mail = parse(request(std::vector<OutgoingAlert>(200, evil)).body);
  CHECK(mail.header("Bcc") == "absent");
  CHECK(mail.headers.size() == parse(request({alert()}).body).headers.size());
  CHECK(decode_header(mail.header("Subject")).find("Bcc: all@example.org") != std::string::npos);
  CHECK(mail.html.find("<script>") == std::string::npos);
  CHECK(mail.html == well_formed(mail.html));
  CHECK(mail.html.find("and 150 more") != std::string::npos);
  CHECK(mail.text.find("and 150 more") != std::string::npos);
}

TEST_CASE("an alert is in the mailboxes of those who can be reached, and the others are counted") {
  testing::MailServer good;
  testing::MailServer bad(testing::MailServer::Replies{{"RCPT", "550 5.1.1 no such user"}});
  NotifyConfig config;
  config.route = RouteConfig{};
  config.route->receiver = "team";
  config.route->group_wait = Duration(0);
  config.receivers = {{"team", {to_team(), to_team()}}};
  for (std::size_t i = 0; i < 2; ++i) {
    ChannelConfig& channel = config.receivers[0].channels[i];
    channel.url.text = (i == 0 ? good : bad).address();
    channel.options["require_tls"] = "false";
    channel.options["auth_username"] = "tocsin";
    channel.key.text = "secret";
  }
  const SystemClock clock;
  net::Loop loop(clock);
  net::HttpClient client(loop);
  Notifier notifier({client, loop, clock, [] { return 0.0; }, {}, nullptr}, config);
  notifier.send({alert()});
  REQUIRE(testing::run_until(loop, [&] {
    const auto status = notifier.receivers();
    return status[0].stats.sent == 1 && status[1].stats.given_up == 1;
  }));
  CHECK(parse(good.message()).header("Subject") == "[FIRING 1] SuccessRateLow: web");
  CHECK(notifier.receivers()[1].stats.last_error == "status 550: 550 5.1.1 no such user");
}

TEST_CASE("a header of any text is lines of ASCII that say it") {
  for (const std::string& text :
       {std::string("plain"), std::string("=?no?="), std::string(600, 'a'), std::string("üñî🔥"),
        std::string(40, 'a') + "🔥🔥🔥🔥" + std::string(40, 'b')}) {
    CAPTURE(text);
    const std::string encoded = encode_header(text);
    CHECK(std::all_of(encoded.begin(), encoded.end(), [](char c) { return c > 0 && c < 127; }));
    CHECK(decode_header(encoded) == text);
  }
}

TEST_CASE("addresses are read as people write them") {
  const auto boxes = parse_mailboxes(R"(a@x.org,  "Team, B" <b@x.org> , Zoë <c@x.org>)");
  REQUIRE(boxes.has_value());
  REQUIRE(boxes->size() == 3);
  CHECK((*boxes)[0].address == "a@x.org");
  CHECK((*boxes)[1].name == "Team, B");
  CHECK(format_mailbox((*boxes)[1]) == "\"Team, B\" <b@x.org>");
  CHECK(decode_header(format_mailbox((*boxes)[2])) == "Zoë <c@x.org>");
  for (const std::string text :
       {"", "team", "@x.org", "a@", "a@b@c", "a b@x.org", "a@x.org\r\nRCPT TO:<b@x.org>",
        "a@x.org,,b@x.org", "<a@x.org", "A <a@x.org> b", "a@x.org>", "ü@x.org"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mailboxes(text).has_value());
  }
}

TEST_CASE("a mail is refused for good only for what it is itself") {
  const std::pair<int, Verdict> cases[] = {
      {250, Verdict::Delivered}, {421, Verdict::Retry},  {450, Verdict::Retry},
      {452, Verdict::Retry},     {530, Verdict::Retry},  {535, Verdict::Retry},
      {550, Verdict::GiveUp},    {552, Verdict::GiveUp}, {554, Verdict::GiveUp}};
  for (const auto& [status, verdict] : cases) {
    CAPTURE(status);
    net::HttpResponse response;
    response.status = status;
    CHECK(info_of(ChannelKind::Email).judge(response) == verdict);
  }
}

}  // namespace
}  // namespace tocsin::notify
