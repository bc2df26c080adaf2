// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "daemon/daemon.h"

namespace tocsin::cli {
namespace {

// Every target keeps a connection open, and a mesh has thousands.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// What is in memory, credentials among it, is in no core dump, and no other process of this user
// can look at it.
void keep_memory_private() { ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

enum class End { Stopped, Restart, Failed };

struct Options {
  std::string config;
  std::string record;
  std::uint64_t record_max = std::uint64_t{1} << 30;
};

// `loadout` is what the one before ran with, and then what this one did.
End live(const std::string& path, const archive::RecorderOptions& record,
         std::optional<daemon::Loadout>& loadout) {
  const SystemClock clock;
  net::Loop loop(clock);
  End end = End::Stopped;
  daemon::DaemonOptions options;
  options.record = record;
  options.loadout = std::move(loadout);
  options.restart = [&] {
    end = End::Restart;
    loop.stop();
  };
  options.watched_files = {path};
  options.load_config = [&](Diagnostics& diagnostics) -> Result<daemon::Config> {
    const auto bytes = read_file(path);
    if (!bytes) return fail(bytes.error());
    daemon::LoadedConfig loaded = daemon::read_config(path, *bytes);
    diagnostics.append(loaded.diagnostics);
    return std::move(loaded.config);
  };
  daemon::Daemon daemon(clock, loop, std::move(options));
  if (const auto started = daemon.start(); !started) {
    std::cerr << started.error().message;
    if (!started.error().message.ends_with('\n')) std::cerr << '\n';
    return End::Failed;
  }
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.on_signal(signal, [&] {
      log::info("stopping");
      loop.stop();
    });
  }
  loop.on_signal(SIGHUP, [&] { (void)daemon.reload(); });
  loop.run();
  loadout = daemon.loadout();
  return end;
}

int run_daemon(const Options& options) {
  archive::RecorderOptions record{.folder = options.record};
  record.max_bytes = options.record_max;
  allow_many_files();
  keep_memory_private();
  End end = End::Restart;
  std::optional<daemon::Loadout> loadout;
  while (end == End::Restart) end = live(options.config, record, loadout);
  return end == End::Stopped ? kOk : kFailed;
}

}  // namespace

Run add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Run the daemon");
  command->add_option("--config", options->config, "The configuration, tocsin.yaml")->required();
  command->add_option("--record", options->record,
                      "Write down what comes in, into this folder, for `tocsin replay`: the series "
                      "that rules read, `up`, and what `keep` in the configuration adds");
  command
      ->add_option("--record-max", options->record_max,
                   "How much of it is kept (500MB, 10GiB; 0: all); the oldest hours go first")
      ->capture_default_str();
  return [options] { return run_daemon(*options); };
}

}  // namespace tocsin::cli
