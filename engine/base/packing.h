// SPDX-License-Identifier: Apache-2.0
//
// Packing, whole texts at a time: gzip as HTTP and files have it, and zlib's own form. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tocsin/result.h"

namespace tocsin {

std::string gzip(std::string_view bytes);

bool is_gzip(std::string_view bytes);

// Also several members one after another, as `cat a.gz b.gz` makes them. More than `limit` bytes
// out fail with Limit, damage with Parse. No more is allocated than `bytes` can hold.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit = std::size_t{1} << 30);

// RFC 1950, which does not say how long the text is: whoever unpacks it must know.
std::string zlib_pack(std::string_view bytes);
// Replaces `out`, whose memory is used again. Fails with Parse where it is not of `size` bytes.
Result<void> zlib_unpack(std::string_view packed, std::size_t size, std::string& out);

std::uint32_t crc32(std::string_view bytes);

}  // namespace tocsin
