// SPDX-License-Identifier: Apache-2.0
#include "source/relabel.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tocsin::source {
namespace {

using Action = RelabelAction;

constexpr std::array<std::string_view, 11> kActionNames = {
    "replace",  "keep",      "drop",      "keepequal", "dropequal", "hashmod",
    "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};

bool is_one_of(Action action, std::initializer_list<Action> actions) {
  return std::find(actions.begin(), actions.end(), action) != actions.end();
}

bool has_reference(std::string_view text) { return text.find('$') != std::string_view::npos; }

// Prometheus 3: any UTF-8 makes a label name.
bool is_label_name(std::string_view name) { return !name.empty() && is_valid_utf8(name); }

std::string join_values(const RelabelConfig& config, const LabelsBuilder& labels) {
  std::string out;
  for (std::size_t i = 0; i < config.source_labels.size(); ++i) {
    if (i > 0) out += config.separator;
    out += labels.get(config.source_labels[i]);
  }
  return out;
}

// Differs from Prometheus: only ASCII letters change their case.
std::string in_case(std::string text, int (*change)(int)) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [change](unsigned char c) { return static_cast<char>(change(c)); });
  return text;
}

// The last eight bytes of the MD5, modulo `modulus`.
std::uint64_t hash_mod(std::string_view text, std::uint64_t modulus) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_md5(), nullptr);
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8 | digest[i];
  return number % modulus;
}

void replace(const RelabelConfig& config, const Regex& regex, const std::string& value,
             LabelsBuilder& labels) {
  const auto target = regex.expand(value, config.target_label);
  if (!target || !is_label_name(*target)) return;
  labels.set(*target, *regex.expand(value, config.replacement));
}

void map_names(const RelabelConfig& config, const Regex& regex, LabelsBuilder& labels) {
  for (const auto& [name, value] : labels.pairs()) {
    if (const auto target = regex.expand(name, config.replacement)) labels.set(*target, value);
  }
}

enum class Matching { Stay, Go };

void drop_names(const Regex& regex, Matching matching, LabelsBuilder& labels) {
  for (const auto& [name, value] : labels.pairs()) {
    if (regex.matches(name) == (matching == Matching::Go)) labels.remove(name);
  }
}

std::string action_problem(const RelabelConfig& config, std::string_view what) {
  return std::string(relabel_action_name(config.action)) + " action requires only " +
         std::string(what) + ", and no other fields";
}

std::string invalid(const RelabelConfig& config, std::string_view value, std::string_view key) {
  return quote(value) + " is invalid '" + std::string(key) + "' for " +
         std::string(relabel_action_name(config.action)) + " action";
}

}  // namespace

std::optional<RelabelAction> parse_relabel_action(std::string_view word) {
  const std::string lower = in_case(std::string(word), std::tolower);
  const auto it = std::find(kActionNames.begin(), kActionNames.end(), lower);
  if (it == kActionNames.end()) return std::nullopt;
  return static_cast<Action>(it - kActionNames.begin());
}

std::string_view relabel_action_name(RelabelAction action) {
  return kActionNames[static_cast<std::size_t>(action)];
}

std::vector<std::string> relabel_action_names() {
  return {kActionNames.begin(), kActionNames.end()};
}

std::optional<std::string> relabel_problem(const RelabelConfig& config) {
  const RelabelConfig defaults;
  const std::string action(relabel_action_name(config.action));
  const bool fixed_target = is_one_of(
      config.action, {Action::KeepEqual, Action::DropEqual, Action::Lowercase, Action::Uppercase});
  const bool needs_target =
      fixed_target || is_one_of(config.action, {Action::Replace, Action::HashMod});

  if (config.action == Action::HashMod && config.modulus == 0) {
    return "relabel configuration for hashmod requires non-zero modulus";
  }
  if (needs_target && config.target_label.empty()) {
    return "relabel configuration for " + action + " action requires 'target_label' value";
  }
  if (needs_target && !is_label_name(config.target_label)) {
    return invalid(config, config.target_label, "target_label");
  }
  if (is_one_of(config.action, {Action::KeepEqual, Action::DropEqual}) &&
      (config.regex != defaults.regex || config.modulus != 0 ||
       config.separator != defaults.separator || config.replacement != defaults.replacement)) {
    return action_problem(config, "'source_labels' and 'target_label'");
  }
  if (fixed_target && config.replacement != defaults.replacement) {
    return "'replacement' can not be set for " + action + " action";
  }
  if (config.action == Action::LabelMap && !is_label_name(config.replacement)) {
    return invalid(config, config.replacement, "replacement");
  }
  if (is_one_of(config.action, {Action::LabelDrop, Action::LabelKeep}) &&
      (!config.source_labels.empty() || !config.target_label.empty() || config.modulus != 0 ||
       config.separator != defaults.separator || config.replacement != defaults.replacement)) {
    return action_problem(config, "'regex'");
  }
  if (const auto regex = Regex::compile(config.regex); !regex) return regex.error().message;
  return std::nullopt;
}

Result<Relabeler> Relabeler::compile(const std::vector<RelabelConfig>& configs) {
  Relabeler relabeler;
  for (const RelabelConfig& config : configs) {
    if (auto problem = relabel_problem(config)) {
      return fail(ErrorCode::InvalidArgument, std::move(*problem));
    }
    relabeler.steps_.push_back({config, *Regex::compile(config.regex)});
  }
  return relabeler;
}

std::optional<Labels> Relabeler::apply(const Labels& labels) const {
  if (steps_.empty()) return labels;
  LabelsBuilder builder(labels);
  for (const Step& step : steps_) {
    if (!apply_step(step, builder)) return std::nullopt;
  }
  return builder.build();
}

bool Relabeler::apply_step(const Step& step, LabelsBuilder& labels) {
  const RelabelConfig& config = step.config;
  const std::string value = join_values(config, labels);
  switch (config.action) {
    case Action::Keep:
      return step.regex.matches(value);
    case Action::Drop:
      return !step.regex.matches(value);
    case Action::KeepEqual:
      return labels.get(config.target_label) == value;
    case Action::DropEqual:
      return labels.get(config.target_label) != value;
    case Action::Replace:
      replace(config, step.regex, value, labels);
      break;
    case Action::Lowercase:
      labels.set(config.target_label, in_case(value, std::tolower));
      break;
    case Action::Uppercase:
      labels.set(config.target_label, in_case(value, std::toupper));
      break;
    case Action::HashMod:
      labels.set(config.target_label, std::to_string(hash_mod(value, config.modulus)));
      break;
    case Action::LabelMap:
      map_names(config, step.regex, labels);
      break;
    case Action::LabelDrop:
      drop_names(step.regex, Matching::Go, labels);
      break;
    case Action::LabelKeep:
      drop_names(step.regex, Matching::Stay, labels);
      break;
  }
  return true;
}

bool Relabeler::may_rename_metric() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) {
    const RelabelConfig& config = step.config;
    if (config.action == Action::LabelMap) {
      return has_reference(config.replacement) || config.replacement == kMetricName;
    }
    return config.target_label == kMetricName || has_reference(config.target_label);
  });
}

}  // namespace tocsin::source
