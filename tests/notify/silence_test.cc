// SPDX-License-Identifier: Apache-2.0
#include "notify/silence.h"

#include <doctest/doctest.h>

#include "notify/matcher_text.h"

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

Silence silence(const char* matchers = "alertname=Slow", Timestamp from = kNow,
                Timestamp to = kNow + 1h) {
  Silence out;
  out.matchers = *parse_matchers(matchers);
  out.starts_at = from;
  out.ends_at = to;
  out.created_by = "alice";
  out.comment = "we know";
  return out;
}

struct Book {
  SilenceBook book;
  int ids = 0;

  Result<std::vector<Silence>> put(Silence s, Timestamp now = kNow) {
    return book.put(std::move(s), now, [this] { return "id-" + std::to_string(++ids); });
  }
  bool silences(const Labels& labels, Timestamp now = kNow) const {
    return book.silence_for(labels, now) != nullptr;
  }
};

const Labels kSlow{{"alertname", "Slow"}, {"namespace", "shop"}};

TEST_CASE("a silence holds from its start until its end, over the alerts that it matches") {
  Book b;
  REQUIRE(b.put(silence(R"(alertname=Slow,namespace!~"blog.*")", kNow + 1min)).has_value());
  CHECK_FALSE(b.silences(kSlow));
  CHECK(b.silences(kSlow, kNow + 1min));
  CHECK(b.silences(kSlow.without("namespace"), kNow + 1min));
  CHECK_FALSE(b.silences(kSlow.with("namespace", "blog-2"), kNow + 1min));
  CHECK(b.silences(kSlow, kNow + 1h - 1ms));
  CHECK_FALSE(b.silences(kSlow, kNow + 1h));
}

TEST_CASE("of several silences the one that holds longest is named") {
  Book b;
  (void)b.put(silence("alertname=Slow", kNow, kNow + 1h));
  (void)b.put(silence("alertname=~S.*", kNow, kNow + 3h));
  (void)b.put(silence("namespace=shop", kNow, kNow + 2h));
  CHECK(b.book.silence_for(kSlow, kNow)->ends_at == kNow + 3h);
}

TEST_CASE("a silence that has begun changes only its end; anything else is a new one") {
  Book b;
  (void)b.put(silence());
  Silence longer = *b.book.find("id-1");
  longer.ends_at = kNow + 5h;
  CHECK(b.put(longer, kNow + 1min)->back().id == "id-1");
  CHECK(b.silences(kSlow, kNow + 4h));
  longer.matchers = *parse_matchers("namespace=shop");
  const auto changed = b.put(longer, kNow + 2min);
  REQUIRE(changed->size() == 2);
  CHECK((*changed)[0].id == "id-1");
  CHECK((*changed)[0].state_at(kNow + 2min) == SilenceState::Expired);
  CHECK((*changed)[1].id == "id-2");
  CHECK((*changed)[1].starts_at == kNow + 2min);
}

TEST_CASE("a silence is ended once, and forgotten five days later") {
  Book b;
  (void)b.put(silence());
  CHECK(b.book.expire("nobody", kNow).error().code == ErrorCode::NotFound);
  CHECK(b.book.expire("id-1", kNow + 1min)->ends_at == kNow + 1min);
  CHECK_FALSE(b.silences(kSlow, kNow + 1min));
  CHECK(b.book.expire("id-1", kNow + 2min).error().message == "silence id-1 already expired");
  CHECK(b.book.prune(kNow + 5 * 24h).empty());
  CHECK(b.book.prune(kNow + 5 * 24h + 2min) == std::vector<std::string>{"id-1"});
  CHECK(b.book.all(kNow).empty());
}

TEST_CASE("a silence to come that is ended has never begun") {
  Book b;
  (void)b.put(silence("alertname=Slow", kNow + 10min));
  CHECK(b.book.expire("id-1", kNow)->starts_at == kNow);
  CHECK_FALSE(b.silences(kSlow, kNow + 11min));
}

