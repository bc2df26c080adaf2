// SPDX-License-Identifier: Apache-2.0
//
// `tocsin demo`: the real daemon over a simulated mesh, on a clock that runs faster than the
// wall's.
#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>

#include "base/log.h"
#include "cli/command.h"
#include "cli/mesh_file.h"
#include "daemon/daemon.h"
#include "simulate/mesh_server.h"
#include "tocsin/duration.h"

namespace tocsin::cli {
namespace {

constexpr Duration kGiveUpAfter = std::chrono::minutes(50);  // Of the mesh's time.

struct Options {
  bool once = false;
  double speed = 30;
  std::string rules = "rules/linkerd";
  std::string mesh;
  std::string listen = "127.0.0.1:9467";
};

struct FailureMode {
  rule::ConditionKind kind;
  std::string_view words;
};
constexpr std::array<FailureMode, 6> kFailureModes{{
    {rule::ConditionKind::SuccessRate, "requests fail"},
    {rule::ConditionKind::Latency, "requests are slow"},
    {rule::ConditionKind::Traffic, "traffic is not as usual"},
    {rule::ConditionKind::ControlPlane, "the control plane is down"},
    {rule::ConditionKind::Certificate, "certificates are not renewed"},
    {rule::ConditionKind::ProxyRestarts, "proxies crash"},
}};

// What has been seen of each failure mode.
class Progress {
 public:
  explicit Progress(Timestamp start) : start_(start) {}

  void note(const rule::Rule& rule, const alert::Transition& change, Timestamp now) {
    if (change.to != alert::State::Firing && change.from != alert::State::Firing) return;
    const bool fires = change.to == alert::State::Firing;
    print_line(rule, change, now);
    if (!rule.condition) return;
    Seen& seen = seen_[static_cast<std::size_t>(rule.condition->kind)];
    if (fires && !seen.fired) {
      seen = {rule.name, change.alert.labels, now, std::nullopt};
    } else if (!fires && seen.fired && seen.labels == change.alert.labels && !seen.resolved) {
      seen.resolved = now;
    }
  }

  bool is_complete() const {
    for (const FailureMode& mode : kFailureModes) {
      if (!seen_[static_cast<std::size_t>(mode.kind)].resolved) return false;
    }
    return true;
  }

  void print_table() const {
    std::cout << '\n'
              << std::left << std::setw(30) << "FAILURE MODE" << std::setw(26) << "ALERT"
              << std::setw(9) << "FIRED" << std::setw(10) << "RESOLVED"
              << "WHERE\n";
    for (const FailureMode& mode : kFailureModes) {
      const Seen& seen = seen_[static_cast<std::size_t>(mode.kind)];
      std::cout << std::setw(30) << mode.words << std::setw(26)
                << (seen.fired ? seen.alert : "not seen") << std::setw(9) << since(seen.fired)
                << std::setw(10) << since(seen.resolved) << where(seen.labels) << '\n';
    }
  }

 private:
  struct Seen {
    std::string alert;
    Labels labels;
    std::optional<Timestamp> fired;
    std::optional<Timestamp> resolved;
  };

  std::string since(const std::optional<Timestamp>& at) const {
    return at ? "+" + humanize_duration(*at - start_) : "-";
  }

  static std::string where(const Labels& labels) {
    std::string out;
    for (const LabelView& label : labels) {
      if (label.name == "alertname" || label.name == "severity") continue;
      out += (out.empty() ? "" : " ") + std::string(label.name) + "=" + std::string(label.value);
    }
    return out;
  }

  void print_line(const rule::Rule& rule, const alert::Transition& change, Timestamp now) const {
    const bool fires = change.to == alert::State::Firing;
    const char* color = !is_terminal() ? "" : fires ? "\033[1;31m" : "\033[1;32m";
    const char* reset = is_terminal() ? "\033[0m" : "";
    const auto summary = change.alert.annotations.find("summary");
    std::cout << std::left << std::setw(9) << since(now) << color << std::setw(10)
              << (fires ? "FIRING" : "resolved") << reset << rule.name << "  "
              << (fires && summary != change.alert.annotations.end() ? summary->second
                                                                     : where(change.alert.labels))
              << '\n'
              << std::flush;
  }

  Timestamp start_;
  std::array<Seen, kFailureModes.size()> seen_;
};

daemon::Config demo_config(const Options& options, const std::string& mesh_address) {
  daemon::Config config;
  config.scrape_interval = std::chrono::seconds(10);
  config.scrape_timeout = std::chrono::seconds(5);
  config.evaluation_interval = std::chrono::seconds(15);
  config.external_labels = {{"cluster", "demo"}};
  config.rule_files = {options.rules + "/*.yaml"};
  config.web.listen = options.listen;
  source::ScrapeConfig job;
  job.job_name = "mesh";
  job.scrape_interval = config.scrape_interval;
  job.scrape_timeout = config.scrape_timeout;
  source::HttpDiscoveryConfig discovery;
  discovery.url = "http://" + mesh_address + "/sd";
  discovery.refresh_interval = std::chrono::seconds(15);
  job.http_sd_configs.push_back(discovery);
  config.scrape_configs.push_back(job);
  return config;
}

int run_demo(const Options& options) {
  log::configure(log::Level::Error, log::Format::Text);
  const FastClock clock(options.speed);
  net::Loop loop(clock, options.speed);
  auto config = read_mesh_file(options.mesh);
  if (!config) return kFailed;
  auto mesh = simulate::MeshServer::open(loop, clock, std::move(*config), {"127.0.0.1:0", ""});
  if (!mesh) {
    std::cerr << "error: " << mesh.error().message << '\n';
    return kFailed;
  }
  Progress progress(clock.now());
  daemon::DaemonOptions daemon_options;
  daemon_options.load_config = [&](Diagnostics&) -> Result<daemon::Config> {
    return demo_config(options, (*mesh)->address());
  };
  daemon_options.on_transition = [&](const rule::Rule& rule, const alert::Transition& change) {
    progress.note(rule, change, clock.now());
    if (options.once && progress.is_complete()) loop.stop();
  };
  daemon::Daemon daemon(clock, loop, std::move(daemon_options));
  if (const auto started = daemon.start(); !started) {
    std::cerr << "error: " << started.error().message << '\n';
    return kFailed;
  }
  std::cout << "A mesh of " << (*mesh)->mesh().endpoints().size() << " targets, at "
            << options.speed << " times the speed of the wall clock.\n"
            << "The page: http://" << daemon.address() << "\n\n"
            << std::flush;
  for (const int signal : {SIGTERM, SIGINT}) loop.on_signal(signal, [&] { loop.stop(); });
  if (options.once) loop.after(kGiveUpAfter, [&] { loop.stop(); });
  loop.run();
  if (options.once) progress.print_table();
  return !options.once || progress.is_complete() ? kOk : kFailed;
}

}  // namespace

Run add_demo(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "demo", "Watch a simulated mesh fail: the shipped rules, on the terminal and on the page");
  command->add_flag("--once", options->once,
                    "End as soon as every failure mode has fired and resolved");
  command->add_option("--speed", options->speed, "How many times faster than the wall clock")
      ->check(CLI::Range(1.0, 100.0))
      ->capture_default_str();
  command->add_option("--rules", options->rules, "The folder of the rules")->capture_default_str();
  command->add_option("--mesh", options->mesh,
                      "Another mesh, as examples/meshes/small.yaml explains");
  command->add_option("--listen", options->listen, "Where the page is served")
      ->capture_default_str();
  return [options] { return run_demo(*options); };
}

}  // namespace tocsin::cli
