// SPDX-License-Identifier: Apache-2.0
#include "tocsin/labels.h"

#include <algorithm>
#include <cstring>
#include <new>

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

void append_label(const LabelView& label, std::string& out) {
  append_varint(label.name.size(), out);
  out += label.name;
  append_varint(label.value.size(), out);
  out += label.value;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& n) { return n.size() == name.size() && n == name; });
}

bool is_identifier(std::string_view name, bool colons) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colons && c == ':');
  });
}

// Of the character that `text` begins with; 0 if its bytes are none.
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80         ? 1
                             : lead >> 5 == 0x06 ? 2
                             : lead >> 4 == 0x0e ? 3
                             : lead >> 3 == 0x1e ? 4
                                                 : 0;
  if (length == 0 || length > text.size() || lead == 0xc0 || lead == 0xc1) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((static_cast<unsigned char>(text[k]) & 0xc0) != 0x80) return 0;
  }
  return length;
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

Labels Labels::pack(std::string_view bytes) {
  Labels out;
  if (bytes.empty()) return out;
  void* memory = ::operator new(sizeof(Packed) + bytes.size());
  const auto* packed = new (memory)
      Packed{{1}, static_cast<std::uint32_t>(bytes.size()), std::hash<std::string_view>()(bytes)};
  std::memcpy(static_cast<char*>(memory) + sizeof(Packed), bytes.data(), bytes.size());
  out.packed_ = packed;
  return out;
}

