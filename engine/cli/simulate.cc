// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/mesh_file.h"
#include "cli/mesh_record.h"
#include "net/loop.h"
#include "simulate/mesh_server.h"

namespace tocsin::cli {
namespace {

struct Options {
  std::string listen = "127.0.0.1:9999";
  std::string mesh;
  std::string sd;
  std::size_t proxies = 0;
  MeshRecordOptions record;
};

int run_simulation(const Options& options) {
  auto config = options.proxies > 0 ? simulate::MeshConfig::sized(options.proxies)
                                    : read_mesh_file(options.mesh);
  if (!config) return kFailed;
  if (!options.record.folder.empty()) return record_mesh(std::move(*config), options.record);
  const SystemClock clock;
  net::Loop loop(clock);
  auto server =
      simulate::MeshServer::open(loop, clock, std::move(*config), {options.listen, options.sd});
  if (!server) {
    std::cerr << "error: " << server.error().message << '\n';
    return kFailed;
  }
  std::cout << (*server)->mesh().endpoints().size() << " targets at http://" << (*server)->address()
            << "/sd\n"
            << std::flush;
  for (const int signal : {SIGTERM, SIGINT}) loop.on_signal(signal, [&] { loop.stop(); });
  loop.run();
  return kOk;
}

}  // namespace

Run add_simulate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Run a simulated mesh: the metrics of every proxy, with faults on a schedule");
  command->add_option("--listen", options->listen, "Where its pages are served")
      ->capture_default_str();
  command->add_option("--mesh", options->mesh,
                      "The mesh, as examples/meshes/small.yaml explains; default: the demo's");
  command->add_option("--proxies", options->proxies, "A healthy mesh with so many proxies instead");
  add_mesh_record_options(*command, options->record);
  command->add_option("--sd", options->sd, "Write the targets to this file, for file_sd_configs");
  return [options] { return run_simulation(*options); };
}

}  // namespace tocsin::cli
