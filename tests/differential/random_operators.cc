// SPDX-License-Identifier: Apache-2.0
//
// Aggregations, and everything between two operands.
#include <algorithm>
#include <array>

#include "differential/random_expr.h"

namespace tocsin::differential {
namespace {

constexpr std::array<std::string_view, 8> kAggregates{"sum", "avg",   "count",  "min",
                                                      "max", "group", "stddev", "stdvar"};

}  // namespace

Part ExprDice::aggregate(int depth) {
  const std::string name(dice_.pick(kAggregates));
  const bool spread = name == "stddev" || name == "stdvar";
  Part out = vector_where(depth - 1, [&](const Part& p) {
    return is_plain(p) && (!spread || (p.traits.exact && p.traits.finite)) &&
           (name != "avg" || has_safe_mean(p.traits));
  });
  const bool without = dice_.one_in(3);
  const Names kept = some_of(out.labels);
  Names dropped;
  for (const std::string& label : out.labels) {
    if (std::find(kept.begin(), kept.end(), label) == kept.end()) dropped.push_back(label);
  }
  const std::string clause = without ? word("without") + " " + in_parentheses(dropped)
                             : kept.empty() && dice_.one_in(2)
                                 ? ""
                                 : word("by") + " " + in_parentheses(kept);
  out.text = dice_.one_in(3) ? word(name) + "(" + out.text + ") " + clause
                             : word(name) + " " + clause + " (" + out.text + ")";
  const bool is_same = name == "min" || name == "max";
  const bool is_sum = name == "sum" && out.traits.exact && out.traits.whole;
  if (name == "count" || name == "group") {
    out.traits = kCount;
  } else if (is_same || is_sum) {
    const bool whole = out.traits.whole;
    out.traits = computed(out.traits);
    out.traits.whole = whole;
  } else {
    out.traits = approximate(out.traits);
  }
  out.labels = kept;
  return out;
}

Part ExprDice::aggregate_with_parameter(int depth) {
  if (dice_.one_in(3)) {
    Part out = vector_where(depth - 1, is_plain);
    const Names kept = some_of(out.labels);
    out.text = "quantile by " + in_parentheses(kept) + " (" + quantile() + ", " + out.text + ")";
    out.traits = approximate(out.traits);
    out.traits.finite = false;
    out.labels = kept;
    return out;
  }
  if (dice_.one_in(3)) {
    Part out = vector_where(depth - 1, is_exact);
    out.labels = some_of(out.labels);
    if (out.labels.size() > 2) out.labels.resize(2);  // 2.42 loses some of three.
    const std::string label = dice_.pick<std::string>({"value", "zone", "job"});
    out.text =
        "count_values by " + in_parentheses(out.labels) + " (\"" + label + "\", " + out.text + ")";
    out.traits = kCount;
    out.labels.push_back(label);
    return out;
  }
  Part out = vector_where(depth - 1, [](const Part& p) { return p.traits.distinct; });
  const std::string name = dice_.pick<std::string>({"topk", "bottomk"});
  const std::string count = dice_.pick<std::string>({"1", "2", "3", "0", "-1", "2.9", "100"});
  out.text =
      name + " by " + in_parentheses(some_of(out.labels)) + " (" + count + ", " + out.text + ")";
  return out;
}

Part ExprDice::aggregate_mixed() {
  Part out = mixed_selector();
  out.labels = some_of(out.labels);
  Names grouping = out.labels;
  if (dice_.one_in(2)) grouping.emplace_back("__name__");
  out.text = dice_.pick<std::string>({"count", "min", "max", "group"}) + " by " +
             in_parentheses(grouping) + " (" + out.text + ")";
  out.traits = {.exact = true, .finite = out.traits.finite, .mixed = true};
  return out;
}

Part ExprDice::with_scalar(int depth) {
  Part out = vector_where(depth - 1, is_plain);
  const std::string op = dice_.pick<std::string>({"+", "-", "*", "/", "^", "%", "atan2"});
  if (op == "%" && !out.traits.exact) return out;
  if (op == "atan2" && out.traits.named) return out;  // 2.42 forgets to drop the name.
  Part other{generic_number(), {}, {}};
  if (op != "^" && op != "%" && dice_.one_in(3)) other = scalar(depth - 1);
  const bool left = dice_.one_in(3);
  // What is not exact is not subtracted from what may be the same.
  if ((op == "+" || op == "-") && !(out.traits.exact && other.traits.exact)) {
    other = {generic_number(), {}, {}};
  }
  out.text = left ? "(" + other.text + " " + op + " " + out.text + ")"
                  : "(" + out.text + " " + op + " " + other.text + ")";
  const bool bits = op == "+" || op == "-" || op == "*" || op == "/" || op == "%";
  const Traits traits = both(out.traits, other.traits);
  out.traits = bits ? computed(traits) : approximate(traits);
  if (op == "/" || op == "%" || op == "^") out.traits.finite = false;
  return out;
}

Part ExprDice::compared(int depth) {
  Part out = vector(depth - 1);
  const std::string op = dice_.pick<std::string>({"==", "!=", "<", ">", "<=", ">="});
  std::string number = generic_number();
  if (out.traits.exact && dice_.one_in(2)) number = std::to_string(dice_.between(-2, 9));
  const bool has_bool = !out.traits.mixed && dice_.one_in(3);
  const std::string text = " " + op + (has_bool ? " " + word("bool") : "") + " ";
  out.text =
      dice_.one_in(4) ? "(" + number + text + out.text + ")" : "(" + out.text + text + number + ")";
  if (has_bool) out.traits = kCount;
  out.traits.counts = false;
  return out;
}

// Two that have the same labels.
Part ExprDice::between_likes(int depth) {
  Part left = vector_where(depth - 1, is_exact);
  Part right = left;
  if (left.traits.named && dice_.one_in(2)) {
    right = selector_of(metrics()[0]);
    left = selector_of(metrics()[0]);
    right.text += word(" offset ") + "5m";
  }
  // 2.42 forgets to drop the name after atan2.
  const std::string last = left.traits.named ? "^" : "atan2";
  const std::string op =
      dice_.pick<std::string>({"+", "-", "*", "/", "%", "==", "!=", "<", ">=", "^", last});
  const bool is_comparison = op[0] == '=' || op[0] == '!' || op[0] == '<' || op[0] == '>';
  const std::string has_bool = is_comparison && dice_.one_in(2) ? " bool" : "";
  const std::string matching = dice_.one_in(4) ? " ignoring (nothing)" : "";
  const bool whole = left.traits.whole && right.traits.whole;
  Part out{"(" + left.text + " " + op + has_bool + matching + " " + right.text + ")",
           computed(both(left.traits, right.traits)), left.labels};
  out.traits.finite = false;
  if (op == "atan2" || op == "^") out.traits = approximate(out.traits);
  out.traits.whole = whole && (op == "+" || op == "-" || is_comparison);
  out.traits.named = left.traits.named && is_comparison && has_bool.empty();
  return out;
}

// Two aggregations by the same labels.
Part ExprDice::between_groups(int depth) {
  const Part a = vector_where(depth - 1, is_plain);
  const Part b = vector_where(depth - 1, is_plain);
  Names common;
  for (const std::string& label : a.labels) {
    const bool shared = std::find(b.labels.begin(), b.labels.end(), label) != b.labels.end();
    if (shared && dice_.percent(70)) common.push_back(label);
  }
  const std::string by = " by " + in_parentheses(common) + " (";
  const std::string op = dice_.pick<std::string>({"*", "/", "*", "/", "and", "unless", "or"});
  const std::string on = dice_.one_in(2) ? " on " + in_parentheses(common) : "";
  const std::string fold = dice_.pick<std::string>({"max", "min", "sum"});
  Part out{"(" + fold + by + a.text + ") " + op + on + " min" + by + b.text + "))",
           approximate(both(a.traits, b.traits)), common};
  out.traits.finite = out.traits.finite && op != "/" && op != "*";
  return out;
}

// Many of one side for each group of the other.
Part ExprDice::many_to_one(int depth) {
  const Part many = vector_where(depth - 1, is_plain);
  const Names common = some_of(many.labels);
  const Part one = vector_where(depth - 1, is_plain);
  const std::string group = "max by " + in_parentheses(common) + " (" + one.text + ")";
  const std::string op = dice_.pick<std::string>({"*", "/"});
  const bool on = dice_.percent(70);
  Names ignored;
  for (const std::string& label : many.labels) {
    if (std::find(common.begin(), common.end(), label) == common.end()) ignored.push_back(label);
  }
  const std::string matching =
      on ? " on " + in_parentheses(common) : " ignoring " + in_parentheses(ignored);
  const bool left = dice_.one_in(2);
  Part out{left ? "(" + many.text + " " + op + matching + " group_left " + group + ")"
                : "(" + group + " " + op + matching + " group_right () " + many.text + ")",
           approximate(both(many.traits, one.traits)), many.labels};
  out.traits.finite = false;
  return out;
}

// Labels from another metric; it may well match several times.
Part ExprDice::with_info(int depth) {
  Part out = vector_where(depth - 1, is_plain);
  const std::string safe = "max by (pod, version) (info{zone=\"a\",version=\"1.0\"})";
  out.text = "(" + out.text + " * on (pod) group_left (version) " +
             (dice_.percent(80) ? safe : "info") + ")";
  out.traits = computed(out.traits);
  out.labels.emplace_back("version");
  return out;
}

Part ExprDice::set_operation(int depth) {
  const Part left = vector(depth - 1);
  const Part right = vector(depth - 1);
  const std::string op = dice_.pick<std::string>({"and", "or", "unless"});
  // Without names, two metrics would fall together where only one engine minds.
  const bool may_clash = op == "or" && (left.traits.named != right.traits.named);
  std::string matching;
  if (dice_.one_in(3)) matching = " on " + in_parentheses(some_of(left.labels));
  if (dice_.one_in(6)) matching = " ignoring " + in_parentheses(some_of(left.labels));
  Part out{"(" + left.text + " " + word(op) + matching + " " + right.text + ")", left.traits,
           left.labels};
  if (op == "or") out.traits = both(left.traits, right.traits);
  out.traits.counts = out.traits.distinct = false;
  out.traits.mixed =
      left.traits.mixed ||
      (op == "or" && (right.traits.mixed || left.traits.named || right.traits.named || may_clash));
  return out;
}

Part ExprDice::negated(int depth) {
  Part out = vector_where(depth - 1, is_plain);
  const bool named = out.traits.named;
  out.text = dice_.pick<std::string>({"-", "+", "-"}) + out.text;
  const bool plus = out.text[0] == '+';
  if (dice_.one_in(3)) out.text += " ^ 2";
  const bool power = out.text.ends_with(" ^ 2");
  out.text = "(" + out.text + ")";
  out.traits = power ? approximate(out.traits) : computed(out.traits);
  out.traits.named = named && plus && !power;
  return out;
}

// Types are right, nothing else is promised: it may well be an error.
Part ExprDice::anything_goes(int depth) {
  const Part left = vector_where(depth - 1, is_plain);
  const Part right = vector_where(depth - 1, is_plain);
  const std::string op = dice_.pick<std::string>({"*", "/", "and", "unless"});
  std::string matching = dice_.one_in(2) ? " on " : " ignoring ";
  matching += in_parentheses(some_of({"job", "pod", "zone", "code"}));
  if (op.size() == 1 && dice_.one_in(3)) {
    matching += dice_.one_in(2) ? " group_left ()" : " group_right ()";
  }
  Part out{"(" + left.text + " " + op + matching + " " + right.text + ")",
           approximate(both(left.traits, right.traits)), left.labels};
  out.traits.named = left.traits.named && op.size() > 1;
  out.traits.finite = false;
  return out;
}

}  // namespace tocsin::differential
