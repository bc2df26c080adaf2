// SPDX-License-Identifier: Apache-2.0
//
// Writes the history of a meshed cluster into one or more servers by remote write 1.0: what 1,000
// proxies would have shown, 310 series each. The same arguments give the same samples.
//
//   mesh_load --url http://127.0.0.1:9090/api/v1/write --url … --end 1700000000
//
// Each pod is scraped at its own moment, a few milliseconds off the whole second.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <future>
#include <iostream>

#include "support/remote_write.h"

namespace tocsin::bench {
namespace {

constexpr int kPodsPerDeployment = 10;
constexpr int kDeploymentsPerNamespace = 20;
constexpr int kPodsPerRequest = 10;
constexpr int kSamplesPerRequest = 20;  // Of each series.
// The proxy's own, in milliseconds.
constexpr const char* kBounds[] = {"1",     "2",     "3",     "4",     "5",    "10",   "20",
                                   "30",    "40",    "50",    "100",   "200",  "300",  "400",
                                   "500",   "1000",  "2000",  "3000",  "4000", "5000", "10000",
                                   "20000", "30000", "40000", "50000", "+Inf"};

struct Options {
  std::vector<std::string> urls;
  int pods = 1000;
  int routes = 10;
  int minutes = 70;
  int step_seconds = 15;
  std::int64_t end = 0;  // Unix seconds.
};

// A counter that grows evenly: whole numbers, more or less.
struct Growth {
  Labels labels;
  double base = 0;
  double per_second = 0;
};

// A number in [0, 1) that belongs to `key`.
double fraction_of(std::uint64_t key) {
  key = (key ^ (key >> 31)) * 0x7fb5d329728ea185ULL;
  key = (key ^ (key >> 27)) * 0x81dadef4bc2dd44dULL;
  return static_cast<double>((key ^ (key >> 33)) >> 11) * 0x1p-53;
}

Labels pod_labels(int pod) {
  const int deployment = pod / kPodsPerDeployment;
  const std::string name = "app-" + std::to_string(deployment);
  const std::string ip = "10.42." + std::to_string(pod / 250) + "." + std::to_string(pod % 250 + 1);
  return Labels{{"namespace", "team-" + std::to_string(deployment / kDeploymentsPerNamespace)},
                {"deployment", name},
                {"pod", name + "-7d9c6b8f5-" + std::to_string(10'000 + pod)},
                {"job", "linkerd-proxy"},
                {"instance", ip + ":4191"},
                {"direction", "inbound"},
                {"target_addr", ip + ":8080"},
                {"target_port", "8080"},
                {"tls", "true"},
                {"client_id", "web.team-0.serviceaccount.identity.linkerd.cluster.local"},
                {"srv_kind", "server"},
                {"srv_name", "all-unauthenticated"},
                {"route_kind", "HTTPRoute"},
                {"authz_name", "all-unauthenticated"}};
}

// The share of requests that is answered within the bound, of a route.
double share_within(std::size_t bound, std::uint64_t key) {
  if (bound + 1 == std::size(kBounds)) return 1;
  const double median_ms = 2 + 60 * fraction_of(key);
  return 1 - std::exp(-0.7 * std::atof(kBounds[bound]) / median_ms);
}

void add_route(const Labels& pod, int pod_number, int route, std::vector<Growth>& out) {
  const Labels labels = pod.with("route_name", "route-" + std::to_string(route));
  const auto key = static_cast<std::uint64_t>(pod_number * 1000 + route);
  const double rate = 0.2 + 20 * fraction_of(key) * fraction_of(key + 1);
  const double base = std::floor(100'000 * fraction_of(key + 2));
  const double failures = 0.08 * fraction_of(key + 3) * fraction_of(key + 4);
  const auto add = [&](const char* name, const Labels& with, double share) {
    out.push_back({with.with(kMetricName, name), std::floor(base * share), rate * share});
  };
  add("request_total", labels, 1);
  add("response_total", labels.with("classification", "success").with("status_code", "200"),
      1 - failures);
  add("response_total", labels.with("classification", "failure").with("status_code", "503"),
      failures);
  const Labels answered = labels.with("status_code", "200");
  for (std::size_t i = 0; i < std::size(kBounds); ++i) {
    add("response_latency_ms_bucket", answered.with("le", kBounds[i]), share_within(i, key));
  }
  add("response_latency_ms_count", answered, 1);
  add("response_latency_ms_sum", answered, 30);
}

std::vector<Growth> series_of_pod(int pod, int routes) {
  const Labels labels = pod_labels(pod);
  std::vector<Growth> out;
  for (int route = 0; route < routes; ++route) add_route(labels, pod, route, out);
  // As a proxy prints them: metric by metric.
  std::stable_sort(out.begin(), out.end(), [](const Growth& a, const Growth& b) {
    return a.labels.metric_name() < b.labels.metric_name();
  });
  return out;
}

// The samples of one series at `times`.
void sample(const Growth& growth, const std::vector<Timestamp>& times, Timestamp start,
            std::vector<Sample>& out) {
  for (const Timestamp at : times) {
    out.push_back({at, growth.base + std::floor(growth.per_second * to_seconds(at - start))});
  }
}

Result<void> post_to_all(const std::vector<std::string>& urls, const std::string& body) {
  std::vector<std::future<Result<void>>> posts;
  for (const std::string& url : urls) {
    posts.push_back(std::async(std::launch::async, [&] { return post_remote_write(url, body); }));
  }
  Result<void> out;
  for (auto& post : posts) {
    if (auto done = post.get(); !done) out = done;
  }
  return out;
}

class Loader {
 public:
  explicit Loader(const Options& options)
      : options_(options),
        end_(from_millis(options.end * 1000)),
        start_(end_ - std::chrono::minutes(options.minutes)) {
    for (int pod = 0; pod < options.pods; ++pod) {
      pods_.push_back(series_of_pod(pod, options.routes));
    }
  }

  Result<std::size_t> run() {
    const Duration slice = std::chrono::seconds(options_.step_seconds) * kSamplesPerRequest;
    for (Timestamp from = start_; from < end_; from += slice) {
      for (int pod = 0; pod < options_.pods; pod += kPodsPerRequest) {
        const int next = std::min(pod + kPodsPerRequest, options_.pods);
        if (auto done = write(pod, next, from, std::min(from + slice, end_)); !done) {
          return fail(done.error());
        }
      }
      std::cerr << "." << std::flush;
    }
    std::cerr << "\n";
    return written_;
  }

 private:
  Result<void> write(int first_pod, int end_pod, Timestamp from, Timestamp to) {
    std::vector<std::vector<Sample>> samples;
    std::vector<WrittenSeries> series;
    for (int pod = first_pod; pod < end_pod; ++pod) {
      const std::vector<Timestamp> times = times_of(pod, from, to);
      for (const Growth& growth : pods_[static_cast<std::size_t>(pod)]) {
        sample(growth, times, start_, samples.emplace_back());
        series.push_back({&growth.labels, {}});
        written_ += times.size();
      }
    }
    for (std::size_t i = 0; i < series.size(); ++i) series[i].samples = samples[i];
    return post_to_all(options_.urls, remote_write_body(series));
  }

  std::vector<Timestamp> times_of(int pod, Timestamp from, Timestamp to) const {
    const auto own = static_cast<std::uint64_t>(pod);
    const auto second = static_cast<int>(fraction_of(own) * options_.step_seconds);
    const Duration moment =
        std::chrono::seconds(second) + Duration(5 + static_cast<int>(900 * fraction_of(~own)));
    std::vector<Timestamp> out;
    for (Timestamp at = from; at < to; at += std::chrono::seconds(options_.step_seconds)) {
      out.push_back(at + moment);
    }
    return out;
  }

  const Options& options_;
  const Timestamp end_;
  const Timestamp start_;
  std::vector<std::vector<Growth>> pods_;
  std::size_t written_ = 0;
};

}  // namespace
}  // namespace tocsin::bench

int main(int argc, char** argv) {
  tocsin::bench::Options options;
  CLI::App app("Writes the history of a meshed cluster by remote write");
  app.add_option("--url", options.urls, "…/api/v1/write; several times")->required();
  app.add_option("--pods", options.pods);
  app.add_option("--routes", options.routes, "of each pod");
  app.add_option("--minutes", options.minutes);
  app.add_option("--step", options.step_seconds, "seconds between samples");
  app.add_option("--end", options.end, "Unix seconds")->required();
  CLI11_PARSE(app, argc, argv);
  const auto written = tocsin::bench::Loader(options).run();
  if (!written) {
    std::cerr << written.error().message << "\n";
    return 1;
  }
  std::cout << *written << " samples written\n";
}
