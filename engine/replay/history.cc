// SPDX-License-Identifier: Apache-2.0
#include "replay/history.h"

#include <algorithm>

#include "archive/player.h"
#include "base/file.h"
#include "daemon/captured.h"
#include "replay/parallel.h"
#include "replay/sightings.h"
#include "source/keep_filter.h"

namespace tocsin::replay {
namespace {

Duration longest_of(const std::vector<promql::Need>& needs) {
  Duration longest = std::chrono::minutes(5);
  for (const promql::Need& need : needs) longest = std::max(longest, need.history);
  return longest;
}

class ArchiveHistory : public History {
 public:
  static Result<std::unique_ptr<History>> open(const std::vector<std::string>& paths,
                                               const HistoryOptions& options) {
    auto history = std::make_unique<ArchiveHistory>();
    archive::PlayerOptions player;
    const auto filter = std::make_shared<const source::KeepFilter>(options.needs);
    player.wants = [filter](const Labels& labels) {
      return labels.metric_name() == "up" || filter->wants(labels).has_value();
    };
    player.on_series = [seen = &history->seen_](const Labels& labels) { seen->note(labels); };
    player.history = longest_of(options.needs) + kSlack;
    player.together = [team = &history->team_.emplace(options.threads)](
                          std::size_t count, const auto& work) { team->run(count, work); };
    auto opened = archive::Player::open(paths, std::move(player));
    if (!opened) return fail(opened.error());
    history->player_.emplace(std::move(*opened));
    return history;
  }

  Extent extent() const override { return {player_->oldest(), player_->newest()}; }
  store::Store& store() override { return store_; }
  void skip_to(Timestamp from) override { player_->skip_to(from); }
  void fetch(Timestamp upto) override { player_->fetch(upto); }
  Advance advance(Timestamp upto) override {
    const archive::Player::Played played = player_->play(store_, upto);
    if (played.other_begins_at) return {played.last, played.other_begins_at};
    store_.collect_garbage(upto);
    return {upto, std::nullopt};
  }
  std::shared_ptr<const source::MetricNames> metrics_of(const Labels& up) const override {
    return seen_.of(up);
  }
  std::vector<std::string> complaints() const override { return player_->damage(); }

 private:
  store::Store store_;
  Sightings seen_;
  std::optional<Team> team_;
  std::optional<archive::Player> player_;
};

// All of it is in the store from the beginning: an evaluation does not see what comes after it.
class CapturedHistory : public History {
 public:
  static Result<std::unique_ptr<History>> open(const std::vector<std::string>& data) {
    auto captured = daemon::load_captured(data, Timestamp{});
    if (!captured) return fail(captured.error());
    if (!captured->has_timestamps) {
      return fail(ErrorCode::InvalidArgument,
                  "the pages have no timestamps, so there is nothing to replay; record an archive "
                  "with `tocsin run --record DIR`");
    }
    auto history = std::make_unique<CapturedHistory>();
    history->store_ = std::move(captured->store);
    history->extent_ = {captured->newest, captured->newest};
    history->look_around();
    return history;
  }

  Extent extent() const override { return extent_; }
  store::Store& store() override { return *store_; }
  Advance advance(Timestamp upto) override { return {upto, std::nullopt}; }
  std::shared_ptr<const source::MetricNames> metrics_of(const Labels& up) const override {
    return seen_.of(up);
  }

 private:
  void look_around() {
    std::vector<Sample> samples;
    for (const store::SeriesId id : store_->select({})) {
      seen_.note(store_->labels(id));
      samples.clear();
      store_->read(id, Timestamp{}, extent_.newest, samples);
      if (!samples.empty()) extent_.oldest = std::min(extent_.oldest, samples.front().at);
    }
  }

  std::unique_ptr<store::Store> store_;
  Extent extent_;
  Sightings seen_;
};

}  // namespace

Result<std::unique_ptr<History>> open_history(const std::vector<std::string>& data,
                                              const HistoryOptions& options) {
  std::vector<std::string> archives;
  for (const std::string& pattern : data) {
    for (const std::string& path : glob_files(pattern)) {
      if (archive::is_archive(path)) archives.push_back(path);
    }
  }
  if (archives.empty()) return CapturedHistory::open(data);
  return ArchiveHistory::open(archives, options);
}

}  // namespace tocsin::replay
