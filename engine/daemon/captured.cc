// SPDX-License-Identifier: Apache-2.0
#include "daemon/captured.h"

#include <algorithm>
#include <filesystem>

#include "archive/player.h"
#include "base/file.h"
#include "base/packing.h"
#include "tocsin/duration.h"
#include "tocsin/exposition.h"

namespace tocsin::daemon {
namespace fs = std::filesystem;
namespace {

constexpr Duration kForever = std::chrono::hours(24 * 365 * 200);
constexpr std::size_t kMaxUnpacked = std::size_t{4} << 30;

struct Found {
  std::vector<std::string> pages;
  std::vector<std::string> archives;

  void add(const std::string& path) {
    (archive::is_archive(path) ? archives : pages).push_back(path);
  }
};

Found find_files(const std::vector<std::string>& data) {
  Found out;
  for (const std::string& pattern : data) {
    for (const std::string& path : glob_files(pattern)) {
      std::error_code ignored;
      if (!fs::is_directory(path, ignored)) {
        out.add(path);
        continue;
      }
      for (const auto& entry : fs::recursive_directory_iterator(path, ignored)) {
        if (entry.is_regular_file(ignored)) out.add(entry.path().string());
      }
    }
  }
  std::sort(out.pages.begin(), out.pages.end());
  return out;
}

Result<std::string> read_page(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes || !bytes->starts_with("\x1f\x8b")) return bytes;
  return gunzip(*bytes, kMaxUnpacked);
}

class Loader {
 public:
  explicit Loader(Timestamp untimed_at) : untimed_at_(untimed_at) {
    out_.store = std::make_unique<store::Store>();
    block_ = out_.store->add_block({.history = kForever});
  }

  Result<void> add(std::string_view page) {
    exposition::PageReader reader(page, exposition::Dialect::Detect);
    exposition::PageSample sample;
    while (reader.next(sample)) {
      if (auto added = add(sample); !added) return added;
    }
    if (!reader.ok()) return fail(reader.error());
    return {};
  }

  Result<void> add_archive(const std::vector<std::string>& paths) {
    auto player = archive::Player::open(paths, {.history = kEndOfArchive});
    if (!player) return fail(player.error());
    player->skip_to(player->newest() - kEndOfArchive);
    while (player->play(*out_.store, player->newest()).other_begins_at) {
    }
    out_.store->collect_garbage(player->newest());
    out_.newest = std::max(out_.newest, player->newest());
    out_.has_timestamps = true;
    out_.complaints = player->damage();
    if (player->oldest() < player->newest() - kEndOfArchive) {
      out_.complaints.push_back("of the archive only the last " + format_duration(kEndOfArchive) +
                                " are read; tocsin replay reads all of it");
    }
    return {};
  }

  Captured take() { return std::move(out_); }

 private:
  Result<void> add(const exposition::PageSample& sample) {
    auto labels = exposition::decode_labels(sample);
    if (!labels) return fail(labels.error());
    if (!sample.pod.empty()) *labels = labels->with("pod", sample.pod);
    if (!sample.container.empty()) *labels = labels->with("container", sample.container);
    const Timestamp at = sample.at.value_or(untimed_at_);
    const store::SeriesId id = out_.store->add_series(block_, *labels, false);
    if (!out_.store->append_sample(id, at, sample.value)) return {};
    out_.newest = std::max(out_.newest, at);
    out_.has_timestamps |= sample.at.has_value();
    ++out_.samples;
    return {};
  }

  Timestamp untimed_at_;
  store::BlockId block_ = 0;
  Captured out_;
};

}  // namespace

Result<Captured> load_captured(const std::vector<std::string>& data, Timestamp untimed_at) {
  Loader loader(untimed_at);
  const Found found = find_files(data);
  for (const std::string& path : found.pages) {
    const auto page = read_page(path);
    if (!page) return fail(page.error());
    if (auto added = loader.add(*page); !added) return fail(added.error().in(path));
  }
  if (!found.archives.empty()) {
    if (auto added = loader.add_archive(found.archives); !added) return fail(added.error());
  }
  return loader.take();
}

}  // namespace tocsin::daemon
