// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "base/file.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/worker_pool.h"
#include "support/raw_server.h"
#include "support/run_loop.h"

namespace tocsin::net {
namespace {

using testing::RawServer;

// A server and a client on one loop.
class Net {
 public:
  explicit Net(HttpHandler handler, HttpServerOptions options = {}) {
    auto opened = HttpServer::listen(loop, std::move(options), std::move(handler));
    REQUIRE_MESSAGE(opened, opened.error().message);
    server = std::move(*opened);
    client.emplace(loop);
  }

  std::string url(const std::string& path) const { return "http://" + server->address() + path; }

  HttpResult ask(HttpRequest request) {
    std::optional<HttpResult> result;
    client->send(std::move(request), [&](HttpResult r) { result = std::move(r); });
    REQUIRE(testing::run_until(loop, [&] { return result.has_value(); }));
    return *result;
  }
  HttpResult get(const std::string& path) { return ask({.url = url(path)}); }

  SystemClock clock;
  Loop loop{clock};
  std::unique_ptr<HttpServer> server;
  std::optional<HttpClient> client;
};

void answer_hello(const HttpServerRequest&, const Responder& respond) {
  respond({.body = "hello\n"});
}

TEST_CASE("a request arrives whole and its answer comes back") {
  std::optional<HttpServerRequest> seen;
  Net net([&](const HttpServerRequest& request, const Responder& respond) {
    seen = request;
    respond({.status = 201, .content_type = "text/x", .body = "ok", .headers = {{"X-A", "b"}}});
  });
  const auto result = net.ask({.method = "POST",
                               .url = net.url("/a%20b?x=1&x=2&y="),
                               .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                               .body = "x=0&q=sum%28a%29+b"});
  REQUIRE_MESSAGE(result, result.error().message);
  CHECK(result->status == 201);
  CHECK(result->body == "ok");
  CHECK(result->header("content-type") == "text/x");
  CHECK(result->header("x-a") == "b");
  REQUIRE(seen);
  CHECK(seen->method == "POST");
  CHECK(seen->path == "/a b");
  CHECK(seen->param("x") == "0");
  CHECK(seen->all_params("x") == std::vector<std::string>{"0", "1", "2"});
  CHECK(seen->param("q") == "sum(a) b");
  CHECK(seen->has_param("y"));
  CHECK_FALSE(seen->has_param("z"));
  CHECK(seen->remote.rfind("127.0.0.1:", 0) == 0);
}

TEST_CASE("connections are reused") {
  std::vector<std::string> remotes;
  Net net([&](const HttpServerRequest& request, const Responder& respond) {
    remotes.push_back(request.remote);
    respond({.body = "x"});
  });
  for (int i = 0; i < 3; ++i) REQUIRE(net.get("/"));
  CHECK(remotes[0] == remotes[1]);
  CHECK(remotes[1] == remotes[2]);
  CHECK(net.server->connections() == 1);
}

TEST_CASE("an answer may come later, from another thread") {
  WorkerPool workers(1);
  Net net([&](const HttpServerRequest&, const Responder& respond) {
    workers.post([respond] { respond({.body = "late"}); });
  });
  const auto result = net.get("/");
  REQUIRE(result);
  CHECK(result->body == "late");
  workers.stop();
}

TEST_CASE("a handler that forgets to answer answers 500") {
  Net net([](const HttpServerRequest&, const Responder&) {});
  const auto result = net.get("/");
  REQUIRE(result);
  CHECK(result->status == 500);
}

TEST_CASE("long answers are compressed when the client takes it") {
  const std::string body(5000, 'x');
  Net net([&](const HttpServerRequest&, const Responder& respond) { respond({.body = body}); });
  const auto packed = net.get("/");
  REQUIRE(packed);
  CHECK(packed->body == body);
  CHECK(packed->header("content-encoding") == "gzip");
  const auto plain = net.ask({.url = net.url("/"), .accept_gzip = false});
  REQUIRE(plain);
  CHECK(plain->header("content-encoding").empty());
  CHECK(plain->body == body);
}

TEST_CASE("the body limit counts decompressed bytes") {
  Net net([](const HttpServerRequest&, const Responder& respond) {
    respond({.body = std::string(1'000'000, 'x')});
  });
  CHECK(net.ask({.url = net.url("/"), .max_body_bytes = 1'000'000}).has_value());
  const auto result = net.ask({.url = net.url("/"), .max_body_bytes = 999'999});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::Limit);
}

TEST_CASE("a slow, an endless and a broken server cost no more than was agreed") {
  Net net(answer_hello);
  SUBCASE("one that never answers") {
    const RawServer server("", "", RawServer::Ending::HoldOpen);
    const auto result = net.ask({.url = server.url(), .timeout = Duration(50)});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::Timeout);
  }
  SUBCASE("one that stops in the middle") {
    const RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "abc",
                           RawServer::Ending::HoldOpen);
    const auto result = net.ask({.url = server.url(), .timeout = Duration(50)});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::Timeout);
  }
  SUBCASE("one that closes in the middle") {
    const RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "abc",
                           RawServer::Ending::Close);
    const auto result = net.ask({.url = server.url()});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::Unavailable);
  }
  SUBCASE("one that never stops") {
    const RawServer server("HTTP/1.1 200 OK\r\n\r\n", std::string(10'000, 'x'),
                           RawServer::Ending::RepeatTail);
    const auto result = net.ask({.url = server.url(), .max_body_bytes = 1'000'000});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::Limit);
  }
  const auto error_of_coding = [&](const std::string& coding) {
    const RawServer server(
        "HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + "\r\nContent-Length: 2\r\n\r\n", "ok",
        RawServer::Ending::Close);
    const auto result = net.ask({.url = server.url()});
    REQUIRE_FALSE(result);
    return result.error();
  };
  SUBCASE("one that packs in a way that was not asked for") {
    const Error error = error_of_coding("br");
    CHECK(error.code == ErrorCode::Parse);
    CHECK(error.message.find("br") != std::string::npos);
  }
  SUBCASE("one whose gzip is none") { CHECK(error_of_coding("gzip").code == ErrorCode::Parse); }
  SUBCASE("one that is not there") {
    const auto result = net.ask({.url = "http://127.0.0.1:1/"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::Unavailable);
  }
  SUBCASE("one that cannot be") {
    const auto result = net.ask({.url = "gopher://x/"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::InvalidArgument);
  }
}

TEST_CASE("a redirect is followed if the request says so") {
  Net net([](const HttpServerRequest& request, const Responder& respond) {
    if (request.path == "/old") {
      respond({.status = 302, .headers = {{"Location", "/new"}}});
    } else {
      respond({.body = request.path});
    }
  });
  const auto followed = net.get("/old");
  REQUIRE(followed);
  CHECK(followed->body == "/new");
  const auto kept = net.ask({.url = net.url("/old"), .follow_redirects = false});
  REQUIRE(kept);
  CHECK(kept->status == 302);
}

TEST_CASE("what is sent stays what it is when it is redirected") {
  for (const int status : {301, 302, 303, 307, 308}) {
    CAPTURE(status);
    std::optional<HttpServerRequest> seen;
    Net net([&](const HttpServerRequest& request, const Responder& respond) {
      if (request.path == "/old") {
        respond({.status = status, .headers = {{"Location", "/new"}}});
      } else {
        seen = request;
        respond({.body = "taken"});
      }
    });
    const auto result = net.ask({.method = "POST",
                                 .url = net.url("/old"),
                                 .body = "an alert",
                                 .basic_auth = BasicCredentials{"alice", "x"}});
    REQUIRE_MESSAGE(result, result.error().message);
    CHECK(result->body == "taken");
    REQUIRE(seen);
    CHECK(seen->method == "POST");
    CHECK(seen->body == "an alert");
    CHECK_FALSE(seen->header("Authorization").empty());
  }
}

TEST_CASE("what is sent keeps its credentials on another port of the host") {
  std::string location;
  Net net([&](const HttpServerRequest&, const Responder& respond) {
    respond({.status = 301, .headers = {{"Location", location}}});
  });
  std::string credentials;
  const auto second = HttpServer::listen(
      net.loop, {}, [&](const HttpServerRequest& request, const Responder& respond) {
        credentials = request.header("Authorization");
        respond({.body = request.body});
      });
  REQUIRE(second);
  location = "http://" + (*second)->address() + "/";
  const auto result = net.ask({.method = "POST",
                               .url = net.url("/"),
                               .headers = {{"Authorization", "Bearer x"}},
                               .body = "an alert"});
  REQUIRE_MESSAGE(result, result.error().message);
  CHECK(result->body == "an alert");
  CHECK(credentials == "Bearer x");
}

TEST_CASE("what is sent is not taken to another host, and the error says where that would be") {
  std::string location;
  int requests = 0;
  Net net([&](const HttpServerRequest&, const Responder& respond) {
    ++requests;
    respond({.status = 302, .headers = {{"Location", location}}});
  });
  const std::string port = std::to_string(net.server->port());
  for (const std::string& other :
       {"http://localhost:" + port + "/login?secret", "//localhost:" + port + "/login?secret"}) {
    location = other;
    requests = 0;
    const auto result = net.ask({.method = "POST", .url = net.url("/"), .body = "an alert"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::Unavailable);
    CHECK(result.error().message.starts_with("redirected (HTTP status 302) to http://localhost:"));
    CHECK(result.error().message.find("secret") == std::string::npos);
    CHECK(requests == 1);
  }
  const auto kept =
      net.ask({.method = "POST", .url = net.url("/"), .body = "x", .follow_redirects = false});
  REQUIRE(kept);
  CHECK(kept->status == 302);
}

TEST_CASE("a cancelled request is never heard of again") {
  Responder kept;
  std::shared_ptr<const std::atomic<bool>> gone;
  Net net([&](const HttpServerRequest& request, Responder respond) {
    gone = request.gone;
    kept = std::move(respond);
  });
  bool called = false;
  const auto id =
      net.client->send({.url = net.url("/")}, [&](const HttpResult&) { called = true; });
  REQUIRE(testing::run_until(net.loop, [&] { return gone != nullptr; }));
  CHECK_FALSE(*gone);
  net.client->cancel(id);
  REQUIRE(testing::run_until(net.loop, [&] { return gone->load(); }));
  kept({.body = "too late"});
  CHECK(net.ask({.url = "http://127.0.0.1:1/"}).has_value() == false);
  CHECK_FALSE(called);
}

TEST_CASE("a body over the server's limit is refused") {
  Net net(answer_hello, {.max_body_bytes = 1000});
  const auto result =
      net.ask({.method = "POST", .url = net.url("/"), .body = std::string(2000, 'x')});
  REQUIRE_MESSAGE(result, result.error().message);
  CHECK(result->status == 413);
}

TEST_CASE("a HEAD is answered without a body") {
  Net net(answer_hello);
  const auto result = net.ask({.method = "HEAD", .url = net.url("/")});
  REQUIRE_MESSAGE(result, result.error().message);
  CHECK(result->header("content-length") == "6");
  CHECK(result->body.empty());
  CHECK(net.get("/")->body == "hello\n");
}

TEST_CASE("only users of the file may ask") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tocsin-users-" + std::to_string(::getpid())))
          .string();
  REQUIRE(write_file(path, "# people\nalice:open:sesame\nbob:\n"));
  Net net(answer_hello, {.basic_auth_users_file = path});
  const auto ask = [&](std::optional<BasicCredentials> who) {
    return net.ask({.url = net.url("/"), .basic_auth = std::move(who)})->status;
  };
  CHECK(ask(std::nullopt) == 401);
  CHECK(ask(BasicCredentials{"alice", "open:sesame"}) == 200);
  CHECK(ask(BasicCredentials{"alice", "open"}) == 401);
  CHECK(ask(BasicCredentials{"bob", ""}) == 200);
  CHECK(ask(BasicCredentials{"eve", ""}) == 401);
  for (const char* garbage : {"", "=", "====", "YQ======", "Y===", "!!!!", "YQ==YQ==", "    "}) {
    CAPTURE(garbage);
    const auto answer = net.ask(
        {.url = net.url("/"), .headers = {{"Authorization", std::string("Basic ") + garbage}}});
    REQUIRE(answer);
    CHECK(answer->status == 401);
  }
  const HttpServerOptions options{.basic_auth_users_file = path};
  REQUIRE(write_file(path, "bob:\n"));
  REQUIRE(net.server->use(options));
  CHECK(ask(BasicCredentials{"alice", "open:sesame"}) == 401);
  CHECK(ask(BasicCredentials{"bob", ""}) == 200);
  std::filesystem::remove(path);
  CHECK_FALSE(net.server->use(options));
  CHECK(ask(std::nullopt) == 401);
  REQUIRE(net.server->use({}));
  CHECK(ask(std::nullopt) == 200);
}

TEST_CASE("whose password is being checked when the users change is told to come again") {
  // Cost 12: the check takes longer than the change.
  const std::map<std::string, std::string> users{
      {"alice", "$2y$12$abcdefghijklmnopqrstuu2GbQLdjwBFdH8CcOE866nGziodmvO8K"}};
  Net net(answer_hello, {.basic_auth_users = users});
  std::optional<HttpResult> result;
  net.client->send({.url = net.url("/"), .basic_auth = BasicCredentials{"alice", "guess"}},
                   [&](HttpResult r) { result = std::move(r); });
  REQUIRE(testing::run_until(net.loop, [&] {
    REQUIRE(net.server->use({.basic_auth_users = users}));
    return result.has_value();
  }));
  REQUIRE(*result);
  CHECK((*result)->status == 429);
  CHECK((*result)->header("Retry-After") == "1");
}

TEST_CASE("a stranger's body is not read, and the next request is one again") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tocsin-stranger-" + std::to_string(::getpid())))
          .string();
  REQUIRE(write_file(path, "alice:x\n"));
  Net net(answer_hello, {.basic_auth_users_file = path});
  std::filesystem::remove(path);
  const auto post = [&](const char* password) {
    return net.ask({.method = "POST",
                    .url = net.url("/"),
                    .body = std::string(8'000'000, 'b'),
                    .basic_auth = BasicCredentials{"alice", password}});
  };
  for (const char* password : {"wrong", "x", "wrong", "x"}) {
    const auto answer = post(password);
    REQUIRE_MESSAGE(answer, answer.error().message);
    CHECK(answer->status == (*password == 'x' ? 200 : 401));
  }
}

