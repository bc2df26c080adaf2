// SPDX-License-Identifier: Apache-2.0
#include "promql/split.h"

#include <doctest/doctest.h>

namespace tocsin::promql {
namespace {

using Lines = std::vector<std::string>;

// Series called `local…` and ALERTS are ours.
bool is_local(std::string_view name) { return name.starts_with("local") || name == "ALERTS"; }

Split split_text(const std::string& text) {
  const auto expr = parse(text);
  REQUIRE_MESSAGE(expr, text);
  return split(*expr, is_local);
}

Steps steps(std::int64_t first_s, std::int64_t last_s = 0, std::int64_t step_s = 0) {
  return {from_millis(first_s * 1000), from_millis((step_s == 0 ? first_s : last_s) * 1000),
          Duration(step_s * 1000)};
}

// "query @ first" or "query @ first..last/step"
Lines asks(const std::string& text, const Steps& whole) {
  Lines out;
  for (const Part& part : split_text(text).parts) {
    for (const Ask& ask : asks_of(part, whole)) {
      std::string line = ask.query + " @ " + format_value(to_seconds(ask.steps.first));
      if (ask.steps.step.count() > 0) {
        line += ".." + format_value(to_seconds(ask.steps.last)) + "/" +
                format_value(to_seconds(ask.steps.step));
      }
      out.push_back(std::move(line));
    }
  }
  return out;
}

TEST_CASE("what is plain goes away whole") {
  for (const char* text :
       {"up", "sum by (job) (rate(x[5m])) > 0.5", "a / on (x) group_left () b", "absent(x)",
        "scalar(x) + 1", "x[5m]", "max_over_time(rate(x[1m])[1h:1m] offset 5m)", "-x",
        "histogram_quantile(0.9, x)", "{__name__=~\"local.*\"}", "count_values(\"v\", x)"}) {
    CAPTURE(std::string(text));
    const Split split = split_text(text);
    CHECK(split.is_whole);
    REQUIRE(split.parts.size() == 1);
    CHECK(print(*split.parts[0].expr) == text);
  }
}

TEST_CASE("what reads only our own series, or none, stays whole") {
  for (const char* text : {"local_x", "ALERTS{alertstate=\"firing\"} == 1", "1 + 2", "time()",
                           "vector(1)", "sum(rate(local_x[5m]))", "\"text\""}) {
    CAPTURE(std::string(text));
    const Split split = split_text(text);
    CHECK(split.parts.empty());
    CHECK_FALSE(split.is_whole);
    CHECK(print(*split.rest) == text);
  }
}

TEST_CASE("the largest plain parts go away, the rest stays") {
  const struct {
    const char* text;
    Lines parts;
  } cases[] = {
      {"a + b + local_c", {"a + b"}},
      {"sum(rate(a[5m])) / ignoring (x) local_c * b", {"sum(rate(a[5m]))", "b"}},
      {"local_c > scalar(avg(a))", {"scalar(avg(a))"}},
      {"mad_over_time(a[5m] offset 1m)", {"a[5m] offset 1m"}},
      {"sort_by_label(sum by (job) (a), \"job\")", {"sum by (job) (a)"}},
      {"limitk(2, a)", {"a"}},
      {"limitk(scalar(k), local_c)", {"scalar(k)"}},
      {"mad_over_time(rate(a[1m])[10m:30s])", {"rate(a[1m])[10m:30s]"}},
      {"max_over_time((a - local_c)[10m:30s])", {"a"}},
      {"a unless on (x) ALERTS", {"a"}},
      {"local_c + 1 + time()", {}},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    const Split split = split_text(c.text);
    Lines parts;
    for (const Part& part : split.parts) {
      parts.push_back(print(*part.expr));
      CHECK(part_of(part.name) == parts.size() - 1);
    }
    CHECK(parts == c.parts);
    CHECK_FALSE(split.is_whole);
  }
  CHECK_FALSE(part_of("up").has_value());
}

TEST_CASE("a part is asked for when the evaluation looks at it") {
  const struct {
    const char* text;
    Steps whole;
    Lines asked;
  } cases[] = {
      // As an instant, and over a range.
      {"a - local_c", steps(100), {"a @ 100"}},
      {"a - local_c", steps(100, 160, 20), {"a @ 100..160/20"}},
      {"a offset 1m - local_c", steps(100), {"a offset 1m @ 100"}},
      // Range vectors: one question that covers all windows.
      {"mad_over_time(a[5m])", steps(100), {"a[5m] @ 100"}},
      {"mad_over_time(a[5m])", steps(100, 160, 20), {"a[6m] @ 160"}},
      {"mad_over_time(a[5m] @ 50)", steps(100, 160, 20), {"a[5m] @ 50.000 @ 160"}},
      {"mad_over_time(rate(a[1m])[10m:30s])", steps(100, 160, 20), {"rate(a[1m])[11m:30s] @ 160"}},
      // Inside a subquery: at every multiple of its step in its window, open on the left.
      {"max_over_time((a - local_c)[2m:30s])", steps(600), {"a @ 510..600/30"}},
      {"max_over_time((a - local_c)[2m:30s])", steps(610), {"a @ 510..600/30"}},
      {"max_over_time((a - local_c)[2m:])", steps(610), {"a @ 540..600/60"}},
      {"max_over_time((a - local_c)[2m:30s] offset 1m)", steps(600), {"a @ 450..540/30"}},
      {"max_over_time((a - local_c)[2m:30s])", steps(600, 660, 20), {"a @ 510..660/30"}},
      {"max_over_time((a - local_c)[2m:30s] @ 300)", steps(600, 660, 20), {"a @ 210..300/30"}},
      {"max_over_time((a - local_c)[2m:30s] @ end())", steps(600, 660, 20), {"a @ 570..660/30"}},
      {"max_over_time((a - local_c)[10s:30s])", steps(615), {}},
      {"max_over_time(sum_over_time((a - local_c)[1m:20s])[2m:30s])",
       steps(600),
       {"a @ 460..600/20"}},
      {"max_over_time(mad_over_time(a[5m])[2m:30s])", steps(600), {"a[6m30s] @ 600"}},
      // What the whole query's ends mean must not become the part's.
      {"max_over_time((a @ start() - local_c)[2m:30s])", steps(600), {"a @ 600.000 @ 510..600/30"}},
      {"local_c - a @ end()", steps(100, 160, 20), {"a @ 160.000 @ 100..160/20"}},
      // Prometheus 2 knows no durations for numbers.
      {"local_c - (a > 5m)", steps(100), {"(a > 300) @ 100"}},
      // More points than one answer may have.
      {"max_over_time((a - local_c)[300h:1m])",
       steps(1080000),
       {"a @ 60..600000/60", "a @ 600060..1080000/60"}},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    CHECK(asks(c.text, c.whole) == c.asked);
  }
}

}  // namespace
}  // namespace tocsin::promql
