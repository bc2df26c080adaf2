// SPDX-License-Identifier: Apache-2.0
#include "support/simple_evaluator.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "promql/functions.h"
#include "promql/operators.h"

namespace tocsin::testing {
namespace {

using namespace promql;

constexpr Duration kLookback = std::chrono::minutes(5);

Labels without_name(const Labels& labels) { return labels.drop({std::string(kMetricName)}); }

class Instant {
 public:
  Instant(const History& history, Timestamp at) : history_(history), at_(at) {}

  SimpleVector vector(const Expr& expr) const {
    const Expr& inner = unwrap(expr);
    if (const auto* node = as<VectorSelector>(inner)) return newest(*node);
    if (const auto* node = as<Call>(inner)) return range_call(*node);
    if (const auto* node = as<Aggregate>(inner)) return aggregate(*node);
    if (const auto* node = as<Binary>(inner)) return binary(*node);
    throw std::logic_error("too much for the simple evaluator: " + print(expr));
  }

 private:
  std::vector<Sample> window(const std::vector<Sample>& all, Timestamp after,
                             Timestamp upto) const {
    std::vector<Sample> out;
    for (const Sample& sample : all) {
      if (sample.at > after && sample.at <= upto) out.push_back(sample);
    }
    return out;
  }

  SimpleVector newest(const VectorSelector& selector) const {
    SimpleVector out;
    const Timestamp upto = at_ - selector.shift.offset;
    for (const auto& [labels, all] : history_) {
      if (!matches_all(selector.matchers, labels)) continue;
      const auto samples = window(all, upto - kLookback, upto);
      if (samples.empty() || is_stale_nan(samples.back().value)) continue;
      out[labels] = samples.back().value;
    }
    return out;
  }

  SimpleVector range_call(const Call& call) const {
    const auto& matrix = *as<MatrixSelector>(unwrap(*call.args[0]));
    SimpleVector out;
    const Timestamp upto = at_ - matrix.vector.shift.offset;
    for (const auto& [labels, all] : history_) {
      if (!matches_all(matrix.vector.matchers, labels)) continue;
      auto samples = window(all, upto - matrix.range, upto);
      std::erase_if(samples, [](const Sample& s) { return is_stale_nan(s.value); });
      const auto value = call_of(call.function->name, samples, upto - matrix.range, upto);
      if (value) out[without_name(labels)] = *value;
    }
    return out;
  }

  static std::optional<double> call_of(std::string_view name, const std::vector<Sample>& samples,
                                       Timestamp from, Timestamp upto) {
    if (name == "rate") {
      auto growth = change(samples, from, upto, true);
      if (growth) *growth /= to_seconds(upto - from);
      return growth;
    }
    if (name == "increase") return change(samples, from, upto, true);
    if (name == "delta") return change(samples, from, upto, false);
    if (samples.empty()) return std::nullopt;
    std::vector<double> values;
    for (const Sample& sample : samples) values.push_back(sample.value);
    double sum = 0;
    for (const double value : values) sum += value;
    if (name == "sum_over_time") return sum;
    if (name == "count_over_time") return static_cast<double>(values.size());
    if (name == "avg_over_time") return sum / static_cast<double>(values.size());
    if (name == "max_over_time") return *std::max_element(values.begin(), values.end());
    if (name == "min_over_time") return *std::min_element(values.begin(), values.end());
    throw std::logic_error("unknown to the simple evaluator: " + std::string(name));
  }

  // Prometheus' extrapolatedRate().
  static std::optional<double> change(const std::vector<Sample>& samples, Timestamp from,
                                      Timestamp upto, bool is_counter) {
    if (samples.size() < 2) return std::nullopt;
    double by = samples.back().value - samples.front().value;
    for (std::size_t i = 1; is_counter && i < samples.size(); ++i) {
      if (samples[i].value < samples[i - 1].value) by += samples[i - 1].value;
    }
    const double sampled = to_seconds(samples.back().at - samples.front().at);
    const double spacing = sampled / static_cast<double>(samples.size() - 1);
    double before = to_seconds(samples.front().at - from);
    double after = to_seconds(upto - samples.back().at);
    if (before >= spacing * 1.1) before = spacing / 2;
    if (after >= spacing * 1.1) after = spacing / 2;
    if (is_counter && by > 0 && samples.front().value >= 0) {
      before = std::min(before, sampled * samples.front().value / by);
    }
    return by * (sampled + before + after) / sampled;
  }

  SimpleVector aggregate(const Aggregate& aggregate) const {
    std::map<Labels, std::vector<double>> groups;
    for (const auto& [labels, value] : vector(*aggregate.expr)) {
      groups[key(labels, !aggregate.without, aggregate.grouping)].push_back(value);
    }
    SimpleVector out;
    for (const auto& [labels, values] : groups) {
      double sum = 0;
      for (const double value : values) sum += value;
      const auto count = static_cast<double>(values.size());
      switch (aggregate.op) {
        case AggregateOp::Sum:
          out[labels] = sum;
          break;
        case AggregateOp::Avg:
          out[labels] = sum / count;
          break;
        case AggregateOp::Count:
          out[labels] = count;
          break;
        case AggregateOp::Min:
          out[labels] = *std::min_element(values.begin(), values.end());
          break;
        case AggregateOp::Max:
          out[labels] = *std::max_element(values.begin(), values.end());
          break;
        default:
          throw std::logic_error("unknown to the simple evaluator");
      }
    }
    return out;
  }

  static Labels key(const Labels& labels, bool only, const std::vector<std::string>& names) {
    return only ? labels.keep_only(names) : without_name(labels).drop(names);
  }

  SimpleVector binary(const Binary& binary) const {
    const SimpleVector left = vector(*binary.left);
    if (binary.right->type == ValueType::Scalar) {
      const double right = as<Number>(unwrap(*binary.right))->value;
      SimpleVector out;
      for (const auto& [labels, value] : left) put(binary, labels, value, right, out);
      return out;
    }
    const SimpleVector right = vector(*binary.right);
    std::map<Labels, double> by_key;
    for (const auto& [labels, value] : right) by_key[key_of(binary, labels)] = value;
    SimpleVector out;
    for (const auto& [labels, value] : left) {
      const auto other = by_key.find(key_of(binary, labels));
      const bool is_met = other != by_key.end();
      if (binary.op == BinaryOp::Or ||
          (info_of(binary.op).is_set && is_met == (binary.op == BinaryOp::And))) {
        out[labels] = value;
      } else if (!info_of(binary.op).is_set && is_met) {
        put(binary, labels, value, other->second, out);
      }
    }
    if (binary.op != BinaryOp::Or) return out;
    std::map<Labels, double> left_keys;
    for (const auto& [labels, value] : left) left_keys[key_of(binary, labels)] = value;
    for (const auto& [labels, value] : right) {
      if (!left_keys.contains(key_of(binary, labels))) out[labels] = value;
    }
    return out;
  }

  static Labels key_of(const Binary& binary, const Labels& labels) {
    return key(labels, binary.matching.on, binary.matching.labels);
  }

  static void put(const Binary& binary, const Labels& labels, double a, double b,
                  SimpleVector& out) {
    const double value = apply(binary.op, a, b);
    if (!info_of(binary.op).is_comparison) {
      out[without_name(labels)] = value;
    } else if (value != 0) {
      out[labels] = a;
    }
  }

  const History& history_;
  const Timestamp at_;
};

}  // namespace

SimpleVector evaluate_simply(const Expr& expr, const History& history, Timestamp at) {
  return Instant(history, at).vector(expr);
}

}  // namespace tocsin::testing
