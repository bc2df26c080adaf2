// SPDX-License-Identifier: Apache-2.0
#include "state/encoding.h"

#include <bit>
#include <cstdint>
#include <optional>

namespace tocsin::state {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kNumberBytes = 8;

void append_number(std::string& out, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(number >> (8 * i) & 0xff));
}

std::uint64_t number_at_start(std::string_view bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return number;
}

void append(std::string& out, std::string_view text) {
  append_number(out, text.size(), kLengthBytes);
  out += text;
}

// Takes the next text off `bytes`; nothing when it is cut short.
std::optional<std::string_view> take(std::string_view& bytes) {
  if (bytes.size() < kLengthBytes) return std::nullopt;
  const std::size_t length = number_at_start(bytes, kLengthBytes);
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

std::string encode(std::span<const double> numbers) {
  std::string out;
  for (const double number : numbers) {
    append_number(out, std::bit_cast<std::uint64_t>(number), kNumberBytes);
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

Result<std::vector<double>> decode_numbers(std::string_view bytes) {
  if (bytes.size() % kNumberBytes != 0) return fail(ErrorCode::Parse, "damaged numbers");
  std::vector<double> numbers;
  for (; !bytes.empty(); bytes.remove_prefix(kNumberBytes)) {
    numbers.push_back(std::bit_cast<double>(number_at_start(bytes, kNumberBytes)));
  }
  return numbers;
}

}  // namespace tocsin::state
