// SPDX-License-Identifier: Apache-2.0
#include "replay/remote_history.h"

#include <doctest/doctest.h>

#include <mutex>

#include "base/file.h"
#include "replay/pages.h"
#include "replay/replayer.h"
#include "rule/rule_files.h"
#include "support/folder.h"

namespace tocsin::replay {
namespace {

using std::chrono::minutes;
using testing::Folder;

const Timestamp kStart = from_millis(1'767'571'200'000);

// A Prometheus that has one series, broken, which is 1 in minutes 70 to 80, every minute. It
// answers the question for [n m] at a time, and can be told to fail.
class FakePrometheus {
 public:
  net::HttpResult answer(const net::HttpRequest& request) {
    const std::lock_guard guard(mutex_);
    ++asked;
    if (asked > fails_after && asked <= fails_after + fails) {
      return fail(ErrorCode::Unavailable, "connection refused");
    }
    const std::string text = request.url + request.body;
    net::HttpResponse response;
    response.status = 200;
    response.body = R"({"status":"success","data":{"resultType":"matrix","result":[)";
    if (text.find("broken") != std::string::npos) response.body += series(text);
    response.body += "]}}";
    return response;
  }

  int asked = 0;
  int fails_after = 1'000'000;
  int fails = 0;

 private:
  static std::string series(const std::string& request) {
    const auto number_after = [&](const std::string& key) {
      return std::stod(request.substr(request.find(key) + key.size()));
    };
    const double upto = number_after("time=");
    const double length = 60 * number_after("%5B");
    std::string values;
    for (int m = 0; m < 600; ++m) {
      const double at = to_seconds(kStart.time_since_epoch()) + 60 * m;
      if (at <= upto - length || at > upto) continue;
      values += (values.empty() ? "[" : ",[") + std::to_string(at) +
                (m >= 70 && m < 80 ? R"(,"1"])" : R"(,"0"])");
    }
    if (values.empty()) return "";
    return R"({"metric":{"__name__":"broken","job":"j","instance":"i"},"values":[)" + values + "]}";
  }

  std::mutex mutex_;
};

Result<Outcome> replayed(FakePrometheus& prometheus, const std::string& cache = "",
                         Timestamp settled = Timestamp::max()) {
  const rule::Loaded loaded = rule::load_alert("expr: broken == 1");
  RemoteHistoryOptions options;
  options.server.url = "http://prometheus";
  options.needs = rule::required_needs(loaded.rules);
  options.extent = {kStart, kStart + minutes(150)};
  options.settled = settled;
  options.fetch = [&](const net::HttpRequest& request) { return prometheus.answer(request); };
  if (!cache.empty()) options.cache.emplace(*AnswerCache::open(cache));
  const auto history = open_remote_history(std::move(options));
  ReplayOptions how;
  how.notify = plain_routes();
  return replay(loaded.rules, *history, how);
}

TEST_CASE("a Prometheus is asked for its samples, a stretch after the other") {
  FakePrometheus prometheus;
  const auto outcome = replayed(prometheus);
  REQUIRE(outcome);
  REQUIRE(outcome->episodes.size() == 1);
  CHECK(outcome->episodes[0].fired_at >= kStart + minutes(70));
  CHECK(outcome->episodes[0].fired_at <= kStart + minutes(71));
  CHECK(outcome->episodes[0].ended_at.value() >= kStart + minutes(80));
  CHECK(outcome->episodes[0].ended_at.value() <= kStart + minutes(81));
  CHECK(prometheus.asked == 2 * 9);  // Of `up` and `broken`, from five minutes before on.
}

TEST_CASE("a question that is not answered is asked again") {
  FakePrometheus prometheus;
  prometheus.fails_after = 5;
  prometheus.fails = 2;
  const auto outcome = replayed(prometheus);
  REQUIRE(outcome);
  CHECK(outcome->episodes.size() == 1);
  CHECK(prometheus.asked == 2 * 9 + 2);
}

TEST_CASE("a replay ends with an error when the Prometheus does, and not with half a result") {
  FakePrometheus prometheus;
  prometheus.fails_after = 9;
  prometheus.fails = 1'000'000;
  const auto outcome = replayed(prometheus);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::Unavailable);
  CHECK(outcome.error().message.find("http://prometheus was asked for {__name__=") == 0);
}

TEST_CASE("with a cache a replay goes on where it was interrupted, and a second one asks nothing") {
  const Folder folder;
  FakePrometheus prometheus;
  prometheus.fails_after = 9;
  prometheus.fails = 1'000'000;
  REQUIRE_FALSE(replayed(prometheus, folder.path()));
  prometheus.fails = 0;
  prometheus.asked = 0;
  const auto resumed = replayed(prometheus, folder.path());
  REQUIRE(resumed);
  CHECK(resumed->episodes.size() == 1);
  CHECK(prometheus.asked == 2 * 9 - 9);
  prometheus.asked = 0;
  const auto second = replayed(prometheus, folder.path());
  REQUIRE(second);
  CHECK(second->episodes.size() == 1);
  CHECK(second->episodes[0].fired_at == resumed->episodes[0].fired_at);
  CHECK(prometheus.asked == 0);
}

TEST_CASE("what may still change is asked for again") {
  const Folder folder;
  FakePrometheus prometheus;
  REQUIRE(replayed(prometheus, folder.path(), kStart + minutes(130)));
  prometheus.asked = 0;
  REQUIRE(replayed(prometheus, folder.path(), kStart + minutes(130)));
  CHECK(prometheus.asked == 2 * 2);
}

TEST_CASE("a file of the cache that is damaged is asked for again") {
  const Folder folder;
  FakePrometheus prometheus;
  REQUIRE(replayed(prometheus, folder.path()));
  const auto files = glob_files(folder.path() + "/*");
  REQUIRE(files.size() == 2 * 9);
  const std::string bytes = *read_file(files[0]);
  REQUIRE(write_file(files[0], bytes.substr(0, bytes.size() - 3)));
  REQUIRE(write_file(files[1], "nonsense"));
  prometheus.asked = 0;
  const auto outcome = replayed(prometheus, folder.path());
  REQUIRE(outcome);
  CHECK(outcome->episodes.size() == 1);
  CHECK(prometheus.asked == 2);
}

TEST_CASE("an answer is found by its whole question, however long it is") {
  const Folder folder;
  const AnswerCache cache = *AnswerCache::open(folder.path());
  const std::string answer(std::size_t{3} << 20, 'x');
  REQUIRE(cache.keep("question", answer));
  CHECK(cache.find("question") == answer);
  CHECK_FALSE(cache.find("question "));
}

}  // namespace
}  // namespace tocsin::replay
