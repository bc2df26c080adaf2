// SPDX-License-Identifier: Apache-2.0
#include "daemon/series_writer.h"

namespace tocsin::daemon {

SeriesWriter::Handle SeriesWriter::open(Duration history, store::Origin origin) {
  return std::make_shared<Place>(store_, store::BlockOptions{.history = history, .origin = origin});
}

void SeriesWriter::write(const Handle& place, Timestamp at, promql::Vector values,
                         std::function<void()> done) {
  std::vector<Writing> writings;
  writings.push_back({place, std::move(values)});
  write_all(std::move(writings), at, std::move(done));
}

void SeriesWriter::write_all(std::vector<Writing> writings, Timestamp at,
                             std::function<void()> done) {
  net::run_on(
      workers_, loop_,
      [writings = std::move(writings), at] {
        for (const Writing& writing : writings) writing.place->write(at, writing.values);
        return true;
      },
      [done = std::move(done)](bool) { done(); });
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
  std::vector<store::SeriesId> ids;
  std::vector<double> numbers;
  std::vector<std::pair<store::SeriesId, HistogramPtr>> histograms;
  for (const promql::Element& element : values) {
    const store::SeriesId id = store.add_series(block_, element.labels, false);
    if (element.histogram) {
      histograms.emplace_back(id, element.histogram);
    } else {
      ids.push_back(id);
      numbers.push_back(element.sample.value);
    }
  }
  store.append_column(block_, at, ids, numbers);
  for (auto& [id, histogram] : histograms) store.append_histogram(id, at, std::move(histogram));
}

SeriesWriter::Place::~Place() {
  const auto held = store_.lock();
  if (!opened_ || !held) return;
  const auto lock = (*held)->lock_for_write();
  (*held)->remove_block(block_);
}

}  // namespace tocsin::daemon
