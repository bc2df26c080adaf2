// SPDX-License-Identifier: Apache-2.0
#include "replay/replayer.h"

#include <doctest/doctest.h>

#include <random>

#include "alert/rule_life.h"
#include "archive/player.h"
#include "archive/recorder.h"
#include "daemon/group_plan.h"
#include "replay/pages.h"
#include "rule/rule_files.h"
#include "support/folder.h"

namespace tocsin::replay {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Folder;

const Timestamp kStart = from_millis(1'767'571'200'000);
constexpr Duration kStep = seconds(15);

// A process that scrapes targets, whose requests and failures the test says.
class Scraper {
 public:
  Scraper(const std::string& folder, Timestamp now, int targets)
      : recorder_(*archive::Recorder::open({.folder = folder, .file_length = minutes(30)}, now)) {
    store_.record_on(*recorder_);
    for (int i = 0; i < targets; ++i) {
      const std::string name = "web-" + std::to_string(i);
      Target target{store_.add_block({.history = hours(4), .synthesize_starts = true}), {}, {}};
      const auto add = [&](const std::string& metric, const std::string& code) {
        target.ids.push_back(store_.add_series(
            target.block,
            Labels{{"__name__", metric}, {"code", code}, {"instance", name}, {"job", "mesh"}},
            metric != "up"));
        target.values.push_back(0);
      };
      add("up", "");
      add("requests_total", "200");
      add("requests_total", "500");
      targets_.push_back(std::move(target));
    }
  }

  // Fails of 100 requests so many.
  void scrape(Timestamp at, int target, double failures) {
    Target& t = targets_[static_cast<std::size_t>(target)];
    t.values[0] = 1;
    t.values[1] += 100 - failures;
    t.values[2] += failures;
    store_.append_column(t.block, at, t.ids, t.values);
  }
  // The target restarts: its counters begin at 0.
  void reset(int target) { targets_[static_cast<std::size_t>(target)].values.assign(3, 0); }
  // The target does not answer.
  void miss(Timestamp at, int target) {
    Target& t = targets_[static_cast<std::size_t>(target)];
    const double down = 0;
    store_.append_column(t.block, at, std::span(t.ids).first(1), std::span(&down, 1));
  }
  // The target has been taken away, and with it its past.
  void stale(Timestamp at, int target) {
    store_.append_stale(targets_[static_cast<std::size_t>(target)].block, at);
  }
  void forget(int target) { store_.remove_block(targets_[static_cast<std::size_t>(target)].block); }
  void flush() { REQUIRE(recorder_->flush()); }

 private:
  struct Target {
    store::BlockId block;
    std::vector<store::SeriesId> ids;
    std::vector<double> values;
  };
  std::unique_ptr<archive::Recorder> recorder_;
  store::Store store_;
  std::vector<Target> targets_;
};

// Two hours: three targets, of which one or another fails now and then, restarts, or says nothing
// for three minutes; and one that fails and is taken away after three quarters of an hour.
void record_two_hours(const std::string& folder) {
  Scraper scraper(folder, kStart, 4);
  std::mt19937 random(11);
  for (int i = 0; i < 480; ++i) {
    const Timestamp at = kStart + i * kStep;
    for (int target = 0; target < 3; ++target) {
      const int phase = (i + 160 * target) % 480;
      if (random() % 150 == 0) scraper.reset(target);
      if (phase > 300 && phase < 312) continue;
      scraper.scrape(at + target * seconds(1), target, phase > 100 && phase < 140 ? 30 : 1);
    }
    if (i < 200) scraper.scrape(at + seconds(4), 3, i > 170 ? 40 : 1);
    if (i == 200) scraper.stale(at + seconds(4), 3);
    if (i == 224) scraper.forget(3);
    if (i % 20 == 0) scraper.flush();
  }
  scraper.flush();
}

constexpr std::string_view kRules = R"(groups:
- name: signals
  interval: 15s
  rules:
  - {record: 'instance:failures:share', expr: 'sum by (instance) (rate(requests_total{code="500"}[2m])) / sum by (instance) (rate(requests_total[2m]))'}
  - {alert: Failing, expr: 'instance:failures:share > 0.1', for: 1m}
  - {alert: FailingMuch, expr: 'sum by (instance) (rate(requests_total{code="500"}[2m])) / sum by (instance) (rate(requests_total[2m])) > 0.25', keep_firing_for: 2m}
  - {alert: Unusual, expr: 'instance:failures:share > 3 * quantile_over_time(0.5, instance:failures:share[30m])'}
- name: targets
  interval: 30s
  rules:
  - {alert: Behind, expr: "time() - timestamp(up) > 30", for: 1m}
  - {alert: Gone, expr: 'absent(up{instance="web-1"} == 1)'}
  - {alert: Sticky, expr: 'time() - timestamp(up) > 60 or (count by (instance) (ALERTS{alertname="Sticky",alertstate="firing"}) and on (instance) sum by (instance) (rate(requests_total{code="500"}[5m])) > 0.01)'}
)";

