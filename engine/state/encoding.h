// SPDX-License-Identifier: Apache-2.0
//
// Names and texts as bytes: each text behind its length (four bytes, little end first), nothing
// else. The same labels are always the same bytes. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::state {

std::string encode(const Labels& labels);
std::string encode(const std::map<std::string, std::string>& texts);

// Fail with Parse on bytes that encode() does not write.
Result<Labels> decode_labels(std::string_view bytes);
Result<std::map<std::string, std::string>> decode_texts(std::string_view bytes);

}  // namespace tocsin::state
