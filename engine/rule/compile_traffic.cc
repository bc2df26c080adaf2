// SPDX-License-Identifier: Apache-2.0
//
// Traffic: the rate of requests that begin, against the median of the time before the window.
//
// The baseline is not an hour of raw counters. The rate per thing is recorded as a small series of
// its own, in front of the alert, and the baseline is read from that; in a Prometheus that cannot
// be written to, a subquery stands in its place. A thing whose past is shorter than three windows
// is learning: no baseline, no alert.
#include <array>
#include <cstdio>

#include "base/hash.h"
#include "rule/compile.h"
#include "rule/notation.h"
#include "tocsin/duration.h"
#include "tocsin/labels.h"

namespace tocsin::rule {
namespace {

constexpr Duration kSubqueryStep = std::chrono::minutes(1);
constexpr int kLearningWindows = 3;

// Endpoint metrics count requests when they begin, for every generation; routes exist only in the
// families that know them.
View starts_view(By by, Side side) {
  View view = view_of(by, side);
  if (by == By::Service || by == By::Edge) view.families = {FamilyId::Outbound};
  return view;
}

std::string current_rate(const Condition& c, const View& view) {
  std::vector<std::string> rates;
  const std::vector<Source> sources = sources_of(c, view);
  for (const Source& source : sources) {
    const std::string rate = source.sum.of(source.family->starts, "rate", c.over);
    rates.push_back(sources.size() == 1 ? rate : rate + " > 0");
  }
  return prefer(rates, view);
}

std::string recording_name(const Condition& c) {
  std::string name = "tocsin:traffic_rate" + format_duration(c.over) + ":by_" +
                     std::string(name_of(c.by)) + "_" + std::string(name_of(c.side));
  if (c.where.empty()) return name;
  std::string where;
  for (const auto& [label, expression] : c.where) where += label + '\0' + expression + '\0';
  std::array<char, 20> hash{};
  std::snprintf(hash.data(), hash.size(), ":%08x",
                static_cast<unsigned>(hash_bytes(where) & 0xffffffffU));
  return name + hash.data();
}

// How to look back at the rate: at the recorded series, or by evaluating it again.
class Past {
 public:
  Past(const Condition& c, std::string rate, Memory memory)
      : c_(c), rate_(std::move(rate)), memory_(memory) {}

  std::string baseline() const {
    return "quantile_over_time(0.5, " + range(c_.baseline_over) + " offset " +
           format_duration(c_.over) + ")";
  }
  // Has a row for what was there before the last three windows in front of the current one.
  std::string learned() const {
    const Duration learning = kLearningWindows * c_.over;
    const Duration rest = std::max(c_.baseline_over - learning, c_.over);
    return "present_over_time(" + range(rest) + " offset " + format_duration(learning + c_.over) +
           ")";
  }

 private:
  std::string range(Duration length) const {
    if (memory_ == Memory::Recorded) return rate_ + "[" + format_duration(length) + "]";
    return rate_ + "[" + format_duration(length) + ":" + format_duration(kSubqueryStep) + "]";
  }

  const Condition& c_;
  std::string rate_;
  Memory memory_;
};

// What a view knows about the proxies that count for it: of the workload itself, or of an edge's
// client. Nothing where it knows neither.
struct Proxies {
  std::string on;  // "on (namespace, deployment, …)"; empty where nothing is known.
  std::string renamed_begin;
  std::string renamed_end;

  // `rows`, which have the labels of a proxy, with the labels of the view.
  std::string of(const std::string& rows) const { return renamed_begin + rows + renamed_end; }
};

std::string own_labels() {
  std::vector<std::string> labels = kinds_with("");
  labels.insert(labels.begin(), "namespace");
  return comma_list(labels);
}

Proxies proxies_of(const Condition& c, const View& view) {
  if (c.side == Side::Server) return {"on (" + comma_list(view.same_thing) + ")", "", ""};
  if (c.by != By::Edge) return {};
  Proxies out;
  std::vector<std::string> words;
  for (const std::string& word : view.same_thing) {
    if (!word.starts_with("client_")) continue;
    words.push_back(word);
    out.renamed_begin += "label_join(";
    out.renamed_end += ", " + quote(word) + R"(, "", )" + quote(word.substr(7)) + ")";
  }
  out.on = "on (" + comma_list(words) + ")";
  return out;
}

// Keeps the rows whose proxies report: a thing without traffic is at zero as long as they do, and
// unknown when they do not.
std::string while_alive(const Proxies& proxies) {
  if (proxies.on.empty()) return " and on () count(proxy_build_info) > 0";
  return " and " + proxies.on + " " +
         proxies.of("count by (" + own_labels() + ") (proxy_build_info)");
}

// Drops the rows some of whose proxies cannot be scraped: their traffic seems to fall, but nobody
// knows.
std::string unless_blind(const Proxies& proxies) {
  if (proxies.on.empty()) return {};
  return " unless " + proxies.on + " " +
         proxies.of("min by (" + own_labels() + R"() (up{job=~"(.*/)?linkerd-proxy"}) == 0)");
}

std::string per_window(const std::string& rate, const Condition& c) {
  const bool atom = rate.find(' ') == std::string::npos;
  return (atom ? rate : "(" + rate + ")") + " * " + number_text(to_seconds(c.over));
}

std::string at_least(const std::string& requests, const Condition& c) {
  const double floor = request_floor(c);
  return floor > 0 ? " and " + requests + " >= " + number_text(floor) : std::string();
}

void compile_above(const Condition& c, const std::string& rate, const Past& past, Compiled& out) {
  out.requests = per_window(rate, c);
  if (c.unit == Unit::RequestsPerSecond) {
    out.value = rate;
    out.expr = compared(out.value, c) + at_least(out.requests, c);
    return;
  }
  out.value = rate + " / (" + past.baseline() + " > 0)";
  out.expr = compared(out.value, c) + at_least(out.requests, c) + " and " + past.learned();
}

// Traffic that is gone altogether leaves no series: it is zero for what had a past.
void compile_below(const Condition& c, const std::string& rate, const Past& past,
                   const Proxies& proxies, Compiled& out) {
  const std::string baseline = past.baseline();
  const std::string filled = "(" + rate + " or (0 * " + baseline + while_alive(proxies) + "))";
  if (c.unit == Unit::RequestsPerSecond) {
    out.value = filled;
    out.expr = compared(out.value, c) + unless_blind(proxies);
    return;
  }
  out.requests = per_window(baseline, c);
  out.value = filled + " / (" + baseline + " > 0)";
  out.expr = compared(out.value, c) + at_least(out.requests, c) + " and " + past.learned() +
             unless_blind(proxies);
}

}  // namespace

Compiled compile_traffic(const Condition& c, Memory memory) {
  const View view = starts_view(c.by, c.side);
  const std::string rate = current_rate(c, view);
  const bool above = c.comparison == Comparison::Above;
  const bool looks_back = !above || c.unit == Unit::TimesBaseline;
  Compiled out;
  out.labels = view.labels;
  std::string name = "(" + rate + ")";
  if (looks_back && memory == Memory::Recorded) {
    name = recording_name(c);
    out.recordings.push_back({name, rate});
  }
  const Past past(c, name, memory);
  if (above) {
    compile_above(c, looks_back ? name : rate, past, out);
  } else {
    compile_below(c, name, past, proxies_of(c, view), out);
  }
  return out;
}

}  // namespace tocsin::rule
