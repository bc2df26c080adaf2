// SPDX-License-Identifier: Apache-2.0
#include "ruletest/coverage.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "alert/rule_life.h"
#include "promql/ast.h"
#include "rule/annotations.h"

namespace tocsin::ruletest {
namespace {

using promql::BinaryOp;

constexpr std::string_view kGives = "gives something";
constexpr std::string_view kFires = "fires";
constexpr std::string_view kEnds = "ends";
constexpr std::size_t kLongest = 60;  // Bytes of an expression in a point's name.

std::string shortened(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > kLongest) text = text.substr(0, kLongest - 3) + "...";
  return text;
}

// The set operations of an expression, outermost first.
void collect_all(const promql::ExprPtr& expr, std::vector<promql::ExprPtr>& out) {
  const auto* binary = promql::as<promql::Binary>(*expr);
  if (binary != nullptr && promql::info_of(binary->op).is_set) out.push_back(expr);
  for (const promql::ExprPtr& child : promql::children_of(*expr)) collect_all(child, out);
}

// Those that a person wrote: what a mesh condition compiles to joins the metrics of several
// versions of Linkerd, of which a test has one.
std::vector<promql::ExprPtr> operations_of(const rule::Rule& rule) {
  std::vector<promql::ExprPtr> out;
  if (!rule.condition) collect_all(rule.expr, out);
  return out;
}

// What the two ways of a set operation are called.
std::pair<std::string, std::string> ways_of(const promql::ExprPtr& expr) {
  const auto& binary = *promql::as<promql::Binary>(*expr);
  const std::string name = "'" + shortened(promql::print(*binary.left)) + " " +
                           std::string(promql::info_of(binary.op).text) + " " +
                           shortened(promql::print(*binary.right)) + "': ";
  if (binary.op == BinaryOp::Or)
    return {name + "the left side gives", name + "the right side adds"};
  return {name + "something stays", name + "something is removed"};
}

// Labels and annotations of an alert as somebody wrote them: a recording's labels are no templates,
// and a mesh condition brings annotations that nobody wrote.
std::map<std::string, std::string> texts_of(const rule::Rule& rule) {
  std::map<std::string, std::string> out;
  if (rule.kind != rule::RuleKind::Alert) return out;
  for (const auto& [name, text] : rule.labels) out["label '" + name + "'"] = text;
  const auto brought =
      rule.condition ? rule::default_annotations(*rule.condition) : decltype(rule.annotations)();
  for (const auto& [name, text] : rule.annotations) {
    const auto it = brought.find(name);
    if (it == brought.end() || it->second != text) out["annotation '" + name + "'"] = text;
  }
  return out;
}

std::string condition_name(const std::string& where, const std::string& condition, bool taken) {
  return where + ": {{ " + condition + " }} " + (taken ? "holds" : "does not hold");
}

std::vector<std::string> points_of(const rule::Rule& rule) {
  std::vector<std::string> out;
  if (rule.kind == rule::RuleKind::Alert) {
    out = {std::string(kFires), std::string(kEnds)};
  } else {
    out = {std::string(kGives)};
  }
  for (const promql::ExprPtr& operation : operations_of(rule)) {
    const auto [first, second] = ways_of(operation);
    out.push_back(first);
    out.push_back(second);
  }
  for (const auto& [where, text] : texts_of(rule)) {
    const auto parsed = alert::Template::parse(text);
    if (!parsed) continue;
    for (const std::string& condition : parsed->conditions()) {
      out.push_back(condition_name(where, condition, true));
      out.push_back(condition_name(where, condition, false));
    }
  }
  return out;
}

std::size_t size_of(promql::Query& query, const RuleWatch::Evaluation& evaluation) {
  const auto answer = query.evaluate(evaluation.store, evaluation.at);
  const auto vector = answer ? alert::as_vector(answer->value) : fail(answer.error());
  return vector ? vector->size() : 0;
}

}  // namespace

Coverage::Key Coverage::key_of(const rule::Rule& rule) {
  return {rule.place.file, rule.place.line, rule.id};
}

void Coverage::add(const rule::RuleSet& rules) {
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      if (rule.generated) continue;
      OfRule record{rule.place, rule.name, {}};
      for (std::string& point : points_of(rule)) {
        const bool known = std::any_of(record.points.begin(), record.points.end(),
                                       [&](const Point& p) { return p.what == point; });
        if (!known) record.points.push_back({std::move(point), false});
      }
      rules_.try_emplace(key_of(rule), std::move(record));
    }
  }
}