rule::RuleSet rules_of(std::string_view text) {
  rule::Loaded loaded = rule::load_text(std::string(text));
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  return std::move(loaded.rules);
}

ReplayOptions options() {
  ReplayOptions out;
  out.notify = plain_routes();
  return out;
}

Outcome replayed(const std::string& folder, const rule::RuleSet& rules,
                 const ReplayOptions& how = options()) {
  auto history = open_history({folder}, {.needs = rule::required_needs(rules)});
  REQUIRE(history);
  auto outcome = replay(rules, **history, how);
  REQUIRE(outcome);
  return std::move(*outcome);
}

// "Failing {…} 00:25:15 00:36:30", sorted.
using Lives = std::vector<std::string>;

std::string life_text(const std::string& rule, const Labels& labels, Timestamp from,
                      std::optional<Timestamp> to) {
  return rule + " " + labels.text() + " " + std::to_string((from - kStart) / seconds(1)) + " " +
         (to ? std::to_string((*to - kStart) / seconds(1)) : "on");
}

Lives lives_of(const Outcome& outcome) {
  Lives out;
  for (const Episode& episode : outcome.episodes) {
    out.push_back(life_text(outcome.rules[episode.rule].rule.name, episode.labels, episode.fired_at,
                            episode.ended_at));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The plain way: time goes on second by second, and each group is evaluated when its slot has come,
// its rules one after another.
class PlainReplay {
 public:
  PlainReplay(const std::string& folder, const rule::RuleSet& rules)
      : player_(*archive::Player::open(
            {folder}, {.wants = nullptr, .history = hours(4), .on_series = nullptr})),
        rules_(rules) {
    for (const rule::Group& group : rules.groups) {
      for (const rule::Rule& rule : group.rules) {
        lives_.emplace_back(std::make_shared<const rule::Rule>(rule), group.limit);
        queries_.push_back(promql::Query::prepare(rule.expr));
        blocks_.push_back(store_.add_block({.history = hours(4), .origin = store::Origin::Rules}));
      }
    }
  }

  Lives run() {
    const Timestamp end = player_.newest();
    for (Timestamp now = player_.oldest() - Duration(1); now < end; now += seconds(1)) {
      player_.play(store_, std::min(now + seconds(1), end));
      std::size_t first = 0;
      for (const rule::Group& group : rules_.groups) {
        const Timestamp slot = daemon::next_slot(group, *group.interval, now);
        for (std::size_t r = first;
             slot <= std::min(now + seconds(1), end) && r < first + group.rules.size(); ++r) {
          evaluate(r, slot);
        }
        first += group.rules.size();
      }
    }
    for (const auto& [alert, at] : firing_)
      out_.push_back(life_text(alert.first, alert.second, at, {}));
    std::sort(out_.begin(), out_.end());
    return out_;
  }

 private:
  void evaluate(std::size_t r, Timestamp at) {
    alert::Surroundings around;
    around.why_blind = [](const Labels&) { return std::nullopt; };
    const auto outcome = lives_[r].take(at, queries_[r].evaluate(store_, at), around);
    REQUIRE(outcome);
    std::vector<store::SeriesId> ids;
    std::vector<double> values;
    for (const promql::Element& element : outcome->series) {
      ids.push_back(store_.add_series(blocks_[r], element.labels, false));
      values.push_back(element.sample.value);
    }
    store_.append_column(blocks_[r], at, ids, values);
    const std::string& name = lives_[r].rule()->name;
    for (const alert::Transition& change : outcome->changes) {
      const std::pair key(name, change.alert.labels);
      if (change.to == alert::State::Firing) firing_[key] = at;
      if (change.from == alert::State::Firing && change.to == alert::State::Inactive) {
        out_.push_back(life_text(name, key.second, firing_.at(key), at));
        firing_.erase(key);
      }
    }
  }

  archive::Player player_;
  const rule::RuleSet& rules_;
  store::Store store_;
  std::vector<alert::RuleLife> lives_;
  std::vector<promql::Query> queries_;
  std::vector<store::BlockId> blocks_;
  std::map<std::pair<std::string, Labels>, Timestamp> firing_;
  Lives out_;
};

TEST_CASE("alerts live as if every slot had been evaluated by itself") {
  const Folder folder;
  record_two_hours(folder.path());
  const rule::RuleSet rules = rules_of(kRules);
  const Lives got = lives_of(replayed(folder.path(), rules));
  const Lives wanted = PlainReplay(folder.path(), rules).run();
  for (std::size_t i = 0; i < std::max(got.size(), wanted.size()); ++i) {
    CHECK((i < got.size() ? got[i] : "nothing") == (i < wanted.size() ? wanted[i] : "nothing"));
  }
  CHECK(got.size() >= 10);
}

TEST_CASE("no slot is left out where processes follow one another at any moment") {
  const Folder folder;
  const int begins[] = {0, 5, 60, 102};  // Minutes.
  for (int process = 0; process < 4; ++process) {
    const int end = process < 3 ? begins[process + 1] : 120;
    const Timestamp begin = kStart + minutes(begins[process]);
    Scraper scraper(folder.path(), begin, 1);
    for (Timestamp at = begin; at < kStart + minutes(end); at += kStep) {
      const auto minute = (at - kStart) / minutes(1);
      scraper.scrape(at, 0, minute % 25 >= 22 || minute == 54 || minute == 55 ? 50 : 0);
    }
  }
  const rule::RuleSet rules = rules_of(R"(groups:
- name: g
  interval: 15s
  rules: [{alert: Failing, expr: 'increase(requests_total{code="500"}[1m]) > 0'}]
)");
  CHECK(lives_of(replayed(folder.path(), rules)).size() == 5);
}

TEST_CASE("one thread finds what two find") {
  const Folder folder;
  record_two_hours(folder.path());
  const rule::RuleSet rules = rules_of(kRules);
  ReplayOptions alone = options();
  alone.threads = 1;
  const Outcome one = replayed(folder.path(), rules, alone);
  const Outcome two = replayed(folder.path(), rules);
  CHECK(lives_of(one) == lives_of(two));
  CHECK(one.pages.size() == two.pages.size());
}

TEST_CASE("every alert is told when it fires and when it is over") {
  const Folder folder;
  record_two_hours(folder.path());
  const Outcome outcome = replayed(folder.path(), rules_of(kRules));
  std::size_t firing = 0;
  for (const Page& page : outcome.pages) firing += page.firing.size();
  CHECK(firing == outcome.episodes.size());
}

TEST_CASE("what fires at the beginning has begun before") {
  const Folder folder;
  record_two_hours(folder.path());
  const rule::RuleSet rules = rules_of(kRules);
  const Outcome all = replayed(folder.path(), rules);
  const Episode& first = all.episodes.front();
  ReplayOptions late = options();
  late.from = first.fired_at + minutes(1);
  const Outcome rest = replayed(folder.path(), rules, late);
  REQUIRE_FALSE(rest.episodes.empty());
  CHECK(rest.episodes.front().fired_at == first.fired_at);
  CHECK(rest.episodes.front().labels == first.labels);
}

TEST_CASE("a stretch without data is an error that says how far the data reaches") {
  const Folder folder;
  record_two_hours(folder.path());
  const rule::RuleSet rules = rules_of(kRules);
  auto history = open_history({folder.path()}, {.needs = rule::required_needs(rules)});
  ReplayOptions later = options();
  later.from = kStart + hours(24);
  const auto outcome = replay(rules, **history, later);
  REQUIRE_FALSE(outcome);
  CHECK_MESSAGE(
      outcome.error().message.find("it reaches from 2026-01-05T00:00:00Z to 2026-01-05T01:59") !=
          std::string::npos,
      outcome.error().message);
}

constexpr std::string_view kFailing = R"(groups:
- name: g
  interval: 15s
  rules:
  - {alert: Failing, expr: 'sum by (instance) (rate(requests_total{code="500"}[2m])) > 1'}
)";

TEST_CASE("while nothing was recorded nothing is evaluated, and alerts live on") {
  const Folder folder;
  {
    Scraper first(folder.path(), kStart, 1);
    for (int i = 0; i < 40; ++i) first.scrape(kStart + i * kStep, 0, 50);
  }
  const Timestamp again = kStart + minutes(30);
  {
    Scraper second(folder.path(), again, 1);
    for (int i = 0; i < 40; ++i) second.scrape(again + i * kStep, 0, i < 20 ? 50 : 0);
  }
  const Outcome outcome = replayed(folder.path(), rules_of(kFailing));
  REQUIRE(outcome.episodes.size() == 1);
  CHECK(outcome.episodes[0].fired_at < kStart + minutes(1));
  REQUIRE(outcome.episodes[0].ended_at);
  CHECK(*outcome.episodes[0].ended_at > again + minutes(5));
}

TEST_CASE("an alert goes on while its target is down") {
  const Folder folder;
  {
    Scraper scraper(folder.path(), kStart, 1);
    for (int i = 0; i < 120; ++i) {
      const Timestamp at = kStart + i * kStep;
      if (i >= 40 && i < 80) {
        scraper.miss(at, 0);
      } else {
        scraper.scrape(at, 0, i < 80 ? 50 : 0);
      }
    }
  }
  const Outcome outcome = replayed(folder.path(), rules_of(kFailing));
  REQUIRE(outcome.episodes.size() == 1);
  CHECK(outcome.episodes[0].ended_at.value() >= kStart + 80 * kStep);
}

TEST_CASE("a rule that cannot be evaluated says how often and why") {
  const Folder folder;
  {
    Scraper scraper(folder.path(), kStart, 2);
    for (int i = 0; i < 20; ++i) {
      for (int target = 0; target < 2; ++target) scraper.scrape(kStart + i * kStep, target, 0);
    }
  }
  const Outcome outcome = replayed(folder.path(), rules_of(R"(groups:
- name: g
  interval: 15s
  rules:
  - {alert: A, expr: 'sum by (instance) (requests_total) / on (job) group_left sum by (job, instance) (requests_total)'}
)"));
  CHECK(outcome.rules.at(0).failures > 10);
  CHECK(outcome.rules.at(0).failure.find("many-to-many") != std::string::npos);
}

TEST_CASE("how far it is grows to 1") {
  const Folder folder;
  record_two_hours(folder.path());
  ReplayOptions watched = options();
  double last = 0;
  bool grows = true;
  watched.on_progress = [&](double done) {
    grows = grows && done >= last;
    last = done;
  };
  replayed(folder.path(), rules_of(kRules), watched);
  CHECK(grows);
  CHECK(last == 1);
}

}  // namespace
}  // namespace tocsin::replay
