// SPDX-License-Identifier: Apache-2.0
#include "daemon/query_desk.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "archive/recorder.h"
#include "base/file.h"
#include "daemon/captured.h"
#include "support/executors.h"
#include "support/folder.h"
#include "support/manual_clock.h"

namespace tocsin::daemon {
namespace {

struct World {
  testing::ManualClock clock;
  testing::InlineExecutor executor;
  store::Store store;
  QueryDesk desk{{store, executor, executor}, clock, clock};

  World() {
    const store::BlockId block = store.add_block({});
    store.append_sample(store.add_series(block, Labels{{"__name__", "up"}, {"job", "a"}}, false),
                        clock.now(), 1);
  }
  Result<promql::Answer> ask(api::QueryRequest request) {
    Result<promql::Answer> out = fail(ErrorCode::Io, "no answer");
    request.start = request.end = clock.now();
    desk.answer(request, [&](Result<promql::Answer> answer) { out = std::move(answer); });
    return out;
  }
};

TEST_CASE("queries are answered over the store, mistakes with their place") {
  World w;
  const auto answer = w.ask({.expr = "sum(up)"});
  REQUIRE(answer.has_value());
  CHECK(std::get<promql::Vector>(answer->value).at(0).sample.value == 1);
  const auto wrong = w.ask({.expr = "sum(upp("});
  CHECK(wrong.error().code == ErrorCode::Parse);
  CHECK(wrong.error().message.starts_with("1:5: parse error: unknown function"));
}

TEST_CASE("a query that was asked before is answered from what is there now") {
  World w;
  const auto count = [&](const std::string& expr) {
    const auto answer = w.ask({.expr = expr});
    return answer ? std::get<promql::Vector>(answer->value).at(0).sample.value : -1;
  };
  CHECK(count("count(up)") == 1);
  const store::BlockId block = w.store.add_block({});
  for (int i = 0; i < 20; ++i) {
    const Labels labels{{"__name__", "up"}, {"job", "b" + std::to_string(i)}};
    w.store.append_sample(w.store.add_series(block, labels, false), w.clock.now(), 1);
    CHECK(count("count(up)") == i + 2);
    CHECK(count("count(up) + " + std::to_string(i)) == 2 * i + 2);
    CHECK(w.ask({.expr = "count(up)", .timeout = Duration(-1)}).error().code == ErrorCode::Timeout);
  }
  w.store.remove_block(block);
  CHECK(count("count(up)") == 1);
}

TEST_CASE("a query that nobody waits for is canceled, one whose time is up has timed out") {
  World w;
  auto gone = std::make_shared<std::atomic<bool>>(true);
  CHECK(w.ask({.expr = "up", .gone = gone}).error().code == ErrorCode::Canceled);
  CHECK(w.ask({.expr = "up", .timeout = Duration(-1)}).error().code == ErrorCode::Timeout);
}

TEST_CASE("so many queries run at a time; one that waits too long is turned away") {
  testing::ManualClock clock;
  QueryGate gate(clock, 2);
  std::vector<std::string> log;
  std::map<std::string, QueryGate::Ticket> inside;
  const auto enter = [&](const std::string& name, Duration timeout) {
    gate.enter(timeout, [&, name](Result<QueryGate::Ticket> ticket) {
      log.push_back(name + (ticket ? " runs" : ": " + ticket.error().message));
      if (ticket) inside[name] = *ticket;
    });
  };
  enter("a", Duration(1000));
  enter("b", Duration(1000));
  enter("c", Duration(500));
  enter("d", Duration(5000));
  CHECK(gate.waiting() == 2);
  clock.advance(Duration(600));
  CHECK(log.back() == "c: query timed out in query queue");
  inside.erase("a");
  CHECK(log.back() == "d runs");
  CHECK(gate.inside() == 2);
  clock.advance(Duration(60'000));
  CHECK(log.size() == 4);
  inside.clear();
  CHECK(gate.inside() == 0);
}

TEST_CASE("series are found by selectors, each once") {
  World w;
  w.desk.find_series({{"up", "{job=\"a\"}"}, {}, {}}, [](const Result<std::vector<Labels>>& found) {
    REQUIRE(found.has_value());
    CHECK(found->size() == 1);
  });
  w.desk.find_series({{"sum(up)"}, {}, {}}, [](const Result<std::vector<Labels>>& found) {
    CHECK(found.error().code == ErrorCode::InvalidArgument);
  });
}

TEST_CASE("captured pages are read with their banners, from folders and with timestamps") {
  const std::string folder = std::filesystem::temp_directory_path() / "tocsin-captured-test";
  std::filesystem::create_directories(folder);
  REQUIRE(
      write_file(folder + "/a.prom", "# POD web-1 (1 of 1)\nrequest_total 5\n# EOF\n").has_value());
  REQUIRE(write_file(folder + "/b.prom", "request_total{pod=\"old\"} 3 1000.5\n").has_value());
  const auto captured = load_captured({folder}, from_millis(2'000'000));
  std::filesystem::remove_all(folder);
  REQUIRE(captured.has_value());
  CHECK(captured->samples == 2);
  CHECK(captured->has_timestamps);
  CHECK(captured->newest == from_millis(2'000'000));
  CHECK(captured->store->select({Matcher::equal("pod", "web-1")}).size() == 1);
  CHECK_FALSE(load_captured({"/nowhere/x.prom"}, Timestamp{}).has_value());
}

TEST_CASE("of an archive the end is read, up to its newest sample") {
  const testing::Folder folder;
  const Timestamp start = from_millis(1'767'571'200'000);
  {
    const auto recorder = archive::Recorder::open({.folder = folder.path()}, start).value();
    store::Store store;
    store.record_on(*recorder);
    const auto block = store.add_block({.history = std::chrono::hours(10)});
    const std::vector<store::SeriesId> ids{
        store.add_series(block, Labels{{"__name__", "up"}, {"job", "a"}}, false)};
    for (int minute = 0; minute <= 180; ++minute) {
      store.append_column(block, start + std::chrono::minutes(minute), ids, std::vector{1.0});
    }
  }
  REQUIRE(write_file(folder.path() + "/page.prom", "request_total 5\n").has_value());
  const auto captured = load_captured({folder.path()}, start);
  REQUIRE(captured.has_value());
  CHECK(captured->has_timestamps);
  CHECK(captured->samples == 1);  // Of the page beside it.
  REQUIRE(captured->complaints.size() == 1);
  CHECK(captured->complaints[0].find("only the last 1h are read") != std::string::npos);
  CHECK(captured->newest == start + std::chrono::hours(3));
  std::vector<Sample> samples;
  const auto series = captured->store->select({Matcher::equal("job", "a")});
  REQUIRE(series.size() == 1);
  captured->store->read(series[0], captured->newest - kEndOfArchive, captured->newest, samples);
  CHECK(samples.size() == 60);
}

}  // namespace
}  // namespace tocsin::daemon
