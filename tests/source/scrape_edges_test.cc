// SPDX-License-Identifier: Apache-2.0
//
// The scraper over real sockets: servers that misbehave cost what was agreed, and only their own
// target.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "net/http_server.h"
#include "net/worker_pool.h"
#include "source/scraper.h"
#include "support/raw_server.h"
#include "support/run_loop.h"
#include "support/samples_of.h"

namespace tocsin::source {
namespace {

using testing::RawServer;

class Mesh {
 public:
  explicit Mesh(net::HttpHandler handler, net::HttpServerOptions options = {}) {
    auto opened = net::HttpServer::listen(loop, std::move(options), std::move(handler));
    REQUIRE_MESSAGE(opened, opened.error().message);
    server = std::move(*opened);
  }
  ~Mesh() {
    scraper.stop();
    workers.stop();
  }

  static ScrapeConfig job(const std::string& address) {
    return {.job_name = address,
            .scrape_interval = Duration(250),
            .scrape_timeout = Duration(200),
            .static_configs = {{.targets = {address}}}};
  }
  static ScrapeConfig job(int port) { return job("127.0.0.1:" + std::to_string(port)); }

  // Scrapes everything once and returns the last error of the first job.
  std::string scrape(const std::vector<ScrapeConfig>& configs) {
    REQUIRE(scraper.apply(configs, testing::needs_of("a + up")));
    REQUIRE(testing::run_until(loop, [&] { return scraper.first_pass_done(); }));
    for (const TargetStatus& status : scraper.targets()) {
      if (status.target.job == configs.front().job_name) return status.last_error;
    }
    return "no such target";
  }

  std::size_t values(const std::string& selector) const {
    return testing::values_at(store, selector, clock.now()).size();
  }

  SystemClock clock;
  net::Loop loop{clock};
  net::HttpClient http{loop};
  store::Store store;
  net::WorkerPool workers{2};
  std::unique_ptr<net::HttpServer> server;
  Scraper scraper{{clock, loop, loop, workers, http, store},
                  [](const std::string&) { return std::vector<TargetGroup>(); }};
};

void answer_page(const net::HttpServerRequest&, const net::Responder& respond) {
  respond({.body = "a{x=\"" + std::string(3000, 'y') + "\"} 1\n"});
}

TEST_CASE("a page travels from a server through gzip into the store") {
  std::string encoding;
  Mesh mesh([&](const net::HttpServerRequest& request, const net::Responder& respond) {
    encoding = request.header("Accept-Encoding");
    answer_page(request, respond);
  });
  CHECK(mesh.scrape({Mesh::job(mesh.server->port())}).empty());
  CHECK(encoding.find("gzip") != std::string::npos);
  CHECK(mesh.values("a") == 1);
}

TEST_CASE("a bad server costs its own target alone") {
  Mesh mesh(answer_page);
  const ScrapeConfig good = Mesh::job(mesh.server->port());
  std::string error;
  SUBCASE("an endless page") {
    const RawServer server("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
                           std::string(1000, '#') + "\n", RawServer::Ending::RepeatTail);
    ScrapeConfig bad = Mesh::job(server.port());
    bad.limits.body_bytes = 100'000;
    error = mesh.scrape({bad, good});
    CHECK(error.find("longer than 100000 bytes") != std::string::npos);
  }
  SUBCASE("a slow page") {
    const RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "a 1\n",
                           RawServer::Ending::HoldOpen);
    error = mesh.scrape({Mesh::job(server.port()), good});
  }
  SUBCASE("a silent server") {
    const RawServer server("", "", RawServer::Ending::HoldOpen);
    error = mesh.scrape({Mesh::job(server.port()), good});
  }
  SUBCASE("a page that is cut off") {
    const RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "a 1\n",
                           RawServer::Ending::Close);
    error = mesh.scrape({Mesh::job(server.port()), good});
  }
  SUBCASE("a page in another language") {
    const RawServer server("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n", "<html>",
                           RawServer::Ending::Close);
    error = mesh.scrape({Mesh::job(server.port()), good});
    CHECK(error.find("text/html") != std::string::npos);
  }
  CHECK_FALSE(error.empty());
  CHECK(mesh.values("up == 0 or up") == 2);
  CHECK(mesh.values("a") == 1);
}

TEST_CASE("a server that wants credentials gets those of the file") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("tocsin-auth-" + std::to_string(::getpid())))
          .string();
  std::filesystem::create_directory(folder);
  REQUIRE(write_file(folder + "/users", "tocsin:secret\n"));
  REQUIRE(write_file(folder + "/password", "secret\n"));
  Mesh mesh(answer_page, {.basic_auth_users_file = folder + "/users"});
  ScrapeConfig config = Mesh::job(mesh.server->port());
  SUBCASE("none") { CHECK(mesh.scrape({config}) == "server returned HTTP status 401"); }
  SUBCASE("the right ones") {
    config.client.basic_auth =
        net::BasicAuthConfig{.username = "tocsin", .password_file = folder + "/password"};
    CHECK(mesh.scrape({config}).empty());
  }
  SUBCASE("a file that is not there") {
    config.client.basic_auth =
        net::BasicAuthConfig{.username = "tocsin", .password_file = folder + "/nothing"};
    CHECK(mesh.scrape({config}).find("nothing") != std::string::npos);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tocsin::source