TEST_CASE("those that hold are listed first, then those to come, then the past") {
  Book b;
  b.book.restore(silence("a=b", kNow - 2h, kNow - 1h));
  (void)b.put(silence("a=b", kNow + 2min));
  (void)b.put(silence("a=b", kNow, kNow + 9h));
  (void)b.put(silence("a=b", kNow + 1min));
  (void)b.put(silence("a=b", kNow, kNow + 8h));
  std::string ids;
  for (const Silence& s : b.book.all(kNow)) ids += s.id + " ";
  CHECK(ids == "id-4 id-2 id-3 id-1  ");
}

TEST_CASE("a silence that makes no sense is refused") {
  Book b;
  const auto error = [&](const Silence& s) { return b.put(s).error().message; };
  CHECK(error(silence("a=b", kNow + 1h, kNow + 1h)) ==
        "failed to create silence: start time must be before end time");
  CHECK(error(silence("a=b", kNow - 2h, kNow - 1h)) ==
        "failed to create silence: end time can't be in the past");
  CHECK(error(silence("a=~\".*\",b!=c")) ==
        "silence invalid: at least one matcher must not match the empty string");
  Silence none = silence();
  none.matchers.clear();
  CHECK(error(none) == "silence invalid: at least one matcher required");
  Silence unknown = silence();
  unknown.id = "nobody";
  CHECK(b.put(unknown).error().code == ErrorCode::NotFound);
  Silence wordy = silence();
  wordy.comment = std::string(10'000, 'x');
  CHECK_FALSE(b.put(wordy).has_value());
}

TEST_CASE("a silence comes back from its JSON as it was") {
  Silence before = silence(R"(a="b",c!="d",e=~"f.*",g!~"\"h\"")");
  before.id = "x";
  before.updated_at = kNow + 1ms;
  before.comment = "because \"of\"\n<b>";
  const std::string json = silence_json(before, kNow);
  CHECK(json.find(R"("status":{"state":"active"})") != std::string::npos);
  CHECK(json.find(R"({"name":"c","value":"d","isRegex":false,"isEqual":false})") !=
        std::string::npos);
  const auto back = parse_silence(json);
  REQUIRE(back.has_value());
  CHECK(back->id == "x");
  CHECK(back->matchers == before.matchers);
  CHECK(back->starts_at == before.starts_at);
  CHECK(back->ends_at == before.ends_at);
  CHECK(back->updated_at == before.updated_at);
  CHECK(back->created_by == before.created_by);
  CHECK(back->comment == before.comment);
}

TEST_CASE(
    "a client's older matchers have no isEqual; everything else that is not right is refused") {
  const std::string rest =
      R"("startsAt":"2026-11-22T17:42:00Z","endsAt":"2026-11-22T19:42:00+01:00"})";
  const auto old =
      parse_silence(R"({"matchers":[{"name":"a","value":"b","isRegex":false}],)" + rest);
  REQUIRE(old.has_value());
  CHECK(old->matchers[0].text() == R"(a="b")");
  CHECK(old->ends_at == kNow + 1h);
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), "{" + rest,
        R"({"matchers":{},)" + rest, R"({"matchers":[1],)" + rest,
        R"({"matchers":[{"name":"a b","value":"c"}],)" + rest,
        R"({"matchers":[{"name":"a","value":"(","isRegex":true}],)" + rest,
        R"({"matchers":[{"name":"a","value":1}],)" + rest,
        std::string(R"({"matchers":[],"startsAt":"soon","endsAt":"late"})"),
        std::string(R"({"matchers":[],"startsAt":"2026-11-22T17:42:00Z"})")}) {
    CAPTURE(bad);
    const auto read = parse_silence(bad);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == ErrorCode::InvalidArgument);
  }
}

}  // namespace
}  // namespace tocsin::notify
