// SPDX-License-Identifier: Apache-2.0
#include "cli/git_files.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

extern char** environ;

namespace tocsin::cli {
namespace {

std::string read_all(int fd) {
  std::string out;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// What git prints. Its complaints go where ours go.
Result<std::string> git(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "git");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(ErrorCode::Io, std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, "git", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string out = error == 0 ? read_all(ends[0]) : "";
  ::close(ends[0]);
  if (error != 0) return fail(ErrorCode::Io, std::string("git: ") + std::strerror(error));
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) return fail(ErrorCode::NotFound, "git " + arguments[1] + " failed");
  return out;
}

}  // namespace

Result<std::vector<rule::SourceFile>> files_in_git(const std::string& revision,
                                                   const std::string& path) {
  // Names end with a zero, so that they may be anything else.
  const auto names =
      git({"ls-tree", "-r", "-z", "--name-only", "--end-of-options", revision, "--", path});
  if (!names) return fail(names.error());
  if (names->empty()) {
    return fail(ErrorCode::NotFound, "there is no " + path + " in " + revision);
  }
  std::vector<rule::SourceFile> out;
  for (std::size_t begin = 0; begin < names->size();) {
    const std::size_t end = names->find('\0', begin);
    const std::string name = names->substr(begin, end - begin);
    begin = end + 1;
    auto bytes = git({"show", "--end-of-options", revision + ":./" + name});
    if (!bytes) return fail(bytes.error());
    out.push_back({name, std::move(*bytes)});
  }
  return out;
}

}  // namespace tocsin::cli
