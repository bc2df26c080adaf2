// SPDX-License-Identifier: Apache-2.0
//
// One panel for everything that keeps Tocsin from seeing, thinking or telling: a line each, so that
// what fires stays in sight below.
#include "api/page_parts.h"
#include "base/utf8.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kMostDiagnostics = 4000;  // Bytes.
constexpr std::size_t kMostError = 300;

struct Problem {
  std::string title;
  std::string text;
  std::string details;  // Of several lines; may be empty.
};
using Problems = std::vector<Problem>;

void add_configuration(Problems& out, const PageView& view) {
  const ServerStatus& status = view.snapshot.status;
  if (!status.reload.successful) {
    out.push_back({"The new configuration was refused.",
                   "The one that was loaded " + ago(status.reload.last_success, view.snapshot.now) +
                       " runs on.",
                   status.reload.error});
  }
  if (!status.rule_problems.empty()) {
    out.push_back(
        {"Some rules are broken and were left out.", "The others run.", status.rule_problems});
  }
}

void add_evaluation(Problems& out, const PageView& view) {
  const ServerStatus& status = view.snapshot.status;
  if (!status.prometheus_error.empty()) {
    out.push_back({"Prometheus does not answer.",
                   status.prometheus_url + ": " + clip(status.prometheus_error, kMostError) +
                       ". Alerts stay as they are until it does.",
                   {}});
  }
  if (view.failing_rules > 0) {
    out.push_back({counted(view.failing_rules, "rule") + " cannot be evaluated.",
                   "Alerts stay as they are, new ones cannot be seen. See the rule groups below.",
                   {}});
  }
  if (view.blind > 0) {
    out.push_back({counted(view.blind, "alert") + " cannot be seen.",
                   "Kept as last seen, until there is news.",
                   {}});
  }
}

void add_targets(Problems& out, const PageView& view) {
  if (view.down.size() == 1) {
    const source::TargetStatus& status = *view.down.front();
    out.push_back(
        {"1 target is down.", status.target.url + ": " + clip(status.last_error, kMostError), {}});
  } else if (!view.down.empty()) {
    out.push_back(
        {counted(view.down.size(), "target") + " are down.", "The reasons are below.", {}});
  }
}

void add_state(Problems& out, const PageView& view) {
  const StateStatus& state = view.snapshot.status.state;
  if (!state.works) {
    out.push_back({"State cannot be written to disk.",
                   clip(state.error, kMostError) + ". It began " +
                       ago(state.since, view.snapshot.now) +
                       "; state is kept in memory until the disk takes it again.",
                   {}});
  } else if (state.was_set_aside) {
    out.push_back({"State was damaged at start.", clip(state.error, kMostError), {}});
  }
}

// What is told of it to whoever is on call stands in rules/tocsin.
void add_replica(Problems& out, const PageView& view) {
  const auto& replica = view.snapshot.status.replica;
  if (!replica) return;
  const bool answers = replica->peer_error.empty();
  const std::string why = replica->peer + (answers ? " evaluates no rules"
                                                   : ": " + clip(replica->peer_error, kMostError));
  if (!replica->is_first && replica->tells) {
    out.push_back({"This standby tells the receivers.",
                   "It took the place of the first replica " +
                       ago(replica->took_over, view.snapshot.now) + ". " + why + ".",
                   {}});
  } else if (replica->was_asked && !answers) {
    out.push_back(
        {replica->is_first ? "The standby does not answer." : "The first replica does not answer.",
         why + (replica->is_first ? ". Nobody goes on if this one ends."
                                  : ". This one tells if that lasts."),
         {}});
  }
}

// "2 messages waiting, 1 refused and offered again now and then."
std::string undelivered_text(const notify::DeliveryStats& stats) {
  std::string out = counted(stats.waiting, "message") + " waiting";
  if (stats.refused > 0) {
    out += ", " + std::to_string(stats.refused) + " refused and offered again now and then";
  }
  return out + ".";
}

void add_receivers(Problems& out, const PageView& view) {
  for (const auto& receiver : view.snapshot.receivers) {
    const notify::DeliveryStats& stats = receiver.stats;
    if (stats.last_error.empty()) continue;
    out.push_back({"Notifications do not reach " + receiver.name + ".",
                   clip(stats.last_error, kMostError) + "; " + undelivered_text(stats),
                   {}});
  }
}

void write_problem(HtmlWriter& html, const Problem& problem, bool is_open) {
  html.raw("<li><b>").text(problem.title).raw("</b> ").text(problem.text);
  if (!problem.details.empty()) {
    html.raw("<details");
    if (is_open) html.raw(" open");
    html.raw("><summary>What is wrong</summary><pre>");
    html.text(clip(problem.details, kMostDiagnostics)).raw("</pre></details>");
  }
  html.raw("</li>");
}

}  // namespace

void write_problems(HtmlWriter& html, const PageView& view) {
  Problems problems;
  add_configuration(problems, view);
  add_evaluation(problems, view);
  add_targets(problems, view);
  add_state(problems, view);
  add_replica(problems, view);
  add_receivers(problems, view);
  if (problems.empty()) return;
  html.raw("<ul class=\"problems\">");
  for (const Problem& problem : problems) write_problem(html, problem, view.firing.empty());
  html.raw("</ul>\n");
}

}  // namespace tocsin::api