TEST_CASE("an address in use and a missing file are errors at start") {
  Net net(answer_hello);
  const auto again = HttpServer::listen(net.loop, {.listen = net.server->address()}, answer_hello);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::Io);
  CHECK_FALSE(HttpServer::listen(net.loop, {.listen = "nowhere"}, answer_hello));
  CHECK_FALSE(HttpServer::listen(
      net.loop, {.listen = "127.0.0.1:0", .tls = {.cert_file = "/nonexistent.pem"}}, answer_hello));
}

TEST_CASE("over the connection limit the newcomer is sent away") {
  Responder kept;
  Net net([&](const HttpServerRequest&, Responder respond) { kept = std::move(respond); },
          {.max_connections = 1});
  net.client->send({.url = net.url("/")}, [](const HttpResult&) {});
  REQUIRE(testing::run_until(net.loop, [&] { return static_cast<bool>(kept); }));
  CHECK_FALSE(net.get("/"));
  kept({.body = "x"});
}

TEST_CASE("who asks too often is told to wait, and is still told whether the server is well") {
  Net net(answer_hello, {.rate_limit = {.interval = std::chrono::hours(1), .burst = 3},
                         .unlimited_paths = {"/well"}});
  for (int i = 0; i < 3; ++i) CHECK(net.get("/")->status == 200);
  const auto refused = net.get("/?x=1");
  REQUIRE(refused.has_value());
  CHECK(refused->status == 429);
  CHECK(refused->header("Retry-After") == "1");
  CHECK(net.get("/well?x=1")->status == 200);
  CHECK(net.get("/wellness")->status == 429);
  CHECK(net.server->refused() == 2);
  CHECK(net.server->connections() == 1);  // It need not come again to hear it.
  REQUIRE(net.server->use({}).has_value());
  CHECK(net.get("/")->status == 200);  // By another limit.
}

