// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "net/http_client.h"
#include "support/mail_server.h"
#include "support/raw_server.h"
#include "support/run_loop.h"

namespace tocsin::net {
namespace {

using testing::MailServer;
using namespace std::chrono_literals;

struct Net {
  SystemClock clock;
  Loop loop{clock};
  HttpClient client{loop};

  HttpResult ask(HttpRequest request) {
    std::optional<HttpResult> result;
    client.send(std::move(request), [&](HttpResult r) { result = std::move(r); });
    REQUIRE(testing::run_until(loop, [&] { return result.has_value(); }));
    return *result;
  }
};

HttpRequest mail_to(const MailServer& server) {
  HttpRequest request;
  request.url = "smtp://" + server.address() + "/tocsin.test";
  request.mail = MailEnvelope{"tocsin@example.org", "team@example.org", false};
  request.body = "Subject: hello\r\n\r\nfirst\r\n.second\r\n.\r\nlast\r\n";
  return request;
}

TEST_CASE("a mail arrives whole, dots and all") {
  MailServer server;
  Net net;
  const auto result = net.ask(mail_to(server));
  REQUIRE_MESSAGE(result, result.error().message);
  CHECK(result->status == 250);
  CHECK(server.message() ==
        "Subject: hello\r\n\r\nfirst\r\n..second\r\n..\r\nlast\r\n");  // Doubled on the wire.
  const auto commands = server.commands();
  REQUIRE(commands.size() >= 4);
  CHECK(commands[0] == "EHLO tocsin.test");
  CHECK(commands[1].starts_with("MAIL FROM:<tocsin@example.org>"));
  CHECK(commands[2].starts_with("RCPT TO:<team@example.org>"));
  CHECK(commands[3] == "DATA");
}

TEST_CASE("who has a login says it first") {
  MailServer server;
  Net net;
  auto request = mail_to(server);
  request.basic_auth = BasicCredentials{"tocsin", "secret"};
  const auto result = net.ask(std::move(request));
  REQUIRE_MESSAGE(result, result.error().message);
  CHECK(result->status == 250);
  CHECK(server.commands()[1] == "AUTH PLAIN");
  CHECK(server.commands()[2] == "AHRvY3NpbgBzZWNyZXQ=");
}

TEST_CASE("a server without TLS hears nothing where TLS is required") {
  MailServer server;
  Net net;
  auto request = mail_to(server);
  request.mail->require_tls = true;
  request.basic_auth = BasicCredentials{"tocsin", "secret"};
  const auto result = net.ask(std::move(request));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::Unavailable);
  for (const std::string& command : server.commands()) {
    CAPTURE(command);
    CHECK_FALSE(command.starts_with("AUTH"));
    CHECK_FALSE(command.starts_with("MAIL"));
  }
}

TEST_CASE("a refusal is an answer, in the server's words") {
  const std::pair<MailServer::Replies, int> cases[] = {
      {{{"RCPT", "550 5.1.1 no such user"}}, 550},
      {{{"MAIL", "451 4.3.0 later"}}, 451},
      {{{".", "554 5.6.0 not like this"}}, 554},
      {{{".", "452 4.2.2 full"}}, 452},
  };
  for (const auto& [replies, status] : cases) {
    CAPTURE(status);
    MailServer server(replies);
    Net net;
    const auto result = net.ask(mail_to(server));
    REQUIRE_MESSAGE(result, result.error().message);
    CHECK(result->status == status);
    CHECK(result->body == replies.begin()->second);
  }
}

TEST_CASE("a login that is refused is an answer too") {
  MailServer server(MailServer::Replies{{"AUTH", "535 5.7.8 who are you"}});
  Net net;
  auto request = mail_to(server);
  request.basic_auth = BasicCredentials{"tocsin", "wrong"};
  const auto result = net.ask(std::move(request));
  REQUIRE(result.has_value());
  CHECK(result->status == 535);
}

TEST_CASE("a mail server that hangs is given up in time") {
  MailServer server(MailServer::Replies{{"DATA", ""}});
  Net net;
  auto request = mail_to(server);
  request.timeout = 300ms;
  const auto result = net.ask(std::move(request));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::Timeout);
}

TEST_CASE(
    "a mail server that does not say goodbye holds up nobody else, and the mail is delivered") {
  MailServer server(MailServer::Replies{{"QUIT", ""}});
  testing::RawServer web("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "",
                         testing::RawServer::Ending::Close);
  Net net;
  std::optional<HttpResult> mail;
  std::optional<HttpResult> page;
  bool page_came_first = false;
  auto request = mail_to(server);
  request.timeout = 1s;
  net.client.send(std::move(request), [&](HttpResult r) { mail = std::move(r); });
  REQUIRE(testing::run_until(net.loop, [&] {
    const auto said = server.commands();
    return std::find(said.begin(), said.end(), "QUIT") != said.end();
  }));
  net.client.send({.url = web.url()}, [&](HttpResult r) {
    page_came_first = !mail;
    page = std::move(r);
  });
  REQUIRE(testing::run_until(net.loop, [&] { return mail && page; }));
  CHECK(page_came_first);
  CHECK((*page)->status == 200);
  REQUIRE_MESSAGE(mail->has_value(), mail->error().message);
  CHECK((*mail)->status == 250);
}

TEST_CASE("a mail that is cancelled is not answered, and web requests go on") {
  MailServer server(MailServer::Replies{{"EHLO", ""}});
  Net net;
  const auto id = net.client.send(mail_to(server), [](const HttpResult&) { FAIL("answered"); });
  net.client.cancel(id);
  testing::RawServer web("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "",
                         testing::RawServer::Ending::Close);
  CHECK(net.ask({.url = web.url()})->status == 200);
}

}  // namespace
}  // namespace tocsin::net
