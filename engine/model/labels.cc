// SPDX-License-Identifier: Apache-2.0
#include "tocsin/labels.h"

#include <algorithm>

#include "base/hash.h"

namespace tocsin {
namespace {

void append_varint(std::size_t n, std::string& out) {
  while (n >= 0x80) {
    out += static_cast<char>(n | 0x80);
    n >>= 7;
  }
  out += static_cast<char>(n);
}

const char* read_text(const char* at, std::string_view& out) {
  std::size_t length = 0;
  int shift = 0;
  for (;;) {
    const auto byte = static_cast<unsigned char>(*at++);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
    shift += 7;
  }
  out = {at, length};
  return at + length;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_identifier(std::string_view name, bool colons) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colons && c == ':');
  });
}

}  // namespace

void Labels::Iterator::read() {
  at_ = next_;
  if (at_ == end_) return;
  next_ = read_text(read_text(at_, current_.name), current_.value);
}

Labels::Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  LabelsBuilder builder;
  for (const auto& [name, value] : pairs) builder.set(name, value);
  *this = builder.build();
}

Labels::Labels(std::vector<std::pair<std::string, std::string>> pairs) {
  LabelsBuilder builder;
  for (const auto& [name, value] : pairs) builder.set(name, value);
  *this = builder.build();
}

void Labels::push_back(std::string_view name, std::string_view value) {
  append_varint(name.size(), packed_);
  packed_ += name;
  append_varint(value.size(), packed_);
  packed_ += value;
}

Labels::Iterator Labels::begin() const {
  return Iterator(packed_.data(), packed_.data() + packed_.size());
}

Labels::Iterator Labels::end() const {
  const char* end = packed_.data() + packed_.size();
  return Iterator(end, end);
}

std::size_t Labels::size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

std::string_view Labels::get(std::string_view name) const {
  const char* at = packed_.data();
  const char* end = at + packed_.size();
  LabelView label;
  while (at != end) {
    at = read_text(read_text(at, label.name), label.value);
    if (label.name == name) return label.value;
  }
  return {};
}

Labels Labels::with(std::string_view name, std::string_view value) const {
  Labels out;
  out.packed_.reserve(packed_.size() + name.size() + value.size() + 4);
  bool placed = value.empty();
  for (const LabelView& label : *this) {
    if (!placed && name < label.name) {
      out.push_back(name, value);
      placed = true;
    }
    if (label.name != name) out.push_back(label.name, label.value);
  }
  if (!placed) out.push_back(name, value);
  return out;
}

Labels Labels::keep_only(const std::vector<std::string>& names) const {
  Labels out;
  for (const LabelView& label : *this) {
    if (contains(names, label.name)) out.push_back(label.name, label.value);
  }
  return out;
}

Labels Labels::drop(const std::vector<std::string>& names) const {
  Labels out;
  for (const LabelView& label : *this) {
    if (!contains(names, label.name)) out.push_back(label.name, label.value);
  }
  return out;
}

std::string Labels::text() const {
  const std::string_view metric = metric_name();
  const bool bare = is_legacy_metric_name(metric);
  std::string out(bare ? metric : std::string_view());
  std::string inner;
  if (!bare && !metric.empty()) inner = quote(metric);
  for (const LabelView& label : *this) {
    if (label.name == kMetricName) continue;
    if (!inner.empty()) inner += ", ";
    inner += is_legacy_label_name(label.name) ? std::string(label.name) : quote(label.name);
    inner += "=" + quote(label.value);
  }
  if (!inner.empty() || out.empty()) out += "{" + inner + "}";
  return out;
}

std::uint64_t Labels::hash() const {
  std::uint64_t hash = kHashSeed;
  for (const LabelView& label : *this) {
    hash = hash_bytes("\xff", hash_bytes(label.name, hash));
    hash = hash_bytes("\xff", hash_bytes(label.value, hash));
  }
  return hash;
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
  auto a = begin();
  auto b = other.begin();
  for (; a != end() && b != other.end(); ++a, ++b) {
    if (const int by_name = a->name.compare(b->name)) return by_name <=> 0;
    if (const int by_value = a->value.compare(b->value)) return by_value <=> 0;
  }
  return (a != end()) <=> (b != other.end());
}

LabelsBuilder::LabelsBuilder(const Labels& base) {
  for (const LabelView& label : base) pairs_.emplace_back(label.name, label.value);
}

LabelsBuilder& LabelsBuilder::set(std::string_view name, std::string_view value) {
  auto at = std::lower_bound(pairs_.begin(), pairs_.end(), name,
                             [](const auto& pair, std::string_view n) { return pair.first < n; });
  const bool found = at != pairs_.end() && at->first == name;
  if (value.empty()) {
    if (found) pairs_.erase(at);
  } else if (found) {
    at->second = std::string(value);
  } else {
    pairs_.emplace(at, name, value);
  }
  return *this;
}

std::string_view LabelsBuilder::get(std::string_view name) const {
  for (const auto& pair : pairs_) {
    if (pair.first == name) return pair.second;
  }
  return {};
}

Labels LabelsBuilder::build() const {
  Labels out;
  for (const auto& [name, value] : pairs_) out.push_back(name, value);
  return out;
}

bool is_legacy_label_name(std::string_view name) { return is_identifier(name, false); }
bool is_legacy_metric_name(std::string_view name) { return is_identifier(name, true); }

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80         ? 1
                               : lead >> 5 == 0x06 ? 2
                               : lead >> 4 == 0x0e ? 3
                               : lead >> 3 == 0x1e ? 4
                                                   : 0;
    if (length == 0 || i + length > text.size() || lead == 0xc0 || lead == 0xc1) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

std::string quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          out += "\\x";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

}  // namespace tocsin
