// SPDX-License-Identifier: Apache-2.0
//
// A chunk of an archive's file: records that were written at once, packed in zlib's form. Its head
// has the sizes and a checksum, so that one that was torn by the death of the process is known; and
// the newest time in it, so that a file's extent is known without unpacking it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::archive {

// More records than this are not put into one chunk; a head that says more is damaged.
inline constexpr std::size_t kMaxChunk = std::size_t{64} << 20;

std::string pack_chunk(std::string_view records, Timestamp newest);

struct ChunkHead {
  Timestamp newest;
  std::size_t size = 0;  // In the file, the head included.
};
// In so many bytes: packed size, unpacked size, checksum of the rest of the chunk, newest time; all
// little-endian.
inline constexpr std::size_t kHeadSize = 20;
// Of the chunk that `file` begins with, of which there are `size` bytes, but only the first need be
// at hand. Fails with Parse where there is none, or not all of it.
Result<ChunkHead> read_head(std::string_view file, std::size_t size);
inline Result<ChunkHead> read_head(std::string_view file) { return read_head(file, file.size()); }

// Replaces `records`, whose memory is used again. Fails with Parse when it is damaged.
Result<void> unpack_chunk(std::string_view file, std::string& records);

}  // namespace tocsin::archive
