// SPDX-License-Identifier: Apache-2.0
#include "archive/extent.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "archive/chunk.h"
#include "archive/reel.h"

namespace tocsin::archive {
namespace {

// A file of which only some bytes are read.
class FileParts {
 public:
  explicit FileParts(const std::string& path) : in_(path, std::ios::binary | std::ios::ate) {
    if (in_) size_ = static_cast<std::size_t>(in_.tellg());
  }

  bool is_open() const { return in_.is_open(); }
  std::size_t size() const { return size_; }
  // As many as there are of `count` bytes.
  std::string read(std::size_t at, std::size_t count) {
    std::string out(std::min(count, size_ - std::min(at, size_)), 0);
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(at));
    in_.read(out.data(), static_cast<std::streamsize>(out.size()));
    out.resize(static_cast<std::size_t>(in_.gcount()));
    return out;
  }

 private:
  std::ifstream in_;
  std::size_t size_ = 0;
};

// The time of a file's first record; nothing if there is none.
Result<Timestamp> oldest_in(FileParts& file) {
  const std::string head = file.read(0, kMagic.size() + kHeadSize);
  const auto chunk = read_head(std::string_view(head).substr(std::min(head.size(), kMagic.size())),
                               file.size() - std::min(file.size(), kMagic.size()));
  auto reel = Reel::open(file.read(0, kMagic.size() + (chunk ? chunk->size : 0)));
  if (!reel) return fail(reel.error());
  const Reel::Record* first = reel->next();
  return first ? first->at : Timestamp{};
}

// Of the last chunk that is whole.
Timestamp newest_in(FileParts& file, Timestamp oldest) {
  Timestamp newest = oldest;
  for (std::size_t at = kMagic.size(); at < file.size();) {
    const auto head = read_head(file.read(at, kHeadSize), file.size() - at);
    if (!head) break;
    newest = std::max(newest, head->newest);
    at += head->size;
  }
  return newest;
}

}  // namespace

Result<Extent> extent_of(const std::string& path) {
  FileParts file(path);
  if (!file.is_open()) return fail(ErrorCode::Io, std::strerror(errno));
  const auto oldest = oldest_in(file);
  if (!oldest) return fail(oldest.error());
  return Extent{*oldest, newest_in(file, *oldest)};
}

}  // namespace tocsin::archive
