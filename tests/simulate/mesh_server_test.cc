// SPDX-License-Identifier: Apache-2.0
#include "simulate/mesh_server.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "base/file.h"
#include "net/http_client.h"
#include "simulate/pages.h"
#include "support/manual_clock.h"
#include "support/run_loop.h"

namespace tocsin::simulate {
namespace {

using namespace std::chrono_literals;

// A mesh, a loop that runs in real time, and a clock that the test moves.
class World {
 public:
  explicit World(MeshConfig config, MeshServerOptions options = {}) {
    auto opened = MeshServer::open(loop, clock, std::move(config), std::move(options));
    REQUIRE_MESSAGE(opened, opened.error().message);
    server = std::move(*opened);
    client.emplace(loop);
  }

  net::HttpResponse get(const std::string& path) {
    std::optional<net::HttpResult> result;
    client->send({.url = "http://" + server->address() + path},
                 [&](net::HttpResult r) { result = std::move(r); });
    REQUIRE(testing::run_until(loop, [&] { return result.has_value(); }));
    REQUIRE_MESSAGE(*result, result->error().message);
    return **result;
  }

  SystemClock system;
  testing::ManualClock clock{kStart};
  net::Loop loop{system};
  std::unique_ptr<MeshServer> server;
  std::optional<net::HttpClient> client;
};

TEST_CASE("every target's page is served where discovery says") {
  World world(small_mesh());
  for (const Endpoint& endpoint : world.server->mesh().endpoints()) {
    const auto response = world.get(endpoint.path);
    CHECK(response.status == 200);
    CHECK(response.header("content-type") == "text/plain");
    CHECK_FALSE(ReadPage(response.body).values().empty());
  }
  CHECK(world.get("/pods/shop/nobody/metrics").status == 404);
  const auto sd = world.get("/sd");
  CHECK(sd.header("content-type") == "application/json");
  CHECK(sd.body.find("\"__metrics_path__\":\"/components/identity-0/metrics\"") !=
        std::string::npos);
  CHECK(sd.body.find("\"targets\":[\"" + world.server->address() + "\"]") != std::string::npos);
}

TEST_CASE("the mesh lives by the clock, and names its faults") {
  FaultConfig fault;
  fault.kind = FaultKind::ScrapeGap;
  fault.workload = "shop/front";
  fault.start = 1min;
  fault.end = 2min;
  World world(small_mesh({fault}));
  const std::string path = world.server->mesh().endpoints()[0].path;
  CHECK(world.get(path).status == 200);
  CHECK(world.get("/faults").body.find("scrape_gap") == std::string::npos);
  world.clock.advance(90s);
  CHECK(world.get(path).status == 503);
  CHECK(world.get("/faults").body.find(R"("fault":"scrape_gap","workload":"shop/front")") !=
        std::string::npos);
  world.clock.advance(1min);
  CHECK(world.get(path).status == 200);
}

TEST_CASE("the targets file is there from the beginning") {
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("tocsin-mesh-sd-" + std::to_string(::getpid()) + ".json"))
                               .string();
  {
    World world(small_mesh(), {.sd_file = path});
    const auto text = read_file(path);
    REQUIRE(text);
    CHECK(*text == world.server->targets());
  }
  std::filesystem::remove(path);
}

TEST_CASE("the targets file follows the pods") {
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("tocsin-mesh-pods-" + std::to_string(::getpid()) + ".json"))
                               .string();
  FaultConfig fault;
  fault.kind = FaultKind::ScaleToZero;
  fault.workload = "shop/back";
  fault.start = 10s;
  fault.end = 24h;
  const FastClock clock(1000);
  net::Loop loop(clock, 1000);
  const auto server = MeshServer::open(loop, clock, small_mesh({fault}), {.sd_file = path});
  REQUIRE(server);
  const auto names_back = [&] {
    return read_file(path).value_or("").find("\"deployment\":\"back\"") != std::string::npos;
  };
  CHECK(names_back());
  CHECK(testing::run_until(loop, [&] { return !names_back(); }));
  std::filesystem::remove(path);
}

TEST_CASE("an address that is no address is an error") {
  const SystemClock clock;
  net::Loop loop(clock);
  CHECK_FALSE(MeshServer::open(loop, clock, small_mesh(), {.listen = "nowhere"}));
}

}  // namespace
}  // namespace tocsin::simulate
