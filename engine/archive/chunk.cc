// SPDX-License-Identifier: Apache-2.0
#include "archive/chunk.h"

#include <cstdint>

#include "base/packing.h"

namespace tocsin::archive {
namespace {

void put_fixed(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8) {
    out.push_back(static_cast<char>(value & 0xff));
  }
}

std::uint64_t take_fixed(std::string_view from, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) {
    value = value << 8 | static_cast<std::uint8_t>(from[at + i]);
  }
  return value;
}

}  // namespace

std::string pack_chunk(std::string_view records, Timestamp newest) {
  const std::string packed = zlib_pack(records);
  std::string out;
  put_fixed(out, packed.size(), 4);
  put_fixed(out, records.size(), 4);
  put_fixed(out, crc32(packed), 4);
  put_fixed(out, static_cast<std::uint64_t>(to_millis(newest)), 8);
  return out + packed;
}

Result<ChunkHead> read_head(std::string_view file, std::size_t size) {
  if (file.size() < kHeadSize) return fail(ErrorCode::Parse, "it ends in the middle");
  const std::uint64_t packed = take_fixed(file, 0, 4);
  if (packed > size - kHeadSize) return fail(ErrorCode::Parse, "it ends in the middle");
  return ChunkHead{from_millis(static_cast<std::int64_t>(take_fixed(file, 12, 8))),
                   kHeadSize + packed};
}

Result<void> unpack_chunk(std::string_view file, std::string& records) {
  const auto head = read_head(file);
  if (!head) return fail(head.error());
  const std::string_view packed = file.substr(kHeadSize, head->size - kHeadSize);
  const std::uint64_t size = take_fixed(file, 4, 4);
  if (size > kMaxChunk || crc32(packed) != take_fixed(file, 8, 4)) {
    return fail(ErrorCode::Parse, "its checksum is wrong");
  }
  if (!zlib_unpack(packed, size, records)) return fail(ErrorCode::Parse, "it cannot be unpacked");
  return {};
}

}  // namespace tocsin::archive
