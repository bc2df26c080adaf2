// SPDX-License-Identifier: Apache-2.0
#include "daemon/file_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "daemon/revision.h"

namespace tocsin::daemon {
namespace fs = std::filesystem;
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(5);
// After the kernel has said something: more is about to happen.
constexpr Duration kLookSoon = std::chrono::milliseconds(200);
constexpr Duration kQuiet = std::chrono::seconds(1);
constexpr int kMostReadings = 5;

// The folders in which a change of `path` is seen: its own, and that of every symbolic link on the
// way to it.
void add_folders(const std::string& path, std::set<std::string>& out) {
  fs::path current = path;
  out.insert(current.parent_path().string());
  while (current.has_relative_path()) {
    std::error_code ignored;
    if (fs::is_symlink(current, ignored)) out.insert(current.parent_path().string());
    current = current.parent_path();
  }
}

}  // namespace

std::string fingerprint_files(const std::vector<std::string>& paths) {
  std::string out;
  for (const std::string& path : paths) {
    struct stat info {};
    out += path + "|";
    if (::stat(path.c_str(), &info) == 0) {
      out += std::to_string(info.st_ino) + "|" + std::to_string(info.st_size) + "|" +
             std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec);
    }
    out += "\n";
  }
  return out;
}

FileWatch::FileWatch(Parts parts)
    : parts_(std::move(parts)), folders_(parts_.loop, [this] { look_after(kLookSoon); }) {
  look_after(kLookEvery);
}

FileWatch::~FileWatch() {
  if (task_) parts_.loop.cancel(*task_);
}

bool FileWatch::read_still(const std::function<void()>& read) {
  for (int reading = 0; reading < kMostReadings; ++reading) {
    std::string before = fingerprint();
    read();
    if (fingerprint() != before) continue;
    note_read(std::move(before));
    return true;
  }
  return false;
}

void FileWatch::note_read(std::string fingerprint) {
  read_ = std::move(fingerprint);
  pending_.reset();
  watch_folders();
}

void FileWatch::watch_folders() {
  std::set<std::string> folders;
  for (const std::string& path : parts_.files()) add_folders(path, folders);
  folders_.watch(folders);
}

void FileWatch::look_after(Duration delay) {
  if (task_) parts_.loop.cancel(*task_);
  task_ = parts_.loop.after(delay, [this] {
    task_.reset();
    look();
  });
}

void FileWatch::look() {
  const std::vector<std::string> files = parts_.files();
  std::string now = fingerprint_files(files);
  const Timestamp at = parts_.clock.now();
  if (now == read_) {
    pending_.reset();
    return look_after(kLookEvery);
  }
  const bool is_moving = !pending_ || pending_->fingerprint != now ||
                         std::any_of(files.begin(), files.end(), is_being_checked_out);
  if (is_moving) pending_ = Pending{std::move(now), at};
  if (at - pending_->since < kQuiet) return look_after(kQuiet);
  look_after(kLookEvery);
  parts_.changed();
}

}  // namespace tocsin::daemon
