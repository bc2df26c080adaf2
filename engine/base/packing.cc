// SPDX-License-Identifier: Apache-2.0
#include "base/packing.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

namespace tocsin {
namespace {

// Of 1 to 12. Pages compress well at any level, and somebody waits.
constexpr int kLevel = 1;
// No byte of deflate makes more.
constexpr std::size_t kMostOfByte = 1032;

struct Free {
  void operator()(libdeflate_compressor* packer) const { libdeflate_free_compressor(packer); }
  void operator()(libdeflate_decompressor* unpacker) const {
    libdeflate_free_decompressor(unpacker);
  }
};
using Packer = std::unique_ptr<libdeflate_compressor, Free>;
using Unpacker = std::unique_ptr<libdeflate_decompressor, Free>;

// gzip's and zlib's pairs of functions have these types.
using BoundOf = std::size_t (*)(libdeflate_compressor*, std::size_t);
using Compress = std::size_t (*)(libdeflate_compressor*, const void*, std::size_t, void*,
                                 std::size_t);

std::string pack(std::string_view bytes, BoundOf bound_of, Compress compress) {
  const Packer packer(libdeflate_alloc_compressor(kLevel));
  std::string out(bound_of(packer.get(), bytes.size()), '\0');
  out.resize(compress(packer.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

// What the last member says of its length, in its last four bytes, little-endian.
std::size_t claimed_size(std::string_view bytes) {
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4 && i < bytes.size(); ++i) {
    size = size << 8 | static_cast<std::uint8_t>(bytes[bytes.size() - 1 - i]);
  }
  return size;
}

}  // namespace

std::string gzip(std::string_view bytes) {
  return pack(bytes, libdeflate_gzip_compress_bound, libdeflate_gzip_compress);
}

bool is_gzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1f\x8b"; }

Result<std::string> gunzip(std::string_view bytes, std::size_t limit) {
  const Unpacker unpacker(libdeflate_alloc_decompressor());
  const std::size_t most = std::min(limit, bytes.size() * kMostOfByte);
  // Members before the last one say where they end only when they have been unpacked.
  std::string out(std::min(claimed_size(bytes), most), '\0');
  std::size_t filled = 0;
  do {
    std::size_t taken = 0;
    std::size_t made = 0;
    const libdeflate_result code =
        libdeflate_gzip_decompress_ex(unpacker.get(), bytes.data(), bytes.size(),
                                      out.data() + filled, out.size() - filled, &taken, &made);
    if (code == LIBDEFLATE_INSUFFICIENT_SPACE && out.size() < most) {
      out.resize(std::min(2 * out.size() + bytes.size(), most));
      continue;
    }
    if (code == LIBDEFLATE_INSUFFICIENT_SPACE) {
      return fail(ErrorCode::Limit, "gzip: more than " + std::to_string(limit) + " bytes");
    }
    if (code != LIBDEFLATE_SUCCESS) {
      return fail(ErrorCode::Parse, "gzip: the data is damaged or cut off");
    }
    filled += made;
    bytes.remove_prefix(taken);
  } while (!bytes.empty());
  out.resize(filled);
  return out;
}

std::string zlib_pack(std::string_view bytes) {
  return pack(bytes, libdeflate_zlib_compress_bound, libdeflate_zlib_compress);
}

Result<void> zlib_unpack(std::string_view packed, std::size_t size, std::string& out) {
  const Unpacker unpacker(libdeflate_alloc_decompressor());
  out.resize(size);
  // Without a place for the size that it made, another one than `size` is an error.
  const libdeflate_result code = libdeflate_zlib_decompress(
      unpacker.get(), packed.data(), packed.size(), out.data(), out.size(), nullptr);
  if (code != LIBDEFLATE_SUCCESS) return fail(ErrorCode::Parse, "zlib: the data is damaged");
  return {};
}

std::uint32_t crc32(std::string_view bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

}  // namespace tocsin
