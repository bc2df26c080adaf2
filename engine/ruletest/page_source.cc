// SPDX-License-Identifier: Apache-2.0
#include "ruletest/page_source.h"

#include <algorithm>

#include "simulate/mesh.h"

namespace tocsin::ruletest {
namespace {

class MeshPages : public PageSource {
 public:
  MeshPages(simulate::MeshConfig config, Timestamp start) : mesh_(std::move(config), start) {}

  void advance(Timestamp now) override { mesh_.advance(now); }

  std::vector<Target> targets() const override {
    std::vector<Target> out;
    for (simulate::Endpoint& endpoint : mesh_.endpoints()) {
      out.push_back({std::move(endpoint.path), std::move(endpoint.labels)});
    }
    return out;
  }

  std::optional<std::string> page(const Target& target) const override {
    std::string body;
    if (mesh_.render(target.url, body) != simulate::Mesh::Answer::Page) return std::nullopt;
    return body;
  }

 private:
  simulate::Mesh mesh_;
};

class Captured : public PageSource {
 public:
  Captured(CapturedPages captured, Timestamp start, Duration interval)
      : captured_(std::move(captured)), start_(start), interval_(interval) {}

  void advance(Timestamp now) override {
    const auto count = static_cast<std::int64_t>(captured_.pages.size());
    current_ = static_cast<std::size_t>(std::min((now - start_) / interval_, count - 1));
  }

  std::vector<Target> targets() const override { return {{"captured", captured_.labels}}; }

  std::optional<std::string> page(const Target&) const override {
    return captured_.pages[current_];
  }

 private:
  const CapturedPages captured_;
  const Timestamp start_;
  const Duration interval_;
  std::size_t current_ = 0;
};

}  // namespace

std::unique_ptr<PageSource> mesh_pages(simulate::MeshConfig config, Timestamp start) {
  return std::make_unique<MeshPages>(std::move(config), start);
}

std::unique_ptr<PageSource> captured_pages(CapturedPages captured, Timestamp start,
                                           Duration interval) {
  return std::make_unique<Captured>(std::move(captured), start, interval);
}

}  // namespace tocsin::ruletest
