// SPDX-License-Identifier: Apache-2.0
#include "source/discovery.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/file.h"
#include "base/log.h"

namespace tocsin::source {
namespace {

// How soon a changed file is noticed, whatever refresh_interval says.
constexpr Duration kLookInterval = std::chrono::seconds(5);

using Groups = std::vector<TargetGroup>;

// Changes whenever the file does: a mounted ConfigMap swaps a link, an editor renames.
using Fingerprint = std::tuple<ino_t, off_t, std::int64_t, std::int64_t>;

std::optional<Fingerprint> fingerprint_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Fingerprint(status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

struct WatchedFile {
  std::optional<Fingerprint> fingerprint;
  Groups groups;
  std::string error;
  bool was_read = false;
};
using WatchedFiles = std::map<std::string, WatchedFile>;

WatchedFile read_again(const std::string& path, WatchedFile before,
                       const ParseTargetGroups& parse) {
  const auto fingerprint = fingerprint_of(path);
  if (!fingerprint) return {std::nullopt, {}, path + ": no such file"};
  if (fingerprint == before.fingerprint) return before;
  before.fingerprint = fingerprint;
  before.error.clear();
  const auto bytes = read_file(path);
  auto groups = bytes ? parse(*bytes) : Result<Groups>(fail(bytes.error()));
  if (!groups) {
    before.error = groups.error().in(path).message;
    return before;
  }
  for (TargetGroup& group : *groups) group.source = path;
  before.groups = std::move(*groups);
  before.was_read = true;
  return before;
}

WatchedFiles read_all(const FileDiscoveryConfig& config, WatchedFiles before,
                      const ParseTargetGroups& parse) {
  WatchedFiles out;
  for (const std::string& pattern : config.files) {
    for (const std::string& path : glob_files(pattern)) {
      out[path] = read_again(path, std::move(before[path]), parse);
    }
  }
  return out;
}

// Logs a source's trouble when it begins or changes, and its end.
void note_error(const std::string& job, std::string& known, const std::string& error) {
  if (error == known) return;
  if (error.empty()) {
    log::info("target discovery works again", {{"job", job}});
  } else {
    log::warn("target discovery failed; the last targets stay", {{"job", job}, {"error", error}});
  }
  known = error;
}

}  // namespace

class Discovery::Impl : public std::enable_shared_from_this<Discovery::Impl> {
 public:
  Impl(const ScrapeParts& parts, const ScrapeConfig& config, ParseTargetGroups parse,
       const Groups& known, OnGroups on_groups)
      : parts_(parts),
        job_(config.job_name),
        parse_(std::move(parse)),
        on_groups_(std::move(on_groups)),
        static_(config.static_configs) {
    for (const auto& file : config.file_sd_configs) files_.push_back({.config = file});
    for (const auto& http : config.http_sd_configs) urls_.push_back({.config = http});
    for (const TargetGroup& group : known) take_known(group);
  }

  void start() {
    for (std::size_t i = 0; i < files_.size(); ++i) look(i);
    for (std::size_t i = 0; i < urls_.size(); ++i) ask(i);
    report();
  }

  void stop() {
    stopped_ = true;
    for (const auto& [key, timer] : timers_) parts_.scheduler.cancel(timer);
    for (const UrlSource& url : urls_) {
      if (url.request) parts_.http.cancel(*url.request);
    }
  }

 private:
  struct FileSource {
    FileDiscoveryConfig config;
    WatchedFiles files;
    bool answered = false;
    std::string error;
  };
  struct UrlSource {
    HttpDiscoveryConfig config;
    Groups groups;
    bool answered = false;
    bool was_read = false;
    std::string error;
    std::optional<net::HttpSender::RequestId> request;
  };

  // Of files that no source names, nothing is asked any more.
  void take_known(const TargetGroup& group) {
    const auto take = [&group](auto& source) {
      source.groups.push_back(group);
      source.was_read = true;
    };
    for (UrlSource& url : urls_) {
      if (url.config.url == group.source) take(url);
    }
    for (FileSource& file : files_) take(file.files[group.source]);
  }