void Labels::release() const {
  if (!packed_ || packed_->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  packed_->~Packed();
  ::operator delete(const_cast<Packed*>(packed_));
}

std::string_view Labels::bytes() const {
  return packed_ ? std::string_view(packed_->bytes(), packed_->size) : std::string_view();
}

bool Labels::same_bytes(const Labels& other) const { return bytes() == other.bytes(); }

Labels::Iterator Labels::begin() const {
  const std::string_view all = bytes();
  return Iterator(all.data(), all.data() + all.size());
}

Labels::Iterator Labels::end() const {
  const std::string_view all = bytes();
  return Iterator(all.data() + all.size(), all.data() + all.size());
}

std::size_t Labels::size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

std::string_view Labels::get(std::string_view name) const {
  const std::string_view all = bytes();
  const char* at = all.data();
  const char* end = at + all.size();
  LabelView label;
  while (at != end) {
    at = read_text(read_text(at, label.name), label.value);
    if (label.name == name) return label.value;
  }
  return {};
}

Labels Labels::with(std::string_view name, std::string_view value) const {
  std::string out;
  out.reserve(bytes().size() + name.size() + value.size() + 4);
  bool placed = value.empty();
  for (const LabelView& label : *this) {
    if (!placed && name < label.name) {
      append_label({name, value}, out);
      placed = true;
    }
    if (label.name != name) append_label(label, out);
  }
  if (!placed) append_label({name, value}, out);
  return pack(out);
}

Labels Labels::joined(const Labels& other) const {
  std::string out;
  out.reserve(bytes().size() + other.bytes().size());
  auto a = begin();
  auto b = other.begin();
  const auto a_end = end();
  const auto b_end = other.end();
  while (a != a_end && b != b_end) {
    const int order = a->name.compare(b->name);
    append_label(order < 0 ? *a : *b, out);
    if (order <= 0) ++a;
    if (order >= 0) ++b;
  }
  for (; a != a_end; ++a) append_label(*a, out);
  for (; b != b_end; ++b) append_label(*b, out);
  return pack(out);
}

template <class Keeps>
void Labels::filter(Keeps keeps, std::string& out) const {
  out.clear();
  const std::string_view all = bytes();
  const char* const end = all.data() + all.size();
  for (const char* at = all.data(); at != end;) {
    LabelView label;
    const char* next = read_text(read_text(at, label.name), label.value);
    if (keeps(label.name)) out.append(at, next);
    at = next;
  }
}

void Labels::key_of_kept(const std::vector<std::string>& names, std::string& out) const {
  filter([&](std::string_view name) { return contains(names, name); }, out);
}

void Labels::key_of_rest(const std::vector<std::string>& names, std::string& out) const {
  filter([&](std::string_view name) { return !contains(names, name); }, out);
}

Labels Labels::pack_filtered(const std::string& filtered) const {
  return filtered.size() == bytes().size() ? *this : pack(filtered);
}

Labels Labels::keep_only(const std::vector<std::string>& names) const {
  std::string kept;
  key_of_kept(names, kept);
  return pack_filtered(kept);
}

Labels Labels::drop(const std::vector<std::string>& names) const {
  std::string kept;
  key_of_rest(names, kept);
  return pack_filtered(kept);
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
  for (const LabelView& label : base) set(label.name, label.value);
}

std::string_view LabelsBuilder::name_of(const Piece& piece) const {
  return {text_.data() + piece.name, piece.name_size};
}

std::string_view LabelsBuilder::value_of(const Piece& piece) const {
  return {text_.data() + piece.value, piece.value_size};
}

std::vector<LabelsBuilder::Piece>::const_iterator LabelsBuilder::find(std::string_view name) const {
  if (pieces_.empty() || name_of(pieces_.back()) < name) return pieces_.end();
  return std::lower_bound(
      pieces_.begin(), pieces_.end(), name,
      [&](const Piece& piece, std::string_view n) { return name_of(piece) < n; });
}

std::uint32_t LabelsBuilder::keep(std::string_view text) {
  const auto at = static_cast<std::uint32_t>(text_.size());
  text_ += text;
  return at;
}

LabelsBuilder& LabelsBuilder::set(std::string_view name, std::string_view value) {
  const auto is_own = [&](std::string_view text) {
    return text.data() >= text_.data() && text.data() < text_.data() + text_.size();
  };
  if (is_own(name) || is_own(value)) return set(std::string(name), std::string(value));
  const auto at = find(name);
  const bool found = at != pieces_.end() && name_of(*at) == name;
  if (value.empty()) {
    if (found) pieces_.erase(at);
    return *this;
  }
  const auto place = static_cast<std::size_t>(at - pieces_.begin());
  if (!found) {
    const Piece piece{keep(name), static_cast<std::uint32_t>(name.size()), 0, 0};
    pieces_.insert(at, piece);
  }
  pieces_[place].value = keep(value);
  pieces_[place].value_size = static_cast<std::uint32_t>(value.size());
  return *this;
}

std::string_view LabelsBuilder::get(std::string_view name) const {
  const auto at = find(name);
  return at != pieces_.end() && name_of(*at) == name ? value_of(*at) : std::string_view();
}

std::vector<std::pair<std::string, std::string>> LabelsBuilder::pairs() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Piece& piece : pieces_) out.emplace_back(name_of(piece), value_of(piece));
  return out;
}

void LabelsBuilder::clear() {
  text_.clear();
  pieces_.clear();
}

Labels LabelsBuilder::build() const {
  std::string out;
  out.reserve(text_.size() + 4 * pieces_.size());
  for (const Piece& piece : pieces_) append_label({name_of(piece), value_of(piece)}, out);
  return Labels::pack(out);
}

bool is_legacy_label_name(std::string_view name) { return is_identifier(name, false); }
bool is_legacy_metric_name(std::string_view name) { return is_identifier(name, true); }

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr std::string_view kEscaped = "\"\\\n\t\r";
  static constexpr std::string_view kLetters = "\"\\ntr";
  std::string out = "\"";
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    const std::size_t length = utf8_length(text);
    const std::size_t escape = kEscaped.find(text[0]);
    if (escape != std::string_view::npos) {
      out += {'\\', kLetters[escape]};
    } else if (length == 0 || byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + "\"";
}

}  // namespace tocsin
