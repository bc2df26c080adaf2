// SPDX-License-Identifier: Apache-2.0
#include "source/target.h"

#include <algorithm>

#include "net/url.h"
#include "tocsin/duration.h"

namespace tocsin::source {
namespace {

constexpr std::string_view kAddress = "__address__";
constexpr std::string_view kScheme = "__scheme__";
constexpr std::string_view kMetricsPath = "__metrics_path__";
constexpr std::string_view kInterval = "__scrape_interval__";
constexpr std::string_view kTimeout = "__scrape_timeout__";
constexpr std::string_view kParamPrefix = "__param_";
constexpr std::string_view kHidden = "__";

Labels discovered(const ScrapeConfig& config, const std::string& address,
                  const TargetGroup& group) {
  LabelsBuilder builder(group.labels);
  builder.set(kAddress, address);
  const auto set_default = [&](std::string_view name, std::string_view value) {
    if (!builder.has(name)) builder.set(name, value);
  };
  set_default("job", config.job_name);
  set_default(kInterval, format_duration(config.scrape_interval));
  set_default(kTimeout, format_duration(config.scrape_timeout));
  set_default(kMetricsPath, config.metrics_path);
  set_default(kScheme, config.scheme);
  for (const auto& [name, values] : config.params) {
    if (!values.empty()) set_default(std::string(kParamPrefix) + name, values.front());
  }
  return builder.build();
}

// The job's parameters, the first value of each as relabelling left it.
net::Params params_of(const ScrapeConfig& config, const Labels& labels) {
  auto params = config.params;
  for (const LabelView& label : labels) {
    if (!label.name.starts_with(kParamPrefix)) continue;
    auto& values = params[std::string(label.name.substr(kParamPrefix.size()))];
    if (values.empty()) values.emplace_back();
    values.front() = std::string(label.value);
  }
  net::Params out;
  for (const auto& [name, values] : params) {
    for (const std::string& value : values) out.emplace_back(name, value);
  }
  return out;
}

std::string url_of(const ScrapeConfig& config, const Labels& labels) {
  const std::string query = net::format_params(params_of(config, labels));
  std::string path(labels.get(kMetricsPath));
  if (path.empty() || path.front() != '/') path.insert(0, "/");
  if (!query.empty()) path += (path.find('?') == std::string::npos ? "?" : "&") + query;
  return std::string(labels.get(kScheme)) + "://" + std::string(labels.get(kAddress)) + path;
}

Labels public_labels(const Labels& labels) {
  LabelsBuilder builder;
  for (const LabelView& label : labels) {
    if (!label.name.starts_with(kHidden)) builder.set(label.name, label.value);
  }
  if (!builder.has("instance")) builder.set("instance", labels.get(kAddress));
  return builder.build();
}

Result<Duration> duration_label(const Labels& labels, std::string_view name) {
  const auto duration = parse_duration(labels.get(name));
  if (duration && duration->count() > 0) return *duration;
  return fail(ErrorCode::InvalidArgument, "not a positive duration in label " + std::string(name) +
                                              ": " + quote(labels.get(name)));
}

}  // namespace

bool is_report(std::string_view metric) {
  return std::find(kReportNames.begin(), kReportNames.end(), metric) != kReportNames.end();
}

std::string_view health_name(Health health) {
  static constexpr std::string_view kNames[] = {"unknown", "up", "down"};
  return kNames[static_cast<int>(health)];
}

Result<std::variant<Target, DroppedTarget>> make_target(const ScrapeConfig& config,
                                                        const Relabeler& relabeler,
                                                        const std::string& address,
                                                        const TargetGroup& group) {
  Labels before = discovered(config, address, group);
  const auto after = relabeler.apply(before);
  if (!after) return DroppedTarget{config.job_name, std::move(before)};
  if (!after->has(kAddress)) return fail(ErrorCode::InvalidArgument, "no address");

  const auto interval = duration_label(*after, kInterval);
  if (!interval) return fail(interval.error());
  const auto timeout = duration_label(*after, kTimeout);
  if (!timeout) return fail(timeout.error());
  if (*timeout > *interval) {
    return fail(ErrorCode::InvalidArgument, "scrape timeout is greater than the scrape interval");
  }
  Target target{.job = config.job_name,
                .discovered_labels = std::move(before),
                .labels = public_labels(*after),
                .url = url_of(config, *after),
                .interval = *interval,
                .timeout = *timeout};
  if (!net::parse_url(target.url)) {
    return fail(ErrorCode::InvalidArgument, "not a URL: " + target.url);
  }
  return target;
}

}  // namespace tocsin::source
