// SPDX-License-Identifier: Apache-2.0
#include "api/page_view.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

#include "tocsin/duration.h"

namespace tocsin::api {
namespace {

struct SeverityTone {
  std::string_view severity;
  Tone tone;
};
constexpr SeverityTone kTones[] = {
    {"critical", Tone::Critical}, {"page", Tone::Critical}, {"error", Tone::Critical},
    {"high", Tone::Critical},     {"info", Tone::Info},     {"none", Tone::Info},
    {"low", Tone::Info},
};

Timestamp fires_at(const ActiveAlert& a) { return a.alert->active_at + a.rule->rule->for_duration; }

}  // namespace

Tone tone_of(const alert::Alert& alert) {
  const std::string_view severity = alert.labels.get("severity");
  for (const SeverityTone& entry : kTones) {
    if (entry.severity == severity) return entry.tone;
  }
  return Tone::Warning;
}

Timestamp since(const alert::Alert& alert) {
  if (alert.state == alert::State::Pending) return alert.active_at;
  return alert.fired_at.value_or(alert.active_at);
}

PageView::PageView(const Snapshot& s) : snapshot(s) {
  for (const GroupStatus& group : s.groups) add_group(group);
  for (const source::TargetStatus& target : s.targets) add_target(target);
  std::stable_sort(firing.begin(), firing.end(), [](const ActiveAlert& a, const ActiveAlert& b) {
    const auto key = [](const ActiveAlert& x) {
      return std::tuple(tone_of(*x.alert), -to_millis(since(*x.alert)));
    };
    return key(a) < key(b);
  });
  std::stable_sort(pending.begin(), pending.end(), [](const ActiveAlert& a, const ActiveAlert& b) {
    return fires_at(a) < fires_at(b);
  });
}

void PageView::add_group(const GroupStatus& group) {
  rules += group.rules.size();
  last_evaluation = std::max(last_evaluation, group.last_evaluation);
  for (const RuleStatus& rule : group.rules) {
    failing_rules += rule.health == RuleHealth::Failing ? 1 : 0;
    held_back += rule.held_back;
    for (const alert::Alert& alert : rule.alerts) {
      if (alert.state == alert::State::Inactive) continue;
      blind += alert.blind ? 1 : 0;
      if (alert.labels.get("severity") == "none") {
        heartbeats += alert.state == alert::State::Firing ? 1 : 0;
        continue;
      }
      auto& list = alert.state == alert::State::Firing ? firing : pending;
      list.push_back({&group, &rule, &alert});
    }
  }
}

void PageView::add_target(const source::TargetStatus& target) {
  TargetCount& job = jobs[target.target.job];
  for (TargetCount* count : {&job, &targets}) {
    switch (target.health) {
      case source::Health::Up:
        ++count->up;
        break;
      case source::Health::Down:
        ++count->down;
        break;
      case source::Health::Unknown:
        ++count->unknown;
    }
  }
  if (target.health == source::Health::Down) down.push_back(&target);
}

bool PageView::impaired() const {
  const ServerStatus& status = snapshot.status;
  const auto& receivers = snapshot.receivers;
  return failing_rules > 0 || blind > 0 || !down.empty() || !status.reload.successful ||
         !status.rule_problems.empty() || !status.prometheus_error.empty() ||
         std::any_of(receivers.begin(), receivers.end(),
                     [](const auto& receiver) { return !receiver.stats.last_error.empty(); });
}

std::string length_text(Duration length) {
  return length < std::chrono::seconds(1) ? "moments" : humanize_duration(length);
}

std::string ago(const std::optional<Timestamp>& at, Timestamp now) {
  return at ? length_text(now - *at) + " ago" : "never";
}

std::string clock_text(Timestamp at, Timestamp now) {
  const std::string text = format_rfc3339(at);
  const std::string time = text.substr(11, 8) + " UTC";
  const std::string date = text.substr(0, 10);
  return date == format_rfc3339(now).substr(0, 10) ? time : date + " " + time;
}

std::string took(double seconds) {
  std::array<char, 32> buffer{};
  const bool in_seconds = seconds >= 1;
  const double value = in_seconds ? seconds : seconds * 1000;
  const int decimals = value < 10 ? 1 : 0;
  std::snprintf(buffer.data(), buffer.size(), "%.*f %s", in_seconds ? 2 : decimals, value,
                in_seconds ? "s" : "ms");
  return buffer.data();
}

std::string_view short_revision(std::string_view revision) {
  constexpr std::size_t kHash = 40;
  constexpr std::size_t kShort = 12;
  const bool is_hash = revision.size() >= kHash &&
                       revision.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_hash ? revision.substr(0, kShort) : revision;
}

}  // namespace tocsin::api
