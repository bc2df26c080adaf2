// SPDX-License-Identifier: Apache-2.0
//
// Any expression, evaluated at an instant and over a range: it has a value or an error, soon. The
// number of samples is limited, and after a while somebody loses patience and cancels.
#include <cstdint>
#include <memory>
#include <string_view>

#include "differential/random_data.h"
#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace {

using namespace tocsin;

constexpr std::size_t kMaxSamples = 20'000;
constexpr int kPatience = 2'000;  // Times that the evaluation may ask whether to go on.
constexpr Duration kHistory = std::chrono::minutes(40);

HistogramPtr random_histogram(differential::Dice& dice) {
  auto out = std::make_shared<Histogram>();
  out->schema = static_cast<std::int32_t>(dice.between(-1, 3));
  out->zero_threshold = 0.001;
  out->zero_count = static_cast<double>(dice.between(0, 3));
  out->count = out->zero_count;
  for (std::int32_t i = -2; i < 3; ++i) {
    const auto in_bucket = static_cast<double>(dice.between(0, 9));
    out->positive.push_back({i, in_bucket});
    out->count += in_bucket;
  }
  out->sum = 2 * out->count;
  return out;
}

// A few series of every metric, some minutes long, and native histograms.
std::unique_ptr<store::Store> make_store() {
  auto out = std::make_unique<store::Store>();
  const auto block = out->add_block({.history = kHistory});
  differential::Dice dice(7);
  int count = 0;
  for (const auto& series : differential::random_series(dice)) {
    if (++count % 3 != 0) continue;
    const auto id = out->add_series(block, series.labels, false);
    for (const Sample& sample : series.samples) {
      if (sample.at > differential::kDataStart + kHistory) break;
      out->append_sample(id, sample.at, sample.value);
    }
  }
  for (const char* pod : {"p-0", "q-0"}) {
    const auto id = out->add_series(block, Labels{{"__name__", "sizes"}, {"pod", pod}}, false);
    for (int i = 1; i < 80; ++i) {
      const Timestamp at = differential::kDataStart + i * std::chrono::seconds(29);
      out->append_histogram(id, at, random_histogram(dice));
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<store::Store> store = make_store();
  const auto tree = promql::parse({reinterpret_cast<const char*>(data), size});
  if (!tree) return 0;
  int asked = 0;
  promql::QueryOptions options;
  options.max_samples = kMaxSamples;
  options.is_canceled = [&] { return ++asked > kPatience; };
  auto query = promql::Query::prepare(*tree, options);
  const Timestamp at = differential::kDataStart + std::chrono::minutes(30);
  (void)query.evaluate(*store, at);
  (void)query.evaluate_range(*store, at, at + std::chrono::minutes(6), std::chrono::minutes(3));
  return 0;
}
