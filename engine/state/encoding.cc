// SPDX-License-Identifier: Apache-2.0
#include "state/encoding.h"

#include <cstdint>
#include <optional>

namespace tocsin::state {
namespace {

constexpr std::size_t kLengthBytes = 4;

void append(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    out.push_back(static_cast<char>(text.size() >> (8 * i) & 0xff));
  }
  out += text;
}

// Takes the next text off `bytes`; nothing when it is cut short.
std::optional<std::string_view> take(std::string_view& bytes) {
  if (bytes.size() < kLengthBytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::size_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  bytes.remove_prefix(kLengthBytes);
  if (bytes.size() < length) return std::nullopt;
  const std::string_view text = bytes.substr(0, length);
  bytes.remove_prefix(length);
  return text;
}

// Calls `each(name, value)`; false when the bytes are not pairs.
template <class Each>
bool for_each_pair(std::string_view bytes, Each each) {
  while (!bytes.empty()) {
    const auto name = take(bytes);
    const auto value = name ? take(bytes) : std::nullopt;
    if (!value) return false;
    each(*name, *value);
  }
  return true;
}

}  // namespace

std::string encode(const Labels& labels) {
  std::string out;
  for (const LabelView& label : labels) {
    append(out, label.name);
    append(out, label.value);
  }
  return out;
}

std::string encode(const std::map<std::string, std::string>& texts) {
  std::string out;
  for (const auto& [name, text] : texts) {
    append(out, name);
    append(out, text);
  }
  return out;
}

Result<Labels> decode_labels(std::string_view bytes) {
  LabelsBuilder labels;
  const bool sound = for_each_pair(
      bytes, [&](std::string_view name, std::string_view value) { labels.set(name, value); });
  Labels decoded = labels.build();
  if (!sound || encode(decoded) != bytes) return fail(ErrorCode::Parse, "damaged labels");
  return decoded;
}

Result<std::map<std::string, std::string>> decode_texts(std::string_view bytes) {
  std::map<std::string, std::string> texts;
  const bool sound = for_each_pair(bytes, [&](std::string_view name, std::string_view text) {
    texts[std::string(name)] = text;
  });
  if (!sound || encode(texts) != bytes) return fail(ErrorCode::Parse, "damaged texts");
  return texts;
}

}  // namespace tocsin::state
