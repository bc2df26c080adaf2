// SPDX-License-Identifier: Apache-2.0
//
// Names, texts and numbers as bytes: each text behind its length (four bytes, little end first),
// each number as the eight bytes of a double, little end first; nothing else. The same labels are
// always the same bytes. Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::state {

std::string encode(const Labels& labels);
std::string encode(const std::map<std::string, std::string>& texts);
std::string encode(std::span<const double> numbers);

// Fail with Parse on bytes that encode() does not write.
Result<Labels> decode_labels(std::string_view bytes);
Result<std::map<std::string, std::string>> decode_texts(std::string_view bytes);
Result<std::vector<double>> decode_numbers(std::string_view bytes);

}  // namespace tocsin::state