TEST_CASE("one address cannot take all connections") {
  Responder kept;
  Net net([&](const HttpServerRequest&, Responder respond) { kept = std::move(respond); },
          {.max_connections_of_address = 1});
  for (int i = 0; i < 3; ++i) {
    std::optional<HttpClient> client(std::in_place, net.loop);
    client->send({.url = net.url("/")}, [](const HttpResult&) {});
    REQUIRE(testing::run_until(net.loop, [&] { return static_cast<bool>(kept); }));
    CHECK_FALSE(net.get("/"));
    kept = nullptr;
    client.reset();
    REQUIRE(testing::run_until(net.loop, [&] { return net.server->connections() == 0; }));
  }
}

// Certificates that sign themselves, in a folder of their own.
class Certificates {
 public:
  Certificates() { std::filesystem::create_directory(folder_); }
  ~Certificates() { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  HttpServerTls tls() const { return {.cert_file = path("cert.pem"), .key_file = path("key.pem")}; }

  // Puts one of that name into cert.pem and key.pem. False when the openssl command is not at hand.
  bool make(const std::string& name) const {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
        "-nodes -days 2 -subj /CN=" +
        name + " -addext subjectAltName=DNS:" + name + " -keyout " + path("key.pem") + " -out " +
        path("cert.pem") + " 2>/dev/null";
    const bool made = std::system(command.c_str()) == 0;
    if (!made) MESSAGE("skipped: the openssl command is not at hand");
    return made;
  }

 private:
  const std::string folder_ =
      (std::filesystem::temp_directory_path() / ("tocsin-tls-" + std::to_string(::getpid())))
          .string();
};

TEST_CASE("TLS is verified against the authority and the name") {
  const Certificates certificates;
  if (!certificates.make("mesh.test")) return;
  const std::string cert = certificates.path("cert.pem");
  Net net(answer_hello, {.tls = certificates.tls()});
  const std::string url = "https://" + net.server->address() + "/";
  CHECK(net.ask({.url = url, .tls = {.ca_file = cert, .server_name = "mesh.test"}}).has_value());
  CHECK(net.ask({.url = url, .tls = {.insecure_skip_verify = true}}).has_value());
  CHECK_FALSE(net.ask({.url = url, .tls = {.ca_file = cert}}));
  CHECK_FALSE(net.ask({.url = url, .tls = {.server_name = "mesh.test"}}));
}

TEST_CASE("a renewed certificate is shown to whoever comes next, a broken one is not") {
  const Certificates certificates;
  if (!certificates.make("old.test")) return;
  const std::string cert = certificates.path("cert.pem");
  Net net(answer_hello, {.tls = certificates.tls()});
  // By the authority that is now in the file, or by a copy of it.
  const auto is_shown = [&](const std::string& name, const std::string& authority) {
    HttpClient newcomer(net.loop);
    std::optional<HttpResult> result;
    newcomer.send({.url = "https://" + net.server->address() + "/",
                   .tls = {.ca_file = authority, .server_name = name}},
                  [&](HttpResult r) { result = std::move(r); });
    REQUIRE(testing::run_until(net.loop, [&] { return result.has_value(); }));
    return result->has_value();
  };
  CHECK(is_shown("old.test", cert));
  REQUIRE(certificates.make("new.test"));
  CHECK(is_shown("new.test", cert));

  const std::string copy = certificates.path("copy.pem");
  std::filesystem::copy_file(cert, copy);
  REQUIRE(write_file(cert, "half a certificate"));
  CHECK(is_shown("new.test", copy));
  CHECK_FALSE(net.server->use({.tls = certificates.tls()}));
  CHECK(is_shown("new.test", copy));
  REQUIRE(certificates.make("newest.test"));
  REQUIRE(net.server->use({.tls = certificates.tls()}));
  CHECK(is_shown("newest.test", cert));
}

TEST_CASE("when clients must show a certificate from now on, those that are connected must, too") {
  const Certificates certificates;
  if (!certificates.make("mesh.test")) return;
  HttpServerTls tls = certificates.tls();
  Net net(answer_hello, {.tls = tls});
  const auto ask = [&](const TlsOptions& options) {
    return net.ask({.url = "https://" + net.server->address() + "/", .tls = options}).has_value();
  };
  const TlsOptions anonymous{.insecure_skip_verify = true};
  const TlsOptions known{
      .cert_file = tls.cert_file, .key_file = tls.key_file, .insecure_skip_verify = true};
  CHECK(ask(anonymous));
  tls.client_ca_file = tls.cert_file;
  REQUIRE(net.server->use({.tls = tls}));
  CHECK_FALSE(ask(anonymous));
  CHECK(ask(known));
}

TEST_CASE("what is sent over TLS is not taken to where there is none") {
  const Certificates certificates;
  if (!certificates.make("mesh.test")) return;
  std::string location;
  Net net(
      [&](const HttpServerRequest&, const Responder& respond) {
        respond({.status = 302, .headers = {{"Location", location}}});
      },
      {.tls = certificates.tls()});
  location = "http://" + net.server->address() + "/";
  const auto result = net.ask({.method = "POST",
                               .url = "https://" + net.server->address() + "/",
                               .body = "an alert",
                               .tls = {.insecure_skip_verify = true}});
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("not from https to http") != std::string::npos);
}

TEST_CASE("a command line waits for its answer") {
  const RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok",
                         RawServer::Ending::Close);
  const auto result = fetch({.url = server.url()});
  REQUIRE(result);
  CHECK(result->body == "ok");
}

}  // namespace
}  // namespace tocsin::net
