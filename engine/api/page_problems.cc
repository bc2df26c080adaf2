// SPDX-License-Identifier: Apache-2.0
#include "api/page_parts.h"
#include "api/utf8.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kMostDiagnostics = 4000;  // Bytes.
constexpr std::size_t kMostError = 300;

struct Problem {
  std::string title;
  std::string text;
  std::string details;  // Of several lines; may be empty.
};

void write(HtmlWriter& html, const Problem& problem) {
  html.raw("<section class=\"problem\"><b>").text(problem.title).raw("</b> ").text(problem.text);
  if (!problem.details.empty()) {
    html.raw("<pre>").text(clip(problem.details, kMostDiagnostics)).raw("</pre>");
  }
  html.raw("</section>\n");
}

void write_configuration(HtmlWriter& html, const PageView& view) {
  const ServerStatus& status = view.snapshot.status;
  if (!status.reload.successful) {
    write(html, {"The new configuration was refused.",
                 "The one that was loaded " + ago(status.reload.last_success, view.snapshot.now) +
                     " runs on.",
                 status.reload.error});
  }
  if (!status.rule_problems.empty()) {
    write(html,
          {"Some rules are broken and were left out.", "The others run.", status.rule_problems});
  }
}

Problem down_problem(const PageView& view) {
  if (view.down.size() > 1) {
    return {counted(view.down.size(), "target") + " are down.",
            "They are listed below, with the reasons.",
            {}};
  }
  const source::TargetStatus& status = *view.down.front();
  return {"1 target is down.", status.target.url + ": " + clip(status.last_error, kMostError), {}};
}

void write_evaluation(HtmlWriter& html, const PageView& view) {
  const ServerStatus& status = view.snapshot.status;
  if (!status.prometheus_error.empty()) {
    write(html, {"Prometheus does not answer.",
                 status.prometheus_url + ": " + clip(status.prometheus_error, kMostError) +
                     ". Alerts stay as they are until it does.",
                 {}});
  }
  if (view.failing_rules > 0) {
    write(html, {counted(view.failing_rules, "rule") + " cannot be evaluated.",
                 "Their alerts stay as they are; new ones cannot be seen. The errors stand below, "
                 "with the groups.",
                 {}});
  }
  if (!view.down.empty()) write(html, down_problem(view));
  if (view.blind > 0) {
    write(html, {counted(view.blind, "alert") + " cannot be seen.",
                 "Neither confirmed nor over: what they are about is not reporting.",
                 {}});
  }
}

void write_delivery(HtmlWriter& html, const PageView& view) {
  for (const auto& receiver : view.snapshot.receivers) {
    if (receiver.stats.last_error.empty()) continue;
    write(html, {"Notifications do not reach " + receiver.name + ".",
                 clip(receiver.stats.last_error, kMostError) + ". " +
                     counted(receiver.stats.waiting, "message") +
                     " waiting; tried again until "
                     "delivered.",
                 {}});
  }
}

}  // namespace

void write_problems(HtmlWriter& html, const PageView& view) {
  write_configuration(html, view);
  write_evaluation(html, view);
  write_delivery(html, view);
}

}  // namespace tocsin::api
