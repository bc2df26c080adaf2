// SPDX-License-Identifier: Apache-2.0
#include "daemon/series_writer.h"

#include <algorithm>

namespace tocsin::daemon {

SeriesWriter::Handle SeriesWriter::open(Duration history, store::Origin origin) {
  return std::make_shared<Place>(store_, store::BlockOptions{.history = history, .origin = origin});
}

void SeriesWriter::write(const Handle& place, Timestamp at, promql::Vector values,
                         std::function<void()> done) {
  net::run_on(
      workers_, loop_,
      [place, at, values = std::move(values)] {
        write_now(place, at, values);
        return true;
      },
      [done = std::move(done)](bool) { done(); });
}

void SeriesWriter::write_now(const Handle& place, Timestamp at, const promql::Vector& values) {
  place->write(at, values);
}

std::function<void()> SeriesWriter::work(std::vector<Writing> writings, Timestamp at) {
  return [writings = std::move(writings), at] {
    for (const Writing& writing : writings) writing.place->write(at, writing.values);
  };
}

void SeriesWriter::Place::write(Timestamp at, const promql::Vector& values) {
  const auto held = store_.lock();
  if (!held) return;
  store::Store& store = **held;
  const auto lock = store.lock_for_write();
  if (!opened_) {
    if (values.empty()) return;
    block_ = store.add_block(options_);
    opened_ = true;
  }
  const std::vector<store::SeriesId>& all = ids_of(values, store);
  std::vector<store::SeriesId> ids;
  std::vector<double> numbers;
  std::vector<std::pair<store::SeriesId, HistogramPtr>> histograms;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].histogram) {
      histograms.emplace_back(all[i], values[i].histogram);
    } else {
      ids.push_back(all[i]);
      numbers.push_back(values[i].sample.value);
    }
  }
  store.append_column(block_, at, ids, numbers);
  for (auto& [id, histogram] : histograms) store.append_histogram(id, at, std::move(histogram));
}

bool SeriesWriter::Place::are_known(const promql::Vector& values, const store::Store& store) const {
  return std::equal(values.begin(), values.end(), labels_.begin(), labels_.end(),
                    [](const promql::Element& element, const Labels& labels) {
                      return element.labels == labels;
                    }) &&
         std::all_of(versions_.begin(), versions_.end(),
                     [&](const auto& known) { return store.version(known.first) == known.second; });
}

const std::vector<store::SeriesId>& SeriesWriter::Place::ids_of(const promql::Vector& values,
                                                                store::Store& store) {
  if (are_known(values, store)) return ids_;
  labels_.clear();
  ids_.clear();
  versions_.clear();
  for (const promql::Element& element : values) {
    labels_.push_back(element.labels);
    ids_.push_back(store.add_series(block_, element.labels, false));
    versions_.try_emplace(std::string(element.labels.metric_name()));
  }
  for (auto& [name, version] : versions_) version = store.version(name);
  return ids_;
}

SeriesWriter::Place::~Place() {
  const auto held = store_.lock();
  if (!opened_ || !held) return;
  const auto lock = (*held)->lock_for_write();
  (*held)->remove_block(block_);
}

}  // namespace tocsin::daemon
