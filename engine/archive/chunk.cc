// SPDX-License-Identifier: Apache-2.0
#include "archive/chunk.h"

#include <zlib.h>

#include <cstdint>

namespace tocsin::archive {
namespace {

// Packed size, unpacked size, checksum of the rest of the chunk, newest time: all little-endian.
constexpr std::size_t kHead = 20;

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

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::string pack_chunk(std::string_view records, Timestamp newest) {
  uLongf size = compressBound(static_cast<uLong>(records.size()));
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(records.data()), static_cast<uLong>(records.size()),
            Z_BEST_SPEED);
  packed.resize(size);
  std::string out;
  put_fixed(out, packed.size(), 4);
  put_fixed(out, records.size(), 4);
  put_fixed(out, checksum(packed), 4);
  put_fixed(out, static_cast<std::uint64_t>(to_millis(newest)), 8);
  return out + packed;
}

Result<ChunkHead> read_head(std::string_view file) {
  if (file.size() < kHead) return fail(ErrorCode::Parse, "it ends in the middle");
  const std::uint64_t size = take_fixed(file, 0, 4);
  if (size > file.size() - kHead) return fail(ErrorCode::Parse, "it ends in the middle");
  return ChunkHead{from_millis(static_cast<std::int64_t>(take_fixed(file, 12, 8))), kHead + size};
}

Result<std::string> unpack_chunk(std::string_view file) {
  const auto head = read_head(file);
  if (!head) return fail(head.error());
  const std::string_view packed = file.substr(kHead, head->size - kHead);
  const std::uint64_t size = take_fixed(file, 4, 4);
  if (size > kMaxChunk || checksum(packed) != take_fixed(file, 8, 4)) {
    return fail(ErrorCode::Parse, "its checksum is wrong");
  }
  std::string out(size, '\0');
  auto unpacked = static_cast<uLongf>(size);
  const int status =
      uncompress(reinterpret_cast<Bytef*>(out.data()), &unpacked,
                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  if (status != Z_OK || unpacked != size) return fail(ErrorCode::Parse, "it cannot be unpacked");
  return out;
}

}  // namespace tocsin::archive
