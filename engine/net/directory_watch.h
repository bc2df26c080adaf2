// SPDX-License-Identifier: Apache-2.0
//
// DirectoryWatch hears from the kernel (inotify) that something in a directory was made, changed,
// renamed or removed. It says that, not what: look for yourself. It hears nothing of network file
// systems and nothing below the directory, so whoever relies on it looks now and then as well.
//
// Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "net/loop.h"

namespace tocsin::net {

class DirectoryWatch {
 public:
  // `changed` is called on the loop, once for all that has happened since the call before.
  DirectoryWatch(Loop& loop, std::function<void()> changed);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Watches these from now on and no others. Those that are not there, or for which the kernel has
  // no room, are left out.
  void watch(const std::set<std::string>& directories);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::net
