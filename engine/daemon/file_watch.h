// SPDX-License-Identifier: Apache-2.0
//
// FileWatch notices that files have changed, and waits until they keep still: rules that are half
// written, or half checked out, are never loaded. It hears from the kernel that something happens
// and looks every few seconds as well, at size, time of change and inode. So it works for files
// that are edited, that come and go, and that are swapped behind a symbolic link, as those of a
// ConfigMap and of git-sync are.
//
// Loop thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/directory_watch.h"
#include "net/loop.h"
#include "tocsin/clock.h"

namespace tocsin::daemon {

// A text that differs when any of the files does. Files that do not exist count too.
std::string fingerprint_files(const std::vector<std::string>& paths);

class FileWatch {
 public:
  struct Parts {
    const Clock& clock;
    net::Loop& loop;
    // The files to watch, as of now: patterns may match others than before.
    std::function<std::vector<std::string>()> files;
    // They are others than those that were noted, and have kept still for a second.
    std::function<void()> changed;
  };
  explicit FileWatch(Parts parts);
  ~FileWatch();

  std::string fingerprint() const { return fingerprint_files(parts_.files()); }

  // Calls `read` until the files keep still meanwhile, a few times at most: what is read while
  // files change may be half of the old and half of the new. Whether they kept still; they are
  // noted then.
  bool read_still(const std::function<void()>& read);

  // The files were read when they had this fingerprint.
  void note_read(std::string fingerprint);

 private:
  void look();
  void look_after(Duration delay);
  void watch_folders();

  const Parts parts_;
  net::DirectoryWatch folders_;
  std::string read_;
  // What they are now, and since when; nothing while they are as they were read.
  struct Pending {
    std::string fingerprint;
    Timestamp since;
  };
  std::optional<Pending> pending_;
  std::optional<Scheduler::TaskId> task_;
};

}  // namespace tocsin::daemon
