// SPDX-License-Identifier: Apache-2.0
#include "replay/answer_cache.h"

#include <array>
#include <cstdio>
#include <filesystem>

#include "archive/chunk.h"
#include "base/file.h"
#include "base/hash.h"

namespace tocsin::replay {
namespace fs = std::filesystem;
namespace {

// A chunk holds no more than this of a file's content.
constexpr std::size_t kPiece = archive::kMaxChunk / 2;

std::string head_of(std::string_view question) {
  return std::to_string(question.size()) + "\n" + std::string(question);
}

}  // namespace

Result<AnswerCache> AnswerCache::open(std::string folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::Io, folder + ": " + error.message());
  return AnswerCache(std::move(folder));
}

// The same from run to run. What a file is about stands in it, too.
std::string AnswerCache::path_of(std::string_view question) const {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%016llx.answer",
                static_cast<unsigned long long>(hash_bytes(question)));
  return (fs::path(folder_) / name.data()).string();
}

std::optional<std::string> AnswerCache::find(std::string_view question) const {
  const auto file = read_file(path_of(question));
  if (!file) return std::nullopt;
  std::string content;
  std::string piece;
  for (std::string_view rest = *file; !rest.empty();) {
    const auto head = archive::read_head(rest);
    if (!head || !archive::unpack_chunk(rest, piece)) return std::nullopt;
    content += piece;
    rest.remove_prefix(head->size);
  }
  const std::string head = head_of(question);
  if (!content.starts_with(head)) return std::nullopt;
  return content.substr(head.size());
}

Result<void> AnswerCache::keep(std::string_view question, std::string_view answer) const {
  const std::string content = head_of(question) + std::string(answer);
  std::string file;
  for (std::string_view rest = content; !rest.empty();) {
    const std::string_view piece = rest.substr(0, kPiece);
    file += archive::pack_chunk(piece, Timestamp{});
    rest.remove_prefix(piece.size());
  }
  return write_file(path_of(question), file);
}

}  // namespace tocsin::replay
