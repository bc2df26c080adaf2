// SPDX-License-Identifier: Apache-2.0
//
// Daemon is everything put together: `tocsin run`, and behind the demo. Reading daemon.cc from top
// to bottom is reading what the process consists of.
//
// Construct, start(), run(). All on one thread, which becomes the loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/recorder.h"
#include "daemon/config.h"
#include "daemon/loadout.h"
#include "net/loop.h"
#include "tocsin/alert.h"
#include "tocsin/clock.h"
#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

struct DaemonOptions {
  // Reads the configuration; called at start and at every reload.
  std::function<Result<Config>(Diagnostics& diagnostics)> load_config;
  // The files whose change is a reload, besides the rule files. May be empty.
  std::vector<std::string> watched_files;
  // Told of every change of state, for the demo's terminal. May be null.
  std::function<void(const rule::Rule& rule, const alert::Transition& change)> on_transition;
  // Where what comes in is written down, so that rules can be replayed over it. Empty folder: not.
  archive::RecorderOptions record;
  // Ends this daemon and begins another in its place: what is in memory is of another time, because
  // the clock was set. Null: it goes on as well as it can.
  std::function<void()> restart;
  // Of the daemon in whose place this one begins. The files may be broken by now; it was not.
  std::optional<Loadout> loadout;
};

class Daemon {
 public:
  // `clock` and `loop` must outlive the daemon.
  Daemon(const Clock& clock, net::Loop& loop, DaemonOptions options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Reads the configuration and begins to work. Fails with the diagnostics' text on a broken
  // configuration, and when the address is taken. A broken rule is reported and left out. With a
  // loadout it begins with that, and then reloads.
  Result<void> start();

  // All or nothing: on an error the old configuration runs on. The error is the diagnostics' text.
  Result<void> reload();

  // What runs.
  Loadout loadout() const;

  // "127.0.0.1:9467"
  std::string address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::daemon
