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

const char* read_varint(const char* at, std::size_t& out) {
  out = 0;
  int shift = 0;
  for (;;) {
    const auto byte = static_cast<unsigned char>(*at++);
    out |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return at;
    shift += 7;
  }
}

const char* read_text(const char* at, std::string_view& out) {
  std::size_t length = 0;
  at = read_varint(at, length);
  out = {at, length};
  return at + length;
}

const char* read_label(const char* at, LabelView& out) {
  return read_text(read_text(at, out.name), out.value);
}

// The value of `name` among packed labels, where `placed` ones are each preceded by their place.
std::string_view find_value(std::string_view bytes, bool placed, std::string_view name) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  std::size_t place = 0;
  LabelView label;
  while (at != end) {
    if (placed) at = read_varint(at, place);
    at = read_label(at, label);
    if (label.name == name) return label.value;
  }
  return {};
}

// The sum of the labels' hashes, so that what is added to labels adds to it.
std::size_t hash_of(std::string_view labels) {
  std::size_t hash = 0;
  LabelView label;
  const char* const end = labels.data() + labels.size();
  for (const char* at = labels.data(); at != end;) {
    const char* const next = read_label(at, label);
    hash += std::hash<std::string_view>()({at, static_cast<std::size_t>(next - at)});
    at = next;
  }
  return hash;
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

Labels::Iterator::Iterator(const Packed* packed) {
  if (!packed) return;
  own_ = packed->bytes();
  if (packed->base) {
    shared_ = packed->base->bytes();
    read_place();
  }
  read();
}

void Labels::Iterator::read() {
  const bool is_shared = shared_.size() > place_;
  std::string_view& from = is_shared ? shared_ : own_;
  raw_ = {};
  if (from.empty()) return;
  const char* const end = read_label(from.data(), current_);
  raw_ = {from.data(), static_cast<std::size_t>(end - from.data())};
  from.remove_prefix(raw_.size());
  if (!is_shared && shared_.data()) read_place();
}

void Labels::Iterator::read_place() {
  place_ = 0;
  if (own_.empty()) return;
  const char* const label = read_varint(own_.data(), place_);
  own_.remove_prefix(static_cast<std::size_t>(label - own_.data()));
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
  if (bytes.empty()) return {};
  return pack(bytes, hash_of(bytes), nullptr);
}

Labels Labels::pack(std::string_view bytes, std::size_t hash, const Packed* base) {
  void* memory = ::operator new(sizeof(Packed) + bytes.size());
  Labels out;
  out.packed_ = new (memory) Packed{{1}, static_cast<std::uint32_t>(bytes.size()), hash, base};
  retain(base);
  std::memcpy(static_cast<char*>(memory) + sizeof(Packed), bytes.data(), bytes.size());
  return out;
}

void Labels::release(const Packed* packed) {
  if (!packed || packed->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  release(packed->base);
  packed->~Packed();
  ::operator delete(const_cast<Packed*>(packed));
}

// With the same base, the same labels are left.
bool Labels::same_bytes(const Labels& other) const {
  if (!packed_ || !other.packed_) return packed_ == other.packed_;
  if (packed_->base == other.packed_->base) return packed_->bytes() == other.packed_->bytes();
  Iterator ours(packed_);
  Iterator theirs(other.packed_);
  for (; ours.raw_ == theirs.raw_; ++ours, ++theirs) {
    if (ours.is_end()) return true;
  }
  return false;
}

std::size_t Labels::length() const {
  if (!packed_) return 0;
  return packed_->size + (packed_->base ? packed_->base->size : 0);
}

std::size_t Labels::byte_size() const {
  if (!packed_) return 0;
  std::size_t size = sizeof(Packed) + packed_->size;
  if (const Packed* base = packed_->base) {
    size += (sizeof(Packed) + base->size) / std::max(1U, base->owners.load());
  }
  return size;
}

Labels Labels::sharing(const Labels& base) const {
  const bool can_share = packed_ && base.packed_ && !packed_->base && !base.packed_->base;
  if (!can_share) return *this;
  std::string own;
  Iterator shared(base.packed_);
  std::size_t left = base.packed_->size;
  for (Iterator it(packed_); !it.is_end(); ++it) {
    if (it.raw_ == shared.raw_) {
      left -= shared.raw_.size();
      ++shared;
    } else {
      append_varint(left, own);
      own += it.raw_;
    }
  }
  return left > 0 ? *this : pack(own, packed_->hash, base.packed_);
}

Labels Labels::extended(const Labels& own) const {
  if (!packed_) return own;
  std::string bytes;
  bytes.reserve(own.length() + 2 * sizeof(std::uint32_t));
  Iterator shared(packed_);
  std::size_t left = packed_->size;
  for (Iterator it(own.packed_); !it.is_end(); ++it) {
    for (; !shared.is_end() && shared->name < it->name; ++shared) left -= shared.raw_.size();
    append_varint(left, bytes);
    bytes += it.raw_;
  }
  return pack(bytes, packed_->hash + own.quick_hash(), packed_);
}

Labels::Iterator Labels::begin() const { return Iterator(packed_); }
Labels::Iterator Labels::end() const { return {}; }

std::size_t Labels::size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

std::string_view Labels::get(std::string_view name) const {
  if (!packed_) return {};
  const auto own = find_value(packed_->bytes(), packed_->base != nullptr, name);
  return own.empty() && packed_->base ? find_value(packed_->base->bytes(), false, name) : own;
}

Labels Labels::with(std::string_view name, std::string_view value) const {
  std::string out;
  out.reserve(length() + name.size() + value.size() + 4);
  bool placed = value.empty();
  for (Iterator it(packed_); !it.is_end(); ++it) {
    if (!placed && name < it->name) {
      append_label({name, value}, out);
      placed = true;
    }
    if (it->name != name) out += it.raw_;
  }
  if (!placed) append_label({name, value}, out);
  return pack(out);
}

Labels Labels::joined(const Labels& other) const {
  std::string out;
  out.reserve(length() + other.length());
  Iterator a(packed_);
  Iterator b(other.packed_);
  while (!a.is_end() && !b.is_end()) {
    const int order = a->name.compare(b->name);
    out += order < 0 ? a.raw_ : b.raw_;
    if (order <= 0) ++a;
    if (order >= 0) ++b;
  }
  for (; !a.is_end(); ++a) out += a.raw_;
  for (; !b.is_end(); ++b) out += b.raw_;
  return pack(out);
}

template <class Keeps>
bool Labels::filter(Keeps keeps, std::string& out) const {
  out.clear();
  bool kept_all = true;
  for (Iterator it(packed_); !it.is_end(); ++it) {
    if (keeps(it->name)) {
      out += it.raw_;
    } else {
      kept_all = false;
    }
  }
  return kept_all;
}

bool Labels::key_of_kept(const std::vector<std::string>& names, std::string& out) const {
  return filter([&](std::string_view name) { return contains(names, name); }, out);
}

bool Labels::key_of_rest(const std::vector<std::string>& names, std::string& out) const {
  return filter([&](std::string_view name) { return !contains(names, name); }, out);
}

Labels Labels::keep_only(const std::vector<std::string>& names) const {
  std::string kept;
  return key_of_kept(names, kept) ? *this : pack(kept);
}

Labels Labels::drop(const std::vector<std::string>& names) const {
  std::string kept;
  return key_of_rest(names, kept) ? *this : pack(kept);
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
