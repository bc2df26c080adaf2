// SPDX-License-Identifier: Apache-2.0
#include "source/sample_labels.h"

#include <doctest/doctest.h>

namespace tocsin::source {
namespace {

const Labels kTarget{{"instance", "10.0.0.1:80"}, {"job", "mesh"}};

TEST_CASE("the target's labels win and scraped ones are exported") {
  CHECK(merge_target_labels({{"__name__", "m"}, {"job", "own"}, {"a", "1"}}, kTarget).text() ==
        R"(m{a="1", exported_job="own", instance="10.0.0.1:80", job="mesh"})");
}

TEST_CASE("a taken exported name is exported once more, shorter names first") {
  const Labels target{{"foo", "target"}, {"exported_foo", "target"}};
  const Labels merged = merge_target_labels(
      {{"foo", "1"}, {"exported_foo", "2"}, {"exported_exported_foo", "3"}}, target);
  CHECK(merged.text() ==
        R"({exported_exported_exported_exported_foo="2", exported_exported_exported_foo="1", )"
        R"(exported_exported_foo="3", exported_foo="target", foo="target"})");
}

TEST_CASE("with honor_labels the scraped labels win, also the empty ones") {
  const Labels scraped{{"__name__", "m"}, {"job", "own"}};
  CHECK(merge_honoring_labels(scraped, R"(job="own")", kTarget).text() ==
        R"(m{instance="10.0.0.1:80", job="own"})");
  CHECK(merge_honoring_labels(scraped, R"(job="own",instance="")", kTarget).text() ==
        R"(m{job="own"})");
  CHECK(merge_honoring_labels(scraped, R"(job="own",xinstance="")", kTarget).has("instance"));
}

TEST_CASE("limits say which label exceeds them") {
  const Labels labels{{"__name__", "m"}, {"long_name", "value"}};
  CHECK_FALSE(exceeded_label_limit({}, labels));
  CHECK_FALSE(
      exceeded_label_limit({.labels = 2, .label_name_length = 9, .label_value_length = 5}, labels));
  CHECK(exceeded_label_limit({.labels = 1}, labels)->find("label_limit") == 0);
  CHECK(exceeded_label_limit({.label_name_length = 8}, labels)->find("long_name") !=
        std::string::npos);
  CHECK(exceeded_label_limit({.label_value_length = 4}, labels)->find("label_value_length_limit") ==
        0);
}

}  // namespace
}  // namespace tocsin::source
