// SPDX-License-Identifier: Apache-2.0
//
// gzip, whole bodies at a time. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tocsin/result.h"

namespace tocsin::net {

std::string gzip(std::string_view bytes);

bool is_gzip(std::string_view bytes);

// Also several members one after another, as `cat a.gz b.gz` makes them. More than `limit` bytes
// out fail with Limit, damage with Parse.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit = std::size_t{1} << 30);

}  // namespace tocsin::net