Coverage::OfRule* Coverage::of(const rule::Rule& rule) {
  const auto it = rules_.find(key_of(rule));
  return it == rules_.end() ? nullptr : &it->second;
}

std::string Coverage::text() const {
  std::string out;
  std::size_t all = 0;
  std::size_t seen = 0;
  std::size_t whole_rules = 0;
  for (const auto& [key, rule] : rules_) {
    const auto count = static_cast<std::size_t>(std::count_if(
        rule.points.begin(), rule.points.end(), [](const Point& point) { return point.seen; }));
    all += rule.points.size();
    seen += count;
    if (count == rule.points.size()) ++whole_rules;
    out += rule.place.file + ":" + std::to_string(rule.place.line) + ": " + rule.name + ": " +
           std::to_string(count) + " of " + std::to_string(rule.points.size()) + "\n";
    for (const Point& point : rule.points) {
      if (!point.seen) out += "    never: " + point.what + "\n";
    }
  }
  return out + std::to_string(whole_rules) + " of " + std::to_string(rules_.size()) +
         " rules are tested whole; " + std::to_string(seen) + " of " + std::to_string(all) +
         " points were seen\n";
}

// ---- RuleWatch

struct RuleWatch::SetOperation {
  BinaryOp op;
  std::string first;  // The names of its two ways.
  std::string second;
  promql::Query left;
  promql::Query whole;
};

struct RuleWatch::Text {
  std::string where;
  alert::Template parsed;
};

RuleWatch::RuleWatch(Coverage& coverage, const rule::Rule& rule) : record_(coverage.of(rule)) {
  if (record_ == nullptr) return;
  for (const promql::ExprPtr& operation : operations_of(rule)) {
    const auto& binary = *promql::as<promql::Binary>(*operation);
    auto [first, second] = ways_of(operation);
    operations_.push_back({binary.op, std::move(first), std::move(second),
                           promql::Query::prepare(binary.left), promql::Query::prepare(operation)});
  }
  for (const auto& [where, text] : texts_of(rule)) {
    auto parsed = alert::Template::parse(text);
    if (parsed && !parsed->conditions().empty()) texts_.push_back({where, std::move(*parsed)});
  }
}
RuleWatch::~RuleWatch() = default;
RuleWatch::RuleWatch(RuleWatch&&) noexcept = default;

void RuleWatch::see(const std::string& what) {
  for (Coverage::Point& point : record_->points) {
    if (point.what == what) point.seen = true;
  }
}

void RuleWatch::note(const Evaluation& evaluation) {
  if (record_ == nullptr) return;
  if (!evaluation.result.empty()) see(std::string(kGives));
  for (const alert::Transition& change : evaluation.changes) {
    if (change.to == alert::State::Firing) see(std::string(kFires));
    if (change.from == alert::State::Firing && change.to == alert::State::Inactive) {
      see(std::string(kEnds));
    }
  }
  note_operations(evaluation);
  note_texts(evaluation);
}

void RuleWatch::note_operations(const Evaluation& evaluation) {
  for (SetOperation& operation : operations_) {
    const std::size_t left = size_of(operation.left, evaluation);
    const std::size_t whole = size_of(operation.whole, evaluation);
    const bool is_or = operation.op == BinaryOp::Or;
    if (is_or ? left > 0 : whole > 0) see(operation.first);
    if (is_or ? whole > left : whole < left) see(operation.second);
  }
}

void RuleWatch::note_texts(const Evaluation& evaluation) {
  for (const Text& text : texts_) {
    for (const promql::Element& element : evaluation.result) {
      alert::TemplateData data;
      data.labels = element.labels.without(kMetricName);
      data.external_labels = evaluation.around.external_labels;
      data.external_url = evaluation.around.external_url;
      data.value = element.sample.value;
      data.at = evaluation.at;
      data.query = evaluation.around.query;
      data.on_condition = [&](const std::string& condition, bool taken) {
        see(condition_name(text.where, condition, taken));
      };
      // Its text is the tracker's concern.
      (void)text.parsed.execute(data);
    }
  }
}

}  // namespace tocsin::ruletest
