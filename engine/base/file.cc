// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace tocsin {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLeastRead = std::size_t{64} << 10;

bool has_wildcard(const std::string& pattern) {
  return pattern.find_first_of("*?[") != std::string::npos;
}

std::vector<std::string> glob_once(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> out;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return out;
}

// The files below `root` whose path relative to it matches `rest` at any depth.
std::vector<std::string> glob_deep(const std::string& root, const std::string& rest) {
  std::vector<std::string> out;
  std::error_code ignored;
  const fs::path start = root.empty() ? "." : root;
  for (auto it = fs::recursive_directory_iterator(start, ignored);
       it != fs::recursive_directory_iterator(); it.increment(ignored)) {
    if (!it->is_regular_file(ignored)) continue;
    const std::string relative = fs::relative(it->path(), start, ignored).generic_string();
    const std::string name = it->path().filename().string();
    if (::fnmatch(rest.c_str(), name.c_str(), 0) == 0 ||
        ::fnmatch(rest.c_str(), relative.c_str(), 0) == 0) {
      out.push_back((root.empty() ? fs::path(relative) : fs::path(root) / relative).string());
    }
  }
  return out;
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  if (path == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
  }
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return fail(ErrorCode::Io, path + ": is a directory");
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::Io, path + ": " + std::strerror(errno));
  // Of what is no plain file, and of what grows meanwhile, the size is not known before its end.
  const std::uintmax_t expected = fs::file_size(path, ignored);
  std::string bytes;
  std::size_t size = 0;
  while (in) {
    bytes.resize(std::max({kLeastRead, 2 * size, ignored ? 0 : expected + 1}));
    in.read(bytes.data() + size, static_cast<std::streamsize>(bytes.size() - size));
    size += static_cast<std::size_t>(in.gcount());
  }
  if (in.bad()) return fail(ErrorCode::Io, path + ": " + std::strerror(errno));
  bytes.resize(size);
  return bytes;
}

Result<void> write_file(const std::string& path, const std::string& bytes) {
  const std::string temporary = path + ".tmp";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << bytes;
    out.flush();
    if (!out) return fail(ErrorCode::Io, temporary + ": " + std::strerror(errno));
  }
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) return fail(ErrorCode::Io, path + ": " + error.message());
  return {};
}

std::vector<std::string> glob_files(const std::string& pattern) {
  if (!has_wildcard(pattern)) return {pattern};
  const std::size_t deep = pattern.find("**/");
  std::vector<std::string> out =
      deep == std::string::npos
          ? glob_once(pattern)
          : glob_deep(deep == 0 ? "" : pattern.substr(0, deep - 1), pattern.substr(deep + 3));
  std::sort(out.begin(), out.end());
  return out;
}

std::string resolve_beside(const std::string& base_file, const std::string& path) {
  if (path.empty() || fs::path(path).is_absolute()) return path;
  return (fs::path(base_file).parent_path() / path).string();
}

}  // namespace tocsin
