// SPDX-License-Identifier: Apache-2.0
#include "tocsin/labels.h"

#include <doctest/doctest.h>

#include <memory>

namespace tocsin {
namespace {

TEST_CASE("labels are sorted, unique and never empty") {
  const Labels labels{{"b", "2"}, {"a", "1"}, {"c", ""}, {"b", "3"}};
  CHECK(labels.text() == R"({a="1", b="3"})");
  CHECK(labels.size() == 2);
  CHECK(labels.get("b") == "3");
  CHECK(labels.get("c").empty());
  CHECK(labels == Labels{{"a", "1"}, {"b", "3"}});
}

TEST_CASE("labels change by copies") {
  const Labels labels{{"__name__", "m"}, {"a", "1"}};
  CHECK(labels.with("b", "2").text() == R"(m{a="1", b="2"})");
  CHECK(labels.with("a", "x").text() == R"(m{a="x"})");
  CHECK(labels.without("a").text() == "m");
  CHECK(labels.keep_only({"a", "z"}).text() == R"({a="1"})");
  CHECK(labels.drop({"a"}).text() == "m");
  CHECK(Labels().text() == "{}");
}

TEST_CASE("long values survive packing") {
  const std::string value(70'000, 'x');
  const Labels labels{{"a", value}, {"b", "1"}};
  CHECK(labels.get("a") == value);
  CHECK(labels.get("b") == "1");
}

TEST_CASE("labels order by name, then by value") {
  CHECK(Labels{{"a", "1"}} < Labels{{"a", "2"}});
  CHECK(Labels{{"a", "1"}} < Labels{{"a", "1"}, {"b", "1"}});
  CHECK(Labels{{"a", "9"}} < Labels{{"b", "1"}});
}

TEST_CASE("names outside the classic alphabet are quoted") {
  CHECK(Labels{{"__name__", "my.metric"}, {"a.b", "c\"d"}}.text() ==
        R"({"my.metric", "a.b"="c\"d"})");
  CHECK(is_valid_utf8("gr\xc3\xbcn"));
  CHECK_FALSE(is_valid_utf8("\xff"));
}

TEST_CASE("copies are equal to what they were copied from, and outlive it") {
  auto original = std::make_unique<Labels>(Labels{{"a", "1"}, {"b", "2"}});
  const Labels copy = *original;
  const std::string_view value = copy.get("b");
  CHECK(copy == *original);
  original.reset();
  CHECK(value == "2");
  CHECK(copy == Labels{{"b", "2"}, {"a", "1"}});
  CHECK(copy.quick_hash() == Labels{{"b", "2"}, {"a", "1"}}.quick_hash());
}

// However they are kept.
void check_same(const Labels& shared, const Labels& plain) {
  CHECK(shared == plain);
  CHECK(plain == shared);
  CHECK(shared.quick_hash() == plain.quick_hash());
  CHECK(shared.hash() == plain.hash());
  CHECK(shared.text() == plain.text());
  CHECK(shared.size() == plain.size());
  CHECK((shared <=> plain) == std::strong_ordering::equal);
  for (const LabelView& label : plain) CHECK(shared.get(label.name) == label.value);
}

TEST_CASE("labels that share what others have, too, are the same labels") {
  const Labels plain{
      {"__name__", "m_bucket"}, {"a", "1"}, {"job", "j"}, {"le", "0.5"}, {"pod", "p"}, {"z", ""}};
  const auto check = [&](const Labels& base, bool shares) {
    const Labels shared = plain.sharing(base);
    check_same(shared, plain);
    CHECK(shared.get("nothing").empty());
    CHECK(shared.with("le", "1").text() == plain.with("le", "1").text());
    CHECK(shared.without("a") == plain.without("a"));
    CHECK(shared.drop({"job", "le"}) == plain.drop({"job", "le"}));
    CHECK(shared.keep_only({"__name__", "pod"}) == plain.keep_only({"__name__", "pod"}));
    CHECK(shared.drop({"nothing"}) == plain);
    CHECK(shared.joined({{"b", "2"}, {"le", "9"}}) == plain.joined({{"b", "2"}, {"le", "9"}}));
    CHECK(shared.sharing({{"pod", "p"}}) == plain);
    CHECK(shared != plain.with("le", "1").sharing(base));
    CHECK((shared.byte_size() != plain.byte_size()) == shares);
  };
  const std::vector<Labels> parts = {plain.drop({"__name__", "le"}),
                                     {{"__name__", "m_bucket"}},
                                     {{"pod", "p"}},
                                     {{"a", "1"}, {"le", "0.5"}},
                                     plain};
  for (const Labels& base : parts) check(base, true);
  check({}, false);
  check({{"a", "other"}}, false);
  check({{"a", "1"}, {"zz", "not there"}}, false);
}

TEST_CASE("extending labels by others is to join and to share them") {
  const Labels base{{"a", "1"}, {"job", "j"}, {"pod", std::string(300, 'p')}};
  const std::vector<Labels> owns = {{{"__name__", "m_bucket"}, {"le", "0.5"}},
                                    {{"A", "1"}, {"z", "2"}},
                                    {{"b", "1"}, {"c", "2"}, {"q", "3"}},
                                    {{"zz", "1"}},
                                    {}};
  for (const Labels& own : owns) {
    const Labels extended = base.extended(own);
    const Labels joined = base.joined(own);
    check_same(extended, joined);
    CHECK(extended.byte_size() < joined.byte_size());
  }
  CHECK(Labels().extended(owns[0]) == owns[0]);
}

TEST_CASE("labels have the same hash, however they came to be") {
  const Labels labels{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const std::vector<Labels> made = {
      Labels{{"b", "2"}, {"c", "3"}}.with("a", "1"),
      Labels{{"a", "9"}, {"b", "2"}, {"c", "3"}}.with("a", "1"),
      Labels{{"a", "1"}, {"b", "2"}, {"bb", "9"}, {"c", "3"}}.without("bb"),
      Labels{{"a", "9"}, {"b", "2"}}.joined({{"a", "1"}, {"c", "3"}}),
      Labels{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}.drop({"d"}),
      Labels{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}.keep_only({"a", "b", "c"}),
      LabelsBuilder(labels).set("b", "9").set("b", "2").build()};
  for (const Labels& one : made) {
    CHECK(one == labels);
    CHECK(one.quick_hash() == labels.quick_hash());
  }
  CHECK(labels.drop({"a", "b", "c"}).empty());
  CHECK(labels.drop({"a", "b", "c"}).quick_hash() == 0);
}

TEST_CASE("buckets that share their labels take little more than their own") {
  const Labels rest{{"deployment", std::string(200, 'd')}, {"pod", std::string(200, 'p')}};
  std::vector<Labels> buckets;
  std::size_t size = 0;
  for (int i = 0; i < 20; ++i) {
    const Labels bucket = rest.with("__name__", "b").with("le", std::to_string(i));
    buckets.push_back(bucket.sharing(rest));
  }
  for (const Labels& bucket : buckets) size += bucket.byte_size();
  CHECK(size < 20 * 100);
  const Labels last = buckets.back();
  buckets.clear();
  CHECK(last.get("pod") == std::string(200, 'p'));
}

TEST_CASE("joined labels are those of both, the other's where both have one") {
  const Labels a{{"a", "1"}, {"c", "1"}};
  CHECK(a.joined(Labels{{"b", "2"}, {"c", "2"}, {"d", "2"}}) ==
        Labels{{"a", "1"}, {"b", "2"}, {"c", "2"}, {"d", "2"}});
  CHECK(a.joined({}) == a);
  CHECK(Labels{}.joined(a) == a);
}

TEST_CASE("a builder may be given what it handed out") {
  LabelsBuilder builder(Labels{{"a", "1"}, {"b", "2"}});
  builder.set("c", builder.get("a")).set("a", builder.get("b")).remove("b");
  CHECK(builder.build() == Labels{{"a", "2"}, {"c", "1"}});
  CHECK(builder.pairs().size() == 2);
  builder.clear();
  CHECK(builder.build().empty());
}

TEST_CASE("keys are equal exactly where the labels that they are made of are") {
  const Labels one{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const Labels other{{"a", "1"}, {"b", "2"}, {"c", "4"}};
  std::string x;
  std::string y;
  one.key_of_kept({"a", "b"}, x);
  other.key_of_kept({"a", "b"}, y);
  CHECK(x == y);
  one.key_of_rest({"b"}, x);
  other.key_of_rest({"b"}, y);
  CHECK(x != y);
  one.key_of_kept({}, x);
  CHECK(x.empty());
}

TEST_CASE("a quoted text shows bytes that are no character in hexadecimal") {
  CHECK(quote("ünï \t\"q\"") == "\"ünï \\t\\\"q\\\"\"");
  CHECK(quote("a\xc5z") == "\"a\\xc5z\"");
  CHECK(quote(std::string_view("\x01", 1)) == "\"\\x01\"");
}

}  // namespace
}  // namespace tocsin
