// SPDX-License-Identifier: Apache-2.0
#include "cli/rule_source.h"

#include <algorithm>
#include <filesystem>

#include "alert/template.h"
#include "base/file.h"
#include "cli/git_files.h"
#include "rule/kubernetes.h"
#include "yaml/document.h"

namespace tocsin::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kGit = "git:";

bool is_yaml(const std::string& path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

// A broken file may be one of rules: it must not be read past.
bool may_have_rules(const rule::SourceFile& file) {
  Diagnostics syntax;
  const auto documents = yaml::Document::parse_all(file.path, file.bytes, syntax);
  return syntax.has_errors() || std::any_of(documents.begin(), documents.end(), rule::has_rules);
}

Result<std::vector<rule::SourceFile>> files_here(const std::string& source) {
  std::error_code ignored;
  std::vector<std::string> paths;
  if (fs::is_directory(source, ignored)) {
    paths = glob_files((fs::path(source) / "**/*").string());
    std::erase_if(paths, [](const std::string& path) { return !is_yaml(path); });
  } else {
    paths = glob_files(source);
  }
  std::vector<rule::SourceFile> out;
  for (const std::string& path : paths) {
    auto bytes = read_file(path);
    if (!bytes) return fail(bytes.error());
    out.push_back({path, std::move(*bytes)});
  }
  return out;
}

Result<std::vector<rule::SourceFile>> files_of(const std::string& source) {
  if (!source.starts_with(kGit)) return files_here(source);
  const std::size_t colon = source.find(':', kGit.size());
  if (colon == std::string::npos) {
    return fail(ErrorCode::InvalidArgument,
                source + ": write git:REVISION:PATH, like git:main:rules");
  }
  auto files =
      files_in_git(source.substr(kGit.size(), colon - kGit.size()), source.substr(colon + 1));
  if (files) {
    std::erase_if(*files, [](const rule::SourceFile& file) { return !is_yaml(file.path); });
  }
  return files;
}

}  // namespace

Result<std::vector<rule::SourceFile>> rule_files_from(const std::string& source) {
  auto files = files_of(source);
  if (!files) return fail(files.error());
  std::erase_if(*files, [](const rule::SourceFile& file) { return !may_have_rules(file); });
  return files;
}

Result<std::vector<rule::SourceFile>> rule_files_from(const std::vector<std::string>& sources) {
  std::vector<rule::SourceFile> out;
  for (const std::string& source : sources) {
    auto files = rule_files_from(source);
    if (!files) return fail(files.error());
    if (files->empty()) return fail(ErrorCode::NotFound, source + ": there is no rule file");
    for (rule::SourceFile& file : *files) {
      const bool is_there = std::any_of(out.begin(), out.end(),
                                        [&](const auto& one) { return one.path == file.path; });
      if (!is_there) out.push_back(std::move(file));
    }
  }
  return out;
}

rule::Loaded load_rules(const std::vector<rule::SourceFile>& files) {
  return rule::load(files, {rule::Memory::Recorded, alert::read_template});
}

}  // namespace tocsin::cli
