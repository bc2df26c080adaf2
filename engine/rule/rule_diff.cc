// SPDX-License-Identifier: Apache-2.0
#include "rule/rule_diff.h"

#include <algorithm>
#include <map>

#include "rule/annotations.h"
#include "rule/notation.h"
#include "tocsin/duration.h"
#include "tocsin/sample.h"

namespace tocsin::rule {
namespace {

// What a rule says, by field.
using Fields = std::map<std::string, std::string>;

struct Entry {
  const Group* group;
  const Rule* rule;
  bool matched = false;
};

void add_condition(const Condition& c, Fields& out) {
  out["condition"] = name_of(c.kind);
  out[c.comparison == Comparison::Above ? "above" : "below"] = c.threshold_text;
  out["by"] = name_of(c.by);
  out["side"] = c.side == Side::Client ? "client" : "server";
  out["over"] = format_duration(c.over);
  for (const auto& [label, expression] : c.where) out["where " + label] = expression;
  if (c.resolve_threshold) out["resolve_when"] = format_number(*c.resolve_threshold);
  out["quantile"] = format_number(c.quantile);
  out["min_requests"] = format_number(c.min_requests);
  out["min_rate"] = format_number(c.min_rate);
  out["baseline_over"] = format_duration(c.baseline_over);
  for (const std::string& component : c.components) out["component " + component] = "watched";
  for (const std::string& name : c.unless) out["unless " + name] = "holds";
}

Fields fields_of(const Entry& entry) {
  const Rule& rule = *entry.rule;
  Fields out;
  std::map<std::string, std::string> brought;
  if (rule.condition) {
    add_condition(*rule.condition, out);
    brought = default_annotations(*rule.condition);
  } else {
    out["expr"] = rule.expr_text;
  }
  out["for"] = format_duration(rule.for_duration);
  out["keep_firing_for"] = format_duration(rule.keep_firing_for);
  if (entry.group->interval) out["interval"] = format_duration(*entry.group->interval);
  if (entry.group->limit > 0) out["limit"] = std::to_string(entry.group->limit);
  for (const auto& [name, text] : rule.labels) out["label " + name] = text;
  for (const auto& [name, text] : rule.annotations) {
    const auto it = brought.find(name);
    if (it == brought.end() || it->second != text) out["annotation " + name] = text;
  }
  return out;
}

std::vector<FieldChange> differences(const Fields& before, const Fields& after) {
  std::map<std::string, FieldChange> all;
  for (const auto& [field, text] : before) all[field] = {field, text, ""};
  for (const auto& [field, text] : after) {
    all[field].field = field;
    all[field].after = text;
  }
  std::vector<FieldChange> out;
  for (auto& [field, change] : all) {
    if (change.before != change.after) out.push_back(std::move(change));
  }
  return out;
}

std::vector<Entry> entries_of(const RuleSet& rules) {
  std::vector<Entry> out;
  for (const Group& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      if (!rule.generated) out.push_back({&group, &rule});
    }
  }
  return out;
}

// The nearest kin first: the same rule by name; the same words elsewhere; the same name.
bool has_same_id(const Rule& a, const Rule& b) { return a.id == b.id; }
bool says_the_same(const Rule& a, const Rule& b) { return a.content_id == b.content_id; }
bool has_same_name(const Rule& a, const Rule& b) { return a.kind == b.kind && a.name == b.name; }

}  // namespace

std::vector<RuleChange> changes_between(const RuleSet& before, const RuleSet& after) {
  std::vector<Entry> old_entries = entries_of(before);
  std::vector<Entry> new_entries = entries_of(after);
  std::vector<const Entry*> partner(new_entries.size(), nullptr);
  for (const auto is_same : {has_same_id, says_the_same, has_same_name}) {
    for (std::size_t i = 0; i < new_entries.size(); ++i) {
      if (partner[i]) continue;
      const auto it = std::find_if(old_entries.begin(), old_entries.end(), [&](const Entry& old) {
        return !old.matched && is_same(*old.rule, *new_entries[i].rule);
      });
      if (it == old_entries.end()) continue;
      it->matched = true;
      partner[i] = &*it;
    }
  }
  std::vector<RuleChange> out;
  for (std::size_t i = 0; i < new_entries.size(); ++i) {
    const Entry& entry = new_entries[i];
    RuleChange change{
        RuleChange::Kind::Added, entry.group->name, entry.rule->name, entry.rule->place, {}};
    if (partner[i]) {
      change.kind = RuleChange::Kind::Changed;
      change.fields = differences(fields_of(*partner[i]), fields_of(entry));
      if (change.fields.empty()) continue;
    }
    out.push_back(std::move(change));
  }
  for (const Entry& entry : old_entries) {
    if (entry.matched) continue;
    out.push_back(
        {RuleChange::Kind::Removed, entry.group->name, entry.rule->name, entry.rule->place, {}});
  }
  return out;
}

}  // namespace tocsin::rule
