// SPDX-License-Identifier: Apache-2.0
#include "yaml/mapping.h"

#include <algorithm>

#include "yaml/schema.h"

namespace tocsin::yaml {
namespace {

// "a", "a or b", "a, b or c".
std::string alternatives(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string best = nearest(word, candidates);
  return best.empty() ? std::string() : "did you mean '" + best + "'?";
}

}  // namespace

void Reporter::error(const Node& node, std::string_view code, std::string message,
                     std::string hint) {
  Diagnostic d = node.diagnostic();
  d.code = this->code(code);
  d.message = std::move(message);
  d.hint = std::move(hint);
  add(std::move(d));
}

void Reporter::warning(const Node& node, std::string_view code, std::string message,
                       std::string hint) {
  Diagnostic d = node.diagnostic();
  d.severity = Severity::Warning;
  d.code = this->code(code);
  d.message = std::move(message);
  d.hint = std::move(hint);
  add(std::move(d));
}

void Reporter::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::Error) ++errors_;
  for (auto context = contexts_.rbegin(); context != contexts_.rend(); ++context) {
    diagnostic.context += (diagnostic.context.empty() ? "" : ", ") + *context;
  }
  out_.add(std::move(diagnostic));
}

Mapping::Mapping(const Node& node, Reporter& report, std::string name)
    : node_(node), report_(report), name_(std::move(name)), entries_(node.entries()) {
  if (!node.is_mapping()) {
    report_.error(node, "type", name_ + " must be a mapping, is " + std::string(node.kind_text()));
  }
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const bool seen = std::any_of(entries_.begin(), entry, [&](const Node::Entry& earlier) {
      return earlier.key.text() == entry->key.text();
    });
    if (seen) {
      report_.error(entry->key, "duplicate-key", "'" + entry->key.text() + "' is written twice");
    }
  }
}

Node Mapping::find(std::string_view key) {
  if (schema_ && schema_->find(key) == nullptr) note(key, Shape::Any);
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  for (const Node::Entry& entry : entries_) {
    if (entry.key.text() == key) return entry.value;
  }
  return {};
}

void Mapping::declare_one_of(std::vector<std::string> keys) {
  if (schema_) schema_->one_of.push_back(std::move(keys));
}

bool Mapping::note(std::string_view key, Shape shape, std::vector<std::string> words) {
  Schema& property = schema_->property(key);
  property.shape = shape;
  property.words = std::move(words);
  return true;
}

bool Mapping::note_required(std::string_view key) {
  schema_->property(key).required = true;
  return true;
}

Schema* Mapping::note_object(std::string_view key, Shape shape, const void* tag) {
  Schema& property = schema_->property(key);
  property.shape = shape;
  property.tag = tag;
  for (Schema* above = schema_; above != nullptr; above = above->parent) {
    if (above->tag != tag) continue;
    property.shape = Shape::Above;
    property.same = above;
    return nullptr;
  }
  return &property;
}

void Mapping::missing(std::string_view key) {
  if (ok()) report_.error(node_, "missing-key", "'" + std::string(key) + "' is missing");
}

void Mapping::error(std::string_view key, std::string message, std::string hint) {
  if (schema_) return;
  const Node value = find(key);
  report_.error(value.is_null() ? node_ : value, "invalid", std::move(message), std::move(hint));
}

void Mapping::error_here(std::string message, std::string hint) {
  if (schema_) return;
  report_.error(node_, "invalid", std::move(message), std::move(hint));
}

void Mapping::finish() {
  for (const Node::Entry& entry : entries_) {
    const std::string& key = entry.key.text();
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    std::string hint = did_you_mean(key, known_);
    if (hint.empty()) hint = "known here: " + alternatives(known_);
    report_.error(entry.key, "unknown-key", "unknown key '" + key + "'", std::move(hint));
  }
}

std::optional<std::size_t> Mapping::choose(std::string_view key,
                                           const std::vector<std::string>& words) {
  const Node value = find(key);
  std::string text;
  if (value.is_null() || !convert(value, key, report_, text)) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  error(key, "'" + std::string(key) + "' must be " + alternatives(words) + ", is '" + text + "'",
        did_you_mean(text, words));
  return std::nullopt;
}

}  // namespace tocsin::yaml
