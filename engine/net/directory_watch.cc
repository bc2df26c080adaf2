// SPDX-License-Identifier: Apache-2.0
#include "net/directory_watch.h"

#include <sys/inotify.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

#include "net/loop_native.h"

namespace tocsin::net {
namespace {

constexpr std::uint32_t kEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                  IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

class DirectoryWatch::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Loop& loop, std::function<void()> changed)
      : io_(loop.native().io), changed_(std::move(changed)) {}

  // A new descriptor forgets the watches of the old one, which may be of directories that have been
  // swapped for others of the same name.
  void watch(const std::set<std::string>& directories) {
    close();
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return;
    for (const std::string& directory : directories) {
      ::inotify_add_watch(fd, directory.empty() ? "." : directory.c_str(), kEvents);
    }
    events_.emplace(io_, fd);
    read();
  }

  void close() { events_.reset(); }

 private:
  void read() {
    events_->async_read_some(
        boost::asio::buffer(bytes_),
        [self = shared_from_this(), of = ++reading_](boost::system::error_code error, std::size_t) {
          if (error || of != self->reading_ || !self->events_) return;
          self->read();
          self->changed_();
        });
  }

  boost::asio::io_context& io_;
  const std::function<void()> changed_;
  std::optional<boost::asio::posix::stream_descriptor> events_;
  std::uint64_t reading_ = 0;  // Which read is the current one.
  // What the events say is of no interest.
  std::array<char, 16384> bytes_{};
};

DirectoryWatch::DirectoryWatch(Loop& loop, std::function<void()> changed)
    : impl_(std::make_shared<Impl>(loop, std::move(changed))) {}
DirectoryWatch::~DirectoryWatch() { impl_->close(); }

void DirectoryWatch::watch(const std::set<std::string>& directories) { impl_->watch(directories); }

}  // namespace tocsin::net
