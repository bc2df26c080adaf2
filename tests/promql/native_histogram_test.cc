// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "promql/histogram_layout.h"
#include "promql/histogram_math.h"
#include "promql/histogram_notation.h"
#include "promql/series_notation.h"

namespace tocsin::promql {
namespace {

Histogram histogram(std::string_view text) {
  auto taken = take_histogram(text);
  REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().message));
  return std::move(*taken);
}

TEST_CASE("a histogram is written as it was read") {
  const std::string_view kTexts[] = {
      "{{}}",
      "{{schema:1 count:12 sum:18.4 z_bucket:2 z_bucket_w:0.001 buckets:[1 2 0 1 1] "
      "n_buckets:[1]}}",
      "{{count:3 sum:-4 offset:-2 buckets:[1 2] n_offset:7 n_buckets:[1.5]}}",
      "{{schema:-53 count:4 sum:5 custom_values:[5 10] buckets:[1 2 1]}}",
      "{{schema:-53 count:2 buckets:[2]}}",
      "{{count:1 sum:NaN counter_reset_hint:gauge buckets:[1]}}",
  };
  for (const std::string_view text : kTexts) CHECK(histogram_notation(histogram(text)) == text);
}

TEST_CASE("what is no histogram is refused") {
  const std::string_view kTexts[] = {
      "{{",
      "{{count}}",
      "{{count:x}}",
      "{{buckets:[1 2}}",
      "{{schema:9}}",
      "{{schema:0.5}}",
      "{{offset:1e9}}",
      "{{z_bucket_w:-1}}",
      "{{z_bucket_w:NaN}}",
      "{{nonsense:1}}",
      "{{counter_reset_hint:perhaps}}",
      "{{}}+{{schema:-53 custom_values:[1]}}x2",
      "{{}}x",
      "{{}}y3",
      "{{}}*{{}}",
  };
  for (const std::string_view text : kTexts) {
    INFO(text);
    CHECK_FALSE(parse_value_notation(text));
  }
}

TEST_CASE("histograms repeat and grow as numbers do") {
  const auto values = parse_value_notation("1 {{count:1}}x1 _ {{count:1}}+{{count:2}}x2 {{sum:3}}");
  REQUIRE(values);
  std::string out;
  for (const auto& value : *values) out += text_of(value) + " ";
  CHECK(out == "1 {{count:1}} {{count:1}} _ {{count:1}} {{count:3}} {{count:5}} {{sum:3}} ");
}

TEST_CASE("histograms are added at the coarser schema and with the wider zero bucket") {
  struct Sum {
    std::string_view a, b, sum;
  };
  const Sum kSums[] = {
      {"{{count:1 buckets:[1]}}", "{{count:2 buckets:[0 2]}}", "{{count:3 buckets:[1 2]}}"},
      {"{{schema:-1 count:1 offset:1 buckets:[1]}}", "{{count:4 offset:1 buckets:[2 2]}}",
       "{{schema:-1 count:5 offset:1 buckets:[5]}}"},
      // The wider zero bucket ends inside the bucket (1, 2], and so becomes 2.
      {"{{count:2 z_bucket:1 z_bucket_w:1.5 offset:2 buckets:[1]}}",
       "{{count:3 z_bucket_w:0.5 buckets:[1 1 1]}}",
       "{{count:5 z_bucket:3 z_bucket_w:2 offset:2 buckets:[2]}}"},
      {"{{count:1 n_buckets:[1]}}", "{{count:1 counter_reset_hint:gauge buckets:[1]}}",
       "{{count:2 counter_reset_hint:gauge buckets:[1] n_buckets:[1]}}"},
  };
  for (const Sum& sum : kSums) {
    Histogram one = histogram(sum.a);
    CHECK_FALSE(add(one, histogram(sum.b)));
    CHECK(histogram_notation(one) == sum.sum);
    Histogram other = histogram(sum.b);
    CHECK_FALSE(add(other, histogram(sum.a)));
    CHECK(histogram_notation(other) == sum.sum);
  }
}

TEST_CASE("what does not fit together is left alone") {
  const Histogram exponential = histogram("{{count:1 buckets:[1]}}");
  const Histogram custom = histogram("{{schema:-53 count:1 custom_values:[1] buckets:[1]}}");
  Histogram other = histogram("{{schema:-53 count:1 custom_values:[2] buckets:[1]}}");
  const Histogram before = other;
  CHECK(add(other, exponential) == HistogramConflict::Schemas);
  CHECK(subtract(other, custom) == HistogramConflict::Bounds);
  CHECK(other == before);
}