  // `step` again after `delay`. One timer per source: `key` names it.
  void again(std::pair<char, std::size_t> key, Duration delay, void (Impl::*step)(std::size_t)) {
    timers_[key] = parts_.scheduler.after(delay, [weak = weak_from_this(), key, step] {
      if (const auto self = weak.lock()) (self.get()->*step)(key.second);
    });
  }

  void look(std::size_t i) {
    net::run_on(
        parts_.workers, parts_.loop,
        [config = files_[i].config, before = files_[i].files, parse = parse_] {
          return read_all(config, before, parse);
        },
        [weak = weak_from_this(), i](WatchedFiles files) {
          const auto self = weak.lock();
          if (self && !self->stopped_) self->take_files(i, std::move(files));
        });
  }

  void take_files(std::size_t i, WatchedFiles files) {
    FileSource& source = files_[i];
    std::string error;
    for (const auto& [path, file] : files) {
      if (!file.error.empty()) error += (error.empty() ? "" : "; ") + file.error;
    }
    note_error(job_, source.error, error);
    source.files = std::move(files);
    source.answered = true;
    again({'f', i}, std::min(source.config.refresh_interval, kLookInterval), &Impl::look);
    report();
  }

  void ask(std::size_t i) {
    UrlSource& source = urls_[i];
    net::HttpRequest request{.url = source.config.url};
    if (auto done = net::introduce(source.config.client, request); !done) {
      take_answer(i, fail(done.error()));
      return;
    }
    source.request = parts_.http.send(std::move(request),
                                      [weak = weak_from_this(), i](const net::HttpResult& answer) {
                                        const auto self = weak.lock();
                                        if (self && !self->stopped_) self->take_answer(i, answer);
                                      });
  }

  void take_answer(std::size_t i, const net::HttpResult& answer) {
    UrlSource& source = urls_[i];
    source.request.reset();
    auto groups = groups_of(answer);
    note_error(job_, source.error,
               groups ? std::string() : groups.error().in(source.config.url).message);
    if (groups) {
      source.groups = std::move(*groups);
      source.was_read = true;
      for (TargetGroup& group : source.groups) group.source = source.config.url;
    }
    source.answered = true;
    again({'u', i}, source.config.refresh_interval, &Impl::ask);
    report();
  }

  Result<Groups> groups_of(const net::HttpResult& answer) const {
    if (!answer) return fail(answer.error());
    if (answer->status != 200) {
      return fail(ErrorCode::Unavailable, "HTTP status " + std::to_string(answer->status));
    }
    return parse_(answer->body);
  }

  void report() {
    const auto answered = [](const auto& source) { return source.answered; };
    if (!std::all_of(files_.begin(), files_.end(), answered) ||
        !std::all_of(urls_.begin(), urls_.end(), answered)) {
      return;
    }
    Discovered all{static_, {}};
    const auto add = [&all](const auto& source) {
      all.groups.insert(all.groups.end(), source.groups.begin(), source.groups.end());
      if (!source.was_read) all.unread = source.error;
    };
    for (const FileSource& source : files_) {
      for (const auto& [path, file] : source.files) add(file);
    }
    for (const UrlSource& source : urls_) add(source);
    if (reported_ == all) return;
    reported_ = std::move(all);
    on_groups_(*reported_);
  }

  const ScrapeParts parts_;
  const std::string job_;
  const ParseTargetGroups parse_;
  const OnGroups on_groups_;
  const Groups static_;
  std::vector<FileSource> files_;
  std::vector<UrlSource> urls_;
  std::map<std::pair<char, std::size_t>, Scheduler::TaskId> timers_;
  std::optional<Discovered> reported_;
  bool stopped_ = false;
};

Discovery::Discovery(const ScrapeParts& parts, const ScrapeConfig& config, ParseTargetGroups parse,
                     const std::vector<TargetGroup>& known, OnGroups on_groups)
    : impl_(std::make_shared<Impl>(parts, config, std::move(parse), known, std::move(on_groups))) {}

Discovery::~Discovery() { impl_->stop(); }

void Discovery::start() { impl_->start(); }

}  // namespace tocsin::source