TEST_CASE("a counter that has less than before, or more resolution, began anew") {
  struct Step {
    std::string_view before, now;
    bool is_reset;
  };
  const Step kSteps[] = {
      {"{{count:3 buckets:[1 2]}}", "{{count:4 buckets:[1 3]}}", false},
      {"{{count:3 buckets:[1 2]}}", "{{count:4 buckets:[2 1 1]}}", true},
      {"{{count:3 buckets:[1 2]}}", "{{count:2 buckets:[1 1]}}", true},
      {"{{count:3 buckets:[1 2]}}", "{{schema:-1 count:3 buckets:[1 2]}}", false},
      {"{{schema:-1 count:3 buckets:[1 2]}}", "{{count:3 buckets:[1 2]}}", true},
      {"{{count:3 buckets:[1 2]}}", "{{count:3 z_bucket:3 z_bucket_w:2}}", false},
      {"{{count:3 buckets:[1 2]}}", "{{count:3 z_bucket:3 z_bucket_w:1.5}}", true},
      {"{{count:3 buckets:[1 2]}}", "{{count:9 counter_reset_hint:reset buckets:[9 9]}}", true},
      {"{{count:3 buckets:[1 2]}}", "{{count:1 counter_reset_hint:not_reset}}", false},
  };
  for (const Step& step : kSteps) {
    INFO(step.before << " then " << step.now);
    CHECK(is_reset(histogram(step.now), histogram(step.before)) == step.is_reset);
  }
}

TEST_CASE("a histogram is shown with the bounds of its buckets") {
  CHECK(histogram_text(histogram("{{count:20 sum:10 z_bucket:2 z_bucket_w:0.001 buckets:[1 2] "
                                 "n_buckets:[1 2]}}")) ==
        "{count:20, sum:10, [-2,-1):2, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:1, (1,2]:2}");
  CHECK(histogram_text(histogram("{{schema:-53 count:2 custom_values:[5] buckets:[1 1]}}")) ==
        "{count:2, sum:0, (-Inf,5]:1, (5,+Inf]:1}");
}

TEST_CASE("a histogram is found again from the bounds of its buckets") {
  const std::string_view kTexts[] = {
      "{{schema:8}}",
      "{{schema:3 count:12 sum:18.4 z_bucket:2 z_bucket_w:0.001 offset:-70 buckets:[1 2 0 1 1]}}",
      "{{schema:8 count:2 sum:-7 offset:77 buckets:[1] n_offset:700 n_buckets:[1 0 3]}}",
      "{{schema:-4 count:3 n_offset:-4 n_buckets:[1 0 0 2]}}",
      // The zero bucket reaches into the first.
      "{{count:3 z_bucket:1 z_bucket_w:0.75 buckets:[1 1]}}",
      "{{schema:-53 count:4 sum:5 custom_values:[5 10] buckets:[1 2 1]}}",
      "{{schema:-53 count:3 custom_values:[0.1 0.25 0.3] offset:1 buckets:[2 1]}}",
  };
  for (const std::string_view text : kTexts) {
    const Histogram h = histogram(text);
    const auto found = histogram_of(h.count, h.sum, ranges_of(h));
    REQUIRE_MESSAGE(found, text);
    CHECK(histogram_notation(*found) == text);
  }
}

TEST_CASE("a histogram that may be of either kind is not guessed") {
  const auto powers = histogram_of(2, 3, {{1, 2, 1}, {4, 8, 1}});
  REQUIRE_FALSE(powers);
  CHECK(powers.error().code == ErrorCode::InvalidArgument);
  const auto disorder = histogram_of(2, 3, {{5, 10, 1}, {1, 2, 1}});
  REQUIRE_FALSE(disorder);
  CHECK(disorder.error().code == ErrorCode::Parse);
  const auto nonsense = histogram_of(2, 3, {{-3, 3, 1, true, true}, {5, 9, 1}});
  REQUIRE_FALSE(nonsense);
  CHECK(nonsense.error().code == ErrorCode::Parse);
}

}  // namespace
}  // namespace tocsin::promql
